// What goes through the balancer arrives as it was meant: fields, bodies, 1xx, upgrades, in order.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startOrigin, startRawOrigin } from '../../support/origin.ts';
import { startProxy, type Proxy } from '../../support/proxy.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';

const head = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const get = (path: string, ...fields: readonly string[]): string => head(`GET ${path} HTTP/1.1`, 'Host: shop.example', ...fields);

describe('a request that goes through', () => {
  it('reaches the origin with forwarded fields and without what ends at this hop', async (t) => {
    const origin = await startOrigin(t, (request, response) => response.end(JSON.stringify(request.headers)));
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectRaw(t, proxy.port);
    client.send(
      get(
        '/',
        'X-Forwarded-For: 6.6.6.6',
        'X-Request-Id: forged',
        'Via: 1.0 fred',
        'Connection: close, X-Drop',
        'X-Drop: 1',
        'X-Keep: 2',
        'Keep-Alive: timeout=9',
      ),
    );
    const [, body = ''] = (await client.untilClosed()).split('\r\n\r\n');
    const fields: unknown = JSON.parse(body);
    assert.ok(typeof fields === 'object' && fields !== null && 'x-request-id' in fields);
    assert.notEqual(fields['x-request-id'], 'forged');
    assert.deepEqual(
      { ...fields, 'x-request-id': 'fresh' },
      {
        host: 'shop.example',
        via: '1.0 fred, 1.1 weir',
        'x-keep': '2',
        'x-forwarded-for': '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-host': 'shop.example',
        forwarded: 'for=127.0.0.1;host=shop.example;proto=http',
        'x-request-id': 'fresh',
      },
    );
  });

  it('keeps what a trusted peer says of the client', async (t) => {
    const origin = await startOrigin(t, (request, response) => response.end(JSON.stringify(request.headers)));
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], listener: { trustedPeers: ['127.0.0.0/8'] } });
    const client = await connectRaw(t, proxy.port);
    client.send(get('/', 'X-Forwarded-For: 203.0.113.7', 'X-Forwarded-Proto: https', 'X-Request-Id: from-the-edge', 'Connection: close'));
    const [, body = ''] = (await client.untilClosed()).split('\r\n\r\n');
    assert.match(body, /"x-forwarded-for":"203\.0\.113\.7, 127\.0\.0\.1"/);
    assert.match(body, /"x-forwarded-proto":"https"/);
    assert.match(body, /"x-request-id":"from-the-edge"/);
  });

  for (const framing of ['length', 'chunks'] as const) {
    it(`carries a body of 8 MiB with ${framing} both ways unchanged`, async (t) => {
      const origin = await startOrigin(t, (request, response) => {
        if (framing === 'length') response.setHeader('content-length', request.headers['content-length'] ?? '');
        request.pipe(response);
      });
      const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
      const body = Buffer.alloc(8 * 1024 * 1024, 'weir moves bytes ');
      const init: RequestInit & { duplex?: string } =
        framing === 'length' ? { method: 'PUT', body } : { method: 'PUT', duplex: 'half', body: new Blob([body]).stream() };
      const response = await fetch(`${proxy.url}/echo`, init);
      const sum = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
      assert.equal(sum(new Uint8Array(await response.arrayBuffer())), sum(body));
      assert.equal(origin.requests[0]?.headers['transfer-encoding'], framing === 'chunks' ? 'chunked' : undefined);
    });
  }

  it('is answered in order when pipelined', async (t) => {
    const origin = await startOrigin(
      t,
      (request, response) => void setTimeout(() => response.end(request.url), request.url === '/0' ? 50 : 0),
    );
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectRaw(t, proxy.port);
    client.send([0, 1, 2, 3].map((i) => get(`/${i}`, ...(i === 3 ? ['Connection: close'] : []))).join(''));
    const received = await client.untilClosed();
    assert.deepEqual(
      [...received.matchAll(/\r\n\r\n\/(\d)/g)].map((match) => match[1]),
      ['0', '1', '2', '3'],
    );
  });

  it('gets 1xx responses before the final one', async (t) => {
    const origin = await startRawOrigin(t, ({ socket, received }) => {
      if (received.endsWith('\r\n\r\n'))
        socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectRaw(t, proxy.port);
    client.send(get('/', 'Connection: close'));
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*ok$/);
  });

  it('may wait for 100 (Continue), and gets it even from an origin that never says it', async (t) => {
    const origin = await startRawOrigin(t, ({ socket, received }) => {
      if (received.endsWith('hello')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectRaw(t, proxy.port);
    client.send(head('POST / HTTP/1.1', 'Host: a', 'Content-Length: 5', 'Expect: 100-continue'));
    await client.untilText('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hello');
    await client.untilText('\r\n\r\nok');
    assert.match(origin.connections[0]?.received ?? '', /expect: 100-continue/);
  });

  it('may be answered before its body is there; the connection ends then', async (t) => {
    const origin = await startRawOrigin(t, ({ socket, received }) => {
      if (received.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectRaw(t, proxy.port);
    client.send(head('POST / HTTP/1.1', 'Host: a', 'Content-Length: 1000000'));
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 413 [\s\S]*connection: close\r\n[\s\S]*no$/);
  });
});

describe('a response that goes through', () => {
  it('ends with the origin when it has no length, and keeps the client connection', async (t) => {
    const origin = await startRawOrigin(t, ({ socket, received }) => {
      if (received.endsWith('\r\n\r\n')) socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end');
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectRaw(t, proxy.port);
    client.send(get('/1'));
    await client.untilText('d\r\nuntil the end\r\n0\r\n\r\n');
    client.send(get('/2'));
    await client.until((received) => received.split('until the end').length === 3, 'the second answer');
  });

  it('is broken off for the client when the origin breaks it off', async (t) => {
    const origin = await startRawOrigin(t, ({ socket, received }) => {
      if (received.endsWith('\r\n\r\n')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectRaw(t, proxy.port);
    client.send(get('/'));
    const received = await client.untilClosed();
    assert.match(received, /content-length: 100/);
    assert.ok(!received.includes('HTTP/1.1 502'));
  });

  for (const { name, bytes } of [
    { name: 'two framings', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' },
    { name: 'two lengths', bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc' },
    { name: 'a bare LF', bytes: 'HTTP/1.1 200 OK\r\nX: a\nY: b\r\nContent-Length: 0\r\n\r\n' },
    { name: 'no status', bytes: 'HTTP/1.1 OK\r\n\r\n' },
    { name: 'another protocol', bytes: 'SSH-2.0-OpenSSH_9.2\r\n\r\n' },
    { name: '101 nobody asked for', bytes: 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n' },
  ]) {
    it(`is 502 when the origin answers with ${name}`, async (t) => {
      const origin = await startRawOrigin(t, ({ socket, received }) => {
        if (received.endsWith('\r\n\r\n')) socket.write(bytes);
      });
      const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
      const response = await fetch(proxy.url);
      assert.equal(response.status, 502);
      assert.match(response.headers.get('proxy-status') ?? '', /^weir; error=/);
    });
  }

  it('never carries bytes that an origin sent unasked to another request', async (t) => {
    const origin = await startRawOrigin(t, ({ socket, received }) => {
      if (received.endsWith('\r\n\r\n'))
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirstHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged');
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectRaw(t, proxy.port);
    for (let i = 1; i <= 5; i += 1) {
      client.send(get(`/${i}`));
      await client.until((received) => received.split('first').length === i + 1, `answer ${i}`);
    }
    assert.doesNotMatch(client.received, /forged/);
    assert.equal(origin.connections.length, 5);
  });
});

describe('an upgraded connection', () => {
  it('is a tunnel with half-close, whatever is inside', async (t) => {
    const origin = await startRawOrigin(t, (exchange) => {
      if (exchange.received.endsWith('\r\n\r\n')) {
        exchange.socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nhello from the origin',
        );
        exchange.socket.on('end', () => exchange.socket.end('bye'));
      }
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectRaw(t, proxy.port);
    client.send(get('/chat', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: k', 'Sec-WebSocket-Version: 13'));
    await client.untilText('hello from the origin');
    assert.match(
      client.received,
      /^HTTP\/1\.1 101 Switching Protocols\r\nsec-websocket-accept: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n/,
    );
    client.send('\x00\xff raw');
    await client.until(() => origin.connections[0]?.received.endsWith('\x00\xff raw') === true, 'the bytes at the origin');
    client.socket.end();
    assert.ok((await client.untilClosed()).endsWith('bye'));
  });

  const startChat = async (t: TestContext, service: Record<string, unknown> = {}): Promise<{ proxy: Proxy; client: RawClient }> => {
    const origin = await startRawOrigin(t, ({ socket, received }) => {
      if (received.endsWith('\r\n\r\n'))
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello');
      else if (received.endsWith('?')) socket.write('!');
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], service });
    const client = await connectRaw(t, proxy.port);
    client.send(get('/chat', 'Connection: Upgrade', 'Upgrade: websocket'));
    await client.untilText('hello');
    return { proxy, client };
  };

  it('outlives the time-out of whole requests', async (t) => {
    const { client } = await startChat(t, { timeouts: { request: '200ms' } });
    await delay(500);
    client.send('still there?');
    await client.untilText('hello!');
  });

  it('may finish while the worker drains', async (t) => {
    const { proxy, client } = await startChat(t);
    proxy.drain(3000);
    client.send('still there?');
    await client.untilText('hello!');
    assert.equal(client.ended, false);
    client.socket.destroy();
    await proxy.drained;
  });

  it('is not made for protocols other than WebSocket: the request goes on without', async (t) => {
    const origin = await startOrigin(t, (request, response) => response.end(JSON.stringify(request.headers)));
    const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
    const client = await connectRaw(t, proxy.port);
    client.send(get('/', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'));
    const received = await client.untilText('}');
    assert.match(received, /^HTTP\/1\.1 200 /);
    assert.doesNotMatch(received, /h2c|http2-settings/i);
  });
});
