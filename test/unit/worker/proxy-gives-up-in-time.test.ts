// Every wait of the balancer has an end: connect, first byte, between bytes, the whole request, an idle tunnel.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startOrigin, startRawOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { startUnreachable } from '../../support/unreachable.ts';

async function problemOf(url: string, init?: RequestInit): Promise<{ readonly status: number; readonly code: unknown }> {
  const response = await fetch(url, init);
  const problem: unknown = await response.json();
  return { status: response.status, code: typeof problem === 'object' && problem !== null && 'code' in problem ? problem.code : undefined };
}

describe('the balancer gives up', () => {
  it('connecting, after connectTimeout, with 504', async (t) => {
    const endpoint = `http://127.0.0.1:${await startUnreachable(t)}`;
    const proxy = await startProxy(t, { endpoints: [endpoint], cluster: { connectTimeout: '200ms' } });
    const startedMs = performance.now();
    assert.deepEqual(await problemOf(proxy.url), { status: 504, code: 'connect_timeout' });
    assert.ok(performance.now() - startedMs < 5000);
  });

  it('waiting for the first byte, after firstByte, with 504', async (t) => {
    const origin = await startRawOrigin(t, () => undefined);
    const proxy = await startProxy(t, {
      endpoints: [origin.endpoint],
      service: { timeouts: { firstByte: '200ms' }, retries: { attempts: 0 } },
    });
    assert.deepEqual(await problemOf(proxy.url), { status: 504, code: 'first_byte_timeout' });
  });

  it('between two bytes, after betweenBytes, by breaking the response off', async (t) => {
    const origin = await startRawOrigin(t, ({ socket, received }) => {
      if (received.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], service: { timeouts: { betweenBytes: '200ms' } } });
    const client = await connectRaw(t, proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.ok((await client.untilClosed()).endsWith('half'));
  });

  it('on the whole request, after request, with 504', async (t) => {
    const origin = await startRawOrigin(t, () => undefined);
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], service: { timeouts: { request: '300ms' } } });
    assert.deepEqual(await problemOf(proxy.url), { status: 504, code: 'request_deadline' });
  });

  it('on an idle tunnel, after tunnelIdle', async (t) => {
    const origin = await startRawOrigin(t, ({ socket, received }) => {
      if (received.endsWith('\r\n\r\n'))
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], service: { timeouts: { tunnelIdle: '300ms' } } });
    const client = await connectRaw(t, proxy.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 101 /);
  });

  it('on a client that sends no whole head, no more requests, or no more of its body', async (t) => {
    const origin = await startOrigin(t, (request, response) => void request.resume().on('end', () => response.end('ok')));
    const proxy = await startProxy(t, {
      endpoints: [origin.endpoint],
      listener: { timeouts: { requestHead: '200ms', keepAlive: '200ms', requestBody: '200ms' } },
    });
    const slow = await connectRaw(t, proxy.port);
    slow.send('GET / HTTP/1.1\r\nHo');
    assert.match(await slow.untilClosed(), /^HTTP\/1\.1 408 /);
    const idle = await connectRaw(t, proxy.port);
    idle.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.ok((await idle.untilClosed()).endsWith('ok'));
    const stopped = await connectRaw(t, proxy.port);
    stopped.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
    assert.match(await stopped.untilClosed(), /^HTTP\/1\.1 408 /);
  });
});

describe('a request whose endpoint fails', () => {
  it('is tried elsewhere when nothing was sent, whatever the method', async (t) => {
    const gone = await startOrigin(t, () => undefined);
    await gone.kill();
    const origin = await startOrigin(t, (request, response) => void request.resume().on('end', () => response.end('here')));
    const proxy = await startProxy(t, { endpoints: [gone.endpoint, origin.endpoint] });
    for (let i = 0; i < 10; i += 1) assert.equal(await (await fetch(proxy.url, { method: 'POST', body: 'x' })).text(), 'here');
  });

  it('is tried elsewhere after a reset only when it may be sent twice', async (t) => {
    const resetting = await startRawOrigin(t, ({ socket }) => socket.resetAndDestroy());
    const proxy = await startProxy(t, { endpoints: [resetting.endpoint], service: { retries: { attempts: 2 } } });
    assert.deepEqual(await problemOf(proxy.url, { method: 'POST', body: 'x' }), { status: 502, code: 'connection_reset' });
    assert.equal(resetting.connections.length, 1);
  });

  it('says nothing about the inside when it fails for good', async (t) => {
    const gone = await startOrigin(t, () => undefined);
    await gone.kill();
    const proxy = await startProxy(t, { endpoints: [gone.endpoint] });
    const response = await fetch(proxy.url, { headers: { accept: 'text/html,*/*' } });
    const text = await response.text();
    assert.equal(response.status, 502);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
    assert.ok(!text.includes('127.0.0.1') && !text.includes(String(gone.port)));
  });
});

describe('a client that sends slowly', () => {
  const head = (length: number): string => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`;

  it('is told so itself: while its body is on the way the endpoint owes no answer, and is not blamed', async (t) => {
    const origin = await startRawOrigin(t, () => undefined);
    const proxy = await startProxy(t, {
      endpoints: [origin.endpoint],
      listener: { timeouts: { requestBody: '500ms' } },
      cluster: { outlier: { consecutive: 1 } },
      service: { timeouts: { firstByte: '200ms' } },
    });
    const client = await connectRaw(t, proxy.port);
    client.send(`${head(10)}half`);
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 408 /);
    assert.deepEqual(
      proxy.said.filter(({ type }) => type === 'ejection'),
      [],
    );
  });

  it('may take its time while the answer has begun already', async (t) => {
    const origin = await startRawOrigin(t, ({ socket, received }) => {
      if (received.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab');
      if (received.endsWith('last')) socket.write('cd');
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], service: { timeouts: { betweenBytes: '200ms' } } });
    const client = await connectRaw(t, proxy.port);
    client.send(head(8));
    await client.untilText('\r\n\r\nab');
    await delay(500);
    client.send('the last');
    await client.untilText('\r\n\r\nabcd');
  });

  it('still meets an endpoint that has a deadline, once the body is there', async (t) => {
    const origin = await startRawOrigin(t, () => undefined);
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], service: { timeouts: { firstByte: '200ms' } } });
    assert.deepEqual(await problemOf(proxy.url, { method: 'POST', body: 'whole' }), { status: 504, code: 'first_byte_timeout' });
  });
});
