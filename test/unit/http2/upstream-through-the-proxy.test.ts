// Requests of HTTP/1.1 clients that reach endpoints over HTTP/2, with Node's own HTTP/2 server as the endpoint.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { makeCertificate, type TestCertificate } from '../../support/certificates.ts';
import { h2Text, startH2Origin, type H2Exchange } from '../../support/h2-origin.ts';
import { named, startOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const MIB = 1024 * 1024;

describe('a request to an h2c endpoint', () => {
  it('arrives with its pseudo fields, the forwarded fields, and without what ends at this hop', async (t) => {
    const origin = await startH2Origin(t, h2Text('over two'));
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const response = await fetch(`${proxy.url}/a/b?c=d`, { headers: { 'X-Keep': '2', Cookie: 'a=1', Authorization: 'Bearer secret' } });
    assert.equal(await response.text(), 'over two');
    assert.equal(response.headers.get('content-type'), 'text/plain');
    const [exchange] = origin.exchanges;
    assert.ok(exchange !== undefined);
    const { headers } = exchange;
    assert.equal(headers[':method'], 'GET');
    assert.equal(headers[':path'], '/a/b?c=d');
    assert.equal(headers[':scheme'], 'http');
    assert.equal(headers[':authority'], `127.0.0.1:${proxy.port}`);
    assert.equal(headers['x-keep'], '2');
    assert.equal(headers['cookie'], 'a=1');
    assert.equal(headers['authorization'], 'Bearer secret');
    assert.equal(headers['x-forwarded-for'], '127.0.0.1');
    assert.equal(headers['via'], '1.1 weir');
    assert.equal(headers['connection'], undefined);
    assert.equal(headers['host'], undefined);
  });

  it('shares one connection with a hundred others', async (t) => {
    const held: H2Exchange[] = [];
    const origin = await startH2Origin(t, (exchange) => held.push(exchange));
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const answers = Array.from({ length: 100 }, async (_, n) => (await fetch(`${proxy.url}/${n}`)).text());
    await until(() => held.length === 100, 'all are at the origin');
    assert.equal(origin.sessions.size, 1);
    for (const { stream, headers } of held) {
      stream.respond({ ':status': 200 });
      stream.end(headers[':path']);
    }
    assert.deepEqual(
      await Promise.all(answers),
      Array.from({ length: 100 }, (_, n) => `/${n}`),
    );
  });

  it('opens another connection where the endpoint allows few streams', async (t) => {
    const held: H2Exchange[] = [];
    const origin = await startH2Origin(t, (exchange) => held.push(exchange), { settings: { maxConcurrentStreams: 3 } });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const first = fetch(`${proxy.url}/first`);
    await until(() => held.length === 1, 'the first is at the origin');
    const others = Array.from({ length: 6 }, (_, n) => fetch(`${proxy.url}/${n}`));
    await until(() => held.length === 7, 'all are at the origin');
    assert.equal(origin.sessions.size, 3);
    for (const { stream } of held) stream.respond({ ':status': 204 }, { endStream: true });
    const statuses = await Promise.all([first, ...others]);
    assert.ok(statuses.every(({ status }) => status === 204));
  });

  it('carries 8 MiB both ways unchanged', async (t) => {
    const origin = await startH2Origin(t, ({ stream, headers }) => {
      stream.respond({ ':status': 200, 'content-length': headers['content-length'] });
      stream.pipe(stream);
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const body = Buffer.alloc(8 * MIB, 'weir moves bytes ');
    const response = await fetch(`${proxy.url}/echo`, { method: 'PUT', body });
    assert.equal(sha(new Uint8Array(await response.arrayBuffer())), sha(body));
  });

  it('answers HEAD, 204 and 304 without a body and keeps the length that is told', async (t) => {
    const origin = await startH2Origin(t, ({ stream, headers }) => {
      const status = headers[':method'] === 'HEAD' ? 200 : Number(headers[':path']?.slice(1));
      stream.respond({ ':status': status, ...(headers[':method'] === 'HEAD' ? { 'content-length': 42 } : {}) }, { endStream: true });
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const head = await fetch(`${proxy.url}/`, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), '42');
    assert.equal((await fetch(`${proxy.url}/204`)).status, 204);
    assert.equal((await fetch(`${proxy.url}/304`)).status, 304);
  });

  it('brings trailers and early hints back', async (t) => {
    const origin = await startH2Origin(t, ({ stream }) => {
      stream.additionalHeaders({ ':status': 103, link: '</style.css>; rel=preload' });
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end('body');
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectRaw(t, proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: shop.example\r\nTE: trailers\r\nConnection: close\r\n\r\n');
    const received = await client.untilClosed();
    assert.match(received, /^HTTP\/1\.1 103 [^\r]*\r\nlink: <\/style\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    assert.match(received, /\r\n4\r\nbody\r\n0\r\ngrpc-status: 0\r\n\r\n$/);
  });

  it('does not let a client that reads slowly hold up the others, nor its answer into memory', async (t) => {
    let sent = 0;
    const origin = await startH2Origin(t, ({ stream, headers }) => {
      stream.respond({ ':status': 200 });
      if (headers[':path'] !== '/endless') return void stream.end('quick');
      const more = (): void => {
        do sent += 65_536;
        while (!stream.destroyed && stream.write(Buffer.alloc(65_536)));
      };
      stream.on('drain', more);
      more();
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const slow = await connectRaw(t, proxy.port);
    slow.send('GET /endless HTTP/1.1\r\nHost: shop.example\r\n\r\n');
    await slow.untilText('200 OK');
    slow.socket.pause();
    let before = -1;
    await until(() => {
      const still = sent === before;
      before = sent;
      return still && sent > 0;
    }, 'the origin is held back');
    // What the socket of the client, the window of the stream and the origin's own buffers hold, and no more.
    assert.ok(sent < 32 * MIB, `${sent} bytes were taken from the origin`);
    for (let n = 0; n < 20; n += 1) assert.equal(await (await fetch(`${proxy.url}/${n}`)).text(), 'quick');
    assert.equal(origin.sessions.size, 1);
  });

  it('is sent again when the endpoint refused its stream, whatever its method', async (t) => {
    let refused = 0;
    const origin = await startH2Origin(t, (exchange) => {
      if (refused++ === 0) exchange.stream.close(7);
      else h2Text('taken')(exchange);
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const texts = [];
    for (let n = 0; n < 4; n += 1) texts.push(await (await fetch(`${proxy.url}/`, { method: 'POST' })).text());
    assert.deepEqual(texts, ['taken', 'taken', 'taken', 'taken']);
  });

  it('is never lost when the endpoint says goodbye to connection after connection', async (t) => {
    const origin = await startH2Origin(t, (exchange) => {
      if (origin.exchanges.length % 7 === 0) exchange.stream.session?.close();
      h2Text('here')(exchange);
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const lane = async (): Promise<void> => {
      for (let n = 0; n < 25; n += 1) {
        const response = await fetch(`${proxy.url}/${n}`);
        assert.equal(await response.text(), 'here');
      }
    };
    await Promise.all(Array.from({ length: 8 }, lane));
    assert.ok(origin.exchanges.length >= 200);
  });

  it('is broken off, not finished, when the endpoint resets it in the middle', async (t) => {
    const origin = await startH2Origin(t, ({ stream }) => {
      stream.respond({ ':status': 200 });
      stream.write('half');
      setImmediate(() => stream.destroy(new Error('broken')));
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const response = await fetch(`${proxy.url}/`);
    await assert.rejects(response.text());
  });

  it('is given up at the endpoint when its client leaves', async (t) => {
    const { promise: reset, resolve } = Promise.withResolvers<number>();
    const origin = await startH2Origin(t, ({ stream }) => {
      stream.on('close', () => resolve(stream.rstCode));
      stream.respond({ ':status': 200 });
      stream.write('begin');
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectRaw(t, proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n');
    await client.untilText('begin');
    client.socket.destroy();
    assert.equal(await reset, 8);
    assert.equal(origin.sessions.size, 1, 'the connection goes on');
  });

  it('times out alone', async (t) => {
    const origin = await startH2Origin(t, (exchange) => {
      if (exchange.headers[':path'] !== '/silent') h2Text('quick')(exchange);
    });
    const proxy = await startProxy(t, {
      endpoints: [origin.endpoint],
      service: { timeouts: { firstByte: '200ms' }, retries: { attempts: 0 } },
    });
    const silent = fetch(`${proxy.url}/silent`);
    assert.equal(await (await fetch(`${proxy.url}/`)).text(), 'quick');
    assert.equal((await silent).status, 504);
    assert.equal(origin.sessions.size, 1, 'the connection goes on');
  });
});

describe('an endpoint with https', () => {
  it('is spoken to in HTTP/2 when it offers that', async (t) => {
    const { certificate, tls } = certificateOf(t);
    const origin = await startH2Origin(t, h2Text('two over TLS'), { tls });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], cluster: { tls: { ca: certificate.cert } } });
    assert.equal(await (await fetch(`${proxy.url}/`)).text(), 'two over TLS');
    assert.equal(origin.exchanges[0]?.headers[':scheme'], 'https');
  });

  it('is spoken to in HTTP/1.1 when it offers nothing else, also by many at once', async (t) => {
    const { certificate, tls } = certificateOf(t);
    const origin = await startOrigin(t, named('one over TLS'), { tls });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], cluster: { tls: { ca: certificate.cert } } });
    const texts = await Promise.all(Array.from({ length: 20 }, async () => (await fetch(`${proxy.url}/`)).text()));
    assert.deepEqual(new Set(texts), new Set(['one over TLS']));
    assert.ok(origin.requests.every(({ httpVersion }) => httpVersion === '1.1'));
  });

  it('is not offered HTTP/2 where the config says so', async (t) => {
    const { certificate, tls } = certificateOf(t);
    const origin = await startOrigin(t, named('one'), { tls });
    const cluster = { tls: { ca: certificate.cert }, http2: { enabled: false } };
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], cluster });
    assert.equal(await (await fetch(`${proxy.url}/`)).text(), 'one');
  });
});

describe('a WebSocket to an h2c endpoint', () => {
  const handshake =
    'GET /chat HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

  it('becomes a tunnel on a stream when the endpoint takes extended CONNECT', async (t) => {
    const origin = await startH2Origin(
      t,
      ({ stream }) => {
        stream.respond({ ':status': 200 });
        stream.pipe(stream);
      },
      { settings: { enableConnectProtocol: true } },
    );
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectRaw(t, proxy.port);
    client.send(handshake);
    const head = await client.untilText('\r\n\r\n');
    assert.match(head, /^HTTP\/1\.1 101 /);
    assert.match(head, /sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i);
    const [exchange] = origin.exchanges;
    assert.equal(exchange?.headers[':method'], 'CONNECT');
    assert.equal(exchange.headers[':protocol'], 'websocket');
    assert.equal(exchange.headers['sec-websocket-key'], undefined);
    client.send('ping over the tunnel');
    await client.untilText('ping over the tunnel');
    client.socket.end();
    await client.untilClosed();
    if (!exchange.stream.closed) await once(exchange.stream, 'close');
  });

  it('is refused when the endpoint does not', async (t) => {
    const origin = await startH2Origin(t, h2Text('no tunnel'));
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectRaw(t, proxy.port);
    client.send(handshake);
    assert.match(await client.untilText('\r\n\r\n'), /^HTTP\/1\.1 502 /);
  });
});

function certificateOf(t: TestContext): { certificate: TestCertificate; tls: { cert: string; key: Buffer } } {
  const directory = mkdtempSync(join(tmpdir(), 'weir-h2-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const certificate = makeCertificate(directory, { names: ['127.0.0.1'] });
  return { certificate, tls: { cert: certificate.pem, key: readFileSync(certificate.key) } };
}
