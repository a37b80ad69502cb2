// Node's HTTP/2 client through the balancer to an HTTP/1.1 origin: every byte, field and trailer arrives, many at once, in both directions.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { makeCertificate } from '../../support/certificates.ts';
import { connectH2, data, GET, head } from '../../support/h2-client.ts';
import { ask, connectNodeHttp2, responseTo } from '../../support/node-http2.ts';
import { startOrigin, startRawOrigin, type Answer, type Origin } from '../../support/origin.ts';
import { startProxy, type Proxy } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

const MEGABYTE = 1_048_576;
const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

async function proxied(t: TestContext, answer: Answer, listener = {}): Promise<{ proxy: Proxy; origin: Origin }> {
  const origin = await startOrigin(t, answer);
  return { origin, proxy: await startProxy(t, { endpoints: [origin.endpoint], listener }) };
}

describe('an HTTP/2 client', () => {
  it('gets what the origin answers, and the origin what the client asked', async (t) => {
    const { proxy } = await proxied(t, (request, response) => {
      response.statusCode = 201;
      response.setHeader('x-own', 'value').setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ url: request.url, method: request.method, headers: request.headers }));
    });
    const session = await connectNodeHttp2(t, proxy.url);
    const { status, headers, body } = await ask(session, {
      ':path': '/a?b=c',
      accept: 'text/html',
      cookie: ['a=1', 'b=2'],
      te: 'trailers',
    });
    const seen: unknown = JSON.parse(body.toString());
    assert.equal(status, 201);
    assert.deepEqual(
      [headers['x-own'], headers['content-type'], Number(headers['content-length']) > 0],
      ['value', 'application/json', true],
    );
    assert.ok(typeof seen === 'object' && seen !== null && 'headers' in seen && typeof seen.headers === 'object' && seen.headers !== null);
    assert.deepEqual(
      { ...seen, headers: { ...seen.headers, 'x-request-id': '' } },
      {
        url: '/a?b=c',
        method: 'GET',
        headers: {
          host: `127.0.0.1:${proxy.port}`,
          accept: 'text/html',
          cookie: 'a=1; b=2',
          'x-forwarded-for': '127.0.0.1',
          'x-forwarded-proto': 'http',
          'x-forwarded-host': `127.0.0.1:${proxy.port}`,
          forwarded: `for=127.0.0.1;host="127.0.0.1:${proxy.port}";proto=http`,
          via: '2 weir',
          'x-request-id': '',
        },
      },
    );
  });

  it('sends and gets a hundred large bodies at once, and none of their bytes go to another one', async (t) => {
    const { proxy } = await proxied(t, (request, response) => request.pipe(response));
    const session = await connectNodeHttp2(t, proxy.url);
    const bodies = Array.from({ length: 100 }, (_, i) => randomBytes(1000 + i * 3000));
    const answers = await Promise.all(bodies.map((body) => ask(session, { ':method': 'POST', ':path': '/' }, body)));
    assert.deepEqual(
      answers.map(({ body }) => hashOf(body)),
      bodies.map(hashOf),
    );
  });

  it('gets 20 MiB as slowly as it reads, beside a small one that is quick', async (t) => {
    const large = randomBytes(20 * MEGABYTE);
    const { proxy } = await proxied(t, (request, response) => response.end(request.url === '/large' ? large : 'small'));
    const session = await connectNodeHttp2(t, proxy.url);
    const slow = session.request({ ':path': '/large' });
    const [got] = (await once(slow, 'response')) as [Record<string, string>];
    assert.equal(got['content-length'], `${large.length}`);
    // The window of the stream is full by now, and stays so.
    for (let i = 0; i < 20; i += 1) assert.equal((await ask(session, { ':path': '/small' })).body.toString(), 'small');
    const { body } = await responseTo(slow);
    assert.equal(hashOf(body), hashOf(large));
  });

  it('sends 20 MiB to an origin that is slow to read, beside a small one that is quick', async (t) => {
    const reading = Promise.withResolvers<() => void>();
    const { proxy } = await proxied(t, (request, response) => {
      if (request.url === '/small') return void response.end('small');
      const hash = createHash('sha256');
      reading.resolve(() => request.on('data', (chunk: Buffer) => hash.update(chunk)).on('end', () => response.end(hash.digest('hex'))));
    });
    const session = await connectNodeHttp2(t, proxy.url);
    const large = randomBytes(20 * MEGABYTE);
    const answer = ask(session, { ':method': 'POST', ':path': '/large' }, large);
    const read = await reading.promise;
    for (let i = 0; i < 20; i += 1) assert.equal((await ask(session, { ':path': '/small' })).body.toString(), 'small');
    read();
    assert.equal((await answer).body.toString(), hashOf(large));
  });

  it('sends and gets trailers', async (t) => {
    const { proxy } = await proxied(t, (request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200, { trailer: 'grpc-status' });
        response.write('body');
        response.addTrailers({ 'grpc-status': String(request.trailers['x-sum']) });
        response.end();
      });
    });
    const session = await connectNodeHttp2(t, proxy.url);
    const stream = session.request({ ':method': 'POST', ':path': '/' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
    const response = responseTo(stream);
    stream.end('x');
    assert.deepEqual([(await response).body.toString(), (await response).trailers['grpc-status']], ['body', '7']);
  });

  it('that resets a stream ends the request at the origin, and no other', async (t) => {
    let closed = 0;
    const { proxy, origin } = await proxied(t, (request, response) => {
      if (request.url === '/quick') return void response.end('quick');
      request.on('close', () => (closed += 1));
      response.write('begun');
    });
    const session = await connectNodeHttp2(t, proxy.url);
    const stream = session.request({ ':path': '/slow' });
    stream.on('error', () => undefined);
    await once(stream, 'data');
    stream.close(constants.NGHTTP2_CANCEL);
    await until(() => closed === 1, 'the origin sees that nobody waits any more');
    assert.equal((await ask(session, { ':path': '/quick' })).body.toString(), 'quick');
    assert.equal(origin.requests.length, 2);
  });

  it('sees a response that breaks off as an error, never as complete', async (t) => {
    const { proxy } = await proxied(t, (_request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('half', () => response.destroy());
    });
    const session = await connectNodeHttp2(t, proxy.url);
    await assert.rejects(ask(session, { ':path': '/' }), { code: 'ERR_HTTP2_STREAM_ERROR' });
    assert.equal(session.destroyed, false);
  });

  it('waits for 100 (Continue) and gets 103', async (t) => {
    const { proxy } = await proxied(t, (request, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' });
      request.pipe(response);
    });
    const session = await connectNodeHttp2(t, proxy.url);
    const stream = session.request({ ':method': 'POST', ':path': '/', expect: '100-continue' });
    const hints: unknown[] = [];
    stream.on('headers', (headers) => hints.push(headers[':status']));
    const response = responseTo(stream);
    await once(stream, 'continue');
    stream.end('sent after it');
    assert.equal((await response).body.toString(), 'sent after it');
    assert.deepEqual(
      hints.filter((status) => status === 103),
      [103],
    );
  });

  it('gets errors of the balancer as responses', async (t) => {
    const { proxy } = await proxied(t, (_request, response) => response.end(), {});
    const session = await connectNodeHttp2(t, proxy.url);
    const { status, headers, body } = await ask(session, { ':path': '/%zz' });
    assert.deepEqual([status, headers['content-type']], [400, 'application/problem+json']);
    assert.match(body.toString(), /"code":"bad_path"/);
  });

  it('has its requests answered while the worker drains, and is told where to stop', async (t) => {
    const { proxy } = await proxied(t, (_request, response) => {
      proxy.drain(5000);
      setImmediate(() => response.end('answered'));
    });
    const session = await connectNodeHttp2(t, proxy.url);
    const goAway = once(session, 'goaway');
    assert.equal((await ask(session, { ':path': '/' })).body.toString(), 'answered');
    await goAway;
    await proxy.drained;
  });
});

describe('the version of HTTP', () => {
  it('is chosen by ALPN with TLS, unless HTTP/2 is switched off', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'weir-alpn-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const { cert, key, pem } = makeCertificate(directory, { names: ['localhost'] });
    const tls = { certificates: [{ cert, key }] };
    const { proxy } = await proxied(t, (request, response) => response.end(String(request.headers.via)), { tls });
    const session = await connectNodeHttp2(t, `https://localhost:${proxy.port}`, { ca: pem });
    assert.equal((await ask(session, { ':path': '/' })).body.toString(), '2 weir');
    const off = await proxied(t, (_request, response) => response.end(), { tls, http2: { enabled: false } });
    for (const [port, protocols, chosen] of [
      [proxy.port, ['h2', 'http/1.1'], 'h2'],
      [proxy.port, ['http/1.1'], 'http/1.1'],
      [off.proxy.port, ['h2', 'http/1.1'], 'http/1.1'],
    ] as const) {
      const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca: pem, ALPNProtocols: [...protocols] });
      t.after(() => socket.destroy());
      await once(socket, 'secureConnect');
      assert.equal(socket.alpnProtocol, chosen);
    }
  });

  it('is known before on a plain listener, and refused where it is switched off', async (t) => {
    const { proxy } = await proxied(t, (request, response) => response.end(String(request.headers.via)));
    const client = await connectH2(t, proxy.port, null);
    for (const character of 'PRI * HTTP/2.0\r\n\r\nSM\r\n') client.send(character);
    client.send('\r\n', Buffer.from('000000040000000000', 'hex'), head(1, GET));
    assert.equal((await client.untilAnswered(1)).body, '2 weir');
    const off = await proxied(t, (_request, response) => response.end(), { http2: { enabled: false } });
    const refused = await connectRaw(t, off.proxy.port);
    refused.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    assert.match(await refused.untilClosed(), /^HTTP\/1\.1 505 /);
  });
});

describe('a WebSocket over HTTP/2', () => {
  const CONNECT = [':method', 'CONNECT', ':protocol', 'websocket', ':scheme', 'http', ':path', '/chat', ':authority', 'a'];
  const accept = (received: string): string => {
    const key = /sec-websocket-key: (.*)\r\n/.exec(received)?.[1] ?? '';
    return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  };
  const upgraded = (received: string): string =>
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept(received)}\r\nSec-WebSocket-Protocol: chat\r\n\r\n`;

  it('is one of HTTP/1.1 to the origin, with bytes both ways until each side has ended', async (t) => {
    let begun = false;
    const origin = await startRawOrigin(t, (exchange) => {
      if (!begun && exchange.received.includes('\r\n\r\n')) {
        begun = true;
        exchange.socket.write(`${upgraded(exchange.received)}hello`);
      } else if (exchange.received.endsWith('bye')) exchange.socket.end('bye too');
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectH2(t, proxy.port);
    client.send(head(1, [...CONNECT, 'sec-websocket-version', '13', 'sec-websocket-protocol', 'chat'], false));
    await client.until(() => client.response(1).body === 'hello', 'what the origin sent at once');
    assert.deepEqual(client.response(1).heads[0]?.slice(0, 4), [':status', '200', 'sec-websocket-protocol', 'chat']);
    assert.ok(!client.response(1).heads[0]?.includes('sec-websocket-accept'));
    client.send(data(1, 'x'.repeat(10_000), false), data(1, 'bye', true));
    await client.untilAnswered(1);
    assert.equal(client.response(1).body, 'hellobye too');
    const [exchange] = origin.connections;
    assert.match(
      exchange?.received ?? '',
      /^GET \/chat HTTP\/1\.1\r\n[\s\S]*connection: upgrade\r\nupgrade: websocket\r\n\r\nx{10000}bye$/,
    );
    assert.match(exchange?.received ?? '', /\r\nsec-websocket-version: 13\r\n/);
  });

  it('is reset when the origin breaks off, and breaks off at the origin when it is reset', async (t) => {
    const origin = await startRawOrigin(t, (exchange) => {
      if (exchange.received.endsWith('\r\n\r\n')) exchange.socket.write(upgraded(exchange.received));
      else if (exchange.received.endsWith('die')) exchange.socket.resetAndDestroy();
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectH2(t, proxy.port);
    client.send(head(1, CONNECT, false), head(3, CONNECT, false));
    await client.until(() => client.status(1) === '200' && client.status(3) === '200', 'two tunnels');
    client.send(data(1, 'die', false));
    assert.equal(await client.untilReset(1), 8);
    client.send(Buffer.from('00000403000000000300000008', 'hex'));
    await until(() => origin.connections.every(({ socket }) => socket.destroyed || socket.readableEnded), 'the origin is left');
    await client.roundTrip();
    assert.deepEqual(client.goAways, []);
  });

  it('is not made of an answer that is no upgrade, nor of one whose proof is wrong', async (t) => {
    const origin = await startRawOrigin(t, ({ socket, received }) => {
      if (!received.endsWith('\r\n\r\n')) return;
      if (received.startsWith('GET /plain')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody');
      else if (received.startsWith('GET /refused')) socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
      else socket.write(upgraded('sec-websocket-key: other\r\n'));
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectH2(t, proxy.port);
    const to = (path: string): string[] => CONNECT.map((text) => (text === '/chat' ? path : text));
    client.send(head(1, to('/plain'), false), head(3, to('/refused'), false), head(5, to('/wrong'), false));
    await client.untilAnswered(1);
    assert.deepEqual([client.status(1), client.response(1).body], ['502', '']);
    await client.untilAnswered(3);
    assert.deepEqual([client.status(3), client.response(3).body], ['403', 'no']);
    await client.untilReset(5);
    assert.equal(client.status(5), '');
  });
});
