// The PROXY protocol towards a listener: whose word is taken, what it changes, and what is closed and counted.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { connect as connectPlain, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { proxyHeader, type ProxyEnds } from '../../../balancer/message/proxy-protocol.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy, type Proxy } from '../../support/proxy.ts';
import { connectRaw, RawClient } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

const CLIENT: ProxyEnds = { source: { address: '203.0.113.7', port: 4711 }, destination: { address: '192.0.2.1', port: 443 } };
const MAPPED: ProxyEnds = { ...CLIENT, source: { address: '::ffff:203.0.113.7', port: 4711 }, destination: { address: '::1', port: 443 } };
const ASK = 'GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n';

async function start(t: TestContext, listener: object): Promise<Proxy> {
  const origin = await startOrigin(t, ({ headers }: IncomingMessage, response) =>
    response.end(`client ${String(headers['x-forwarded-for'])} over ${String(headers['x-forwarded-proto'])};`),
  );
  return startProxy(t, { endpoints: [origin.endpoint], listener: listener as Readonly<Record<string, unknown>> });
}

/** All that is answered to these bytes. */
async function said(t: TestContext, { port }: Proxy, bytes: Buffer | string): Promise<string> {
  const { socket, ...client } = await connectRaw(t, port).then((raw) => ({ socket: raw.socket, untilClosed: () => raw.untilClosed() }));
  socket.write(bytes);
  return client.untilClosed();
}

const refusals = ({ said: messages }: Proxy): number =>
  messages
    .flatMap((message) => (message.type === 'metrics' ? message.delta : []))
    .filter(({ name, labels }) => name === 'weir_connections_refused_total' && labels.includes('proxy_protocol'))
    .reduce((sum, { value }) => sum + value, 0);

const withAsk = (header: Buffer): Buffer => Buffer.concat([header, Buffer.from(ASK)]);

test('the address in the header of a trusted proxy is the client, in both versions and however it comes', async (t) => {
  const proxy = await start(t, { proxyProtocol: { from: ['127.0.0.0/8'] } });
  for (const version of ['v1', 'v2'] as const)
    for (const ends of [CLIENT, MAPPED])
      assert.match(await said(t, proxy, withAsk(proxyHeader(version, ends))), /client 203\.0\.113\.7 over http;/);
  for (const version of ['v1', 'v2'] as const)
    assert.match(await said(t, proxy, withAsk(proxyHeader(version, null))), /client 127\.0\.0\.1 over http;/, 'of itself');

  const { socket, ...slow } = await connectRaw(t, proxy.port).then((raw) => ({ socket: raw.socket, closed: () => raw.untilClosed() }));
  socket.setNoDelay(true);
  for (const byte of withAsk(proxyHeader('v2', CLIENT))) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.match(await slow.closed(), /client 203\.0\.113\.7 over http;/);
});

test('a client that the header names is trusted or not by its own address', async (t) => {
  const proxy = await start(t, { proxyProtocol: { from: ['127.0.0.1'] }, trustedPeers: ['203.0.113.0/24'] });
  const ask = ASK.replace('\r\n\r\n', '\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n');
  assert.match(
    await said(t, proxy, Buffer.concat([proxyHeader('v2', CLIENT), Buffer.from(ask)])),
    /client 198\.51\.100\.1, 203\.0\.113\.7 over/,
  );
  assert.match(await said(t, proxy, Buffer.concat([proxyHeader('v2', null), Buffer.from(ask)])), /client 127\.0\.0\.1 over/);
});

test('where it is required, what has none, has a broken one or comes from a stranger is closed and counted', async (t) => {
  const proxy = await start(t, { proxyProtocol: { from: ['127.0.0.1'] } });
  assert.equal(await said(t, proxy, ASK), '');
  assert.equal(await said(t, proxy, `PROXY TCP4 203.0.113.7 192.0.2.1 1\r\n${ASK}`), '');
  const cut = proxyHeader('v2', CLIENT).subarray(0, 20);
  const client = await connectRaw(t, proxy.port);
  client.socket.end(cut);
  assert.equal(await client.untilClosed(), '');
  await until(() => refusals(proxy) === 3, 'three are counted');

  const strict = await start(t, { proxyProtocol: { from: ['192.0.2.0/24'] } });
  assert.equal(await said(t, strict, withAsk(proxyHeader('v1', CLIENT))), '');
  await until(() => refusals(strict) === 1, 'the stranger is counted');
});

test('where it is not required, a client without one is served, and the header of a stranger is still refused', async (t) => {
  const proxy = await start(t, { proxyProtocol: { from: ['127.0.0.1'], required: false } });
  assert.match(await said(t, proxy, ASK), /client 127\.0\.0\.1 over http;/);
  assert.match(await said(t, proxy, withAsk(proxyHeader('v1', CLIENT))), /client 203\.0\.113\.7 over http;/);
  const open = await start(t, { proxyProtocol: { from: ['192.0.2.0/24'], required: false } });
  assert.match(await said(t, open, ASK), /client 127\.0\.0\.1 over http;/);
  for (const version of ['v1', 'v2'] as const) assert.equal(await said(t, open, withAsk(proxyHeader(version, CLIENT))), '');
  await until(() => refusals(open) === 2, 'both are counted');
});

test('a header that does not come is not waited for', async (t) => {
  const proxy = await start(t, { proxyProtocol: { from: ['127.0.0.1'] }, timeouts: { handshake: '200ms' } });
  const [silent, slow] = [await connectRaw(t, proxy.port), await connectRaw(t, proxy.port)];
  slow.send('PROXY TCP4 ');
  assert.deepEqual([await silent.untilClosed(), await slow.untilClosed()], ['', '']);
  await until(() => refusals(proxy) === 2, 'both are counted');
  const left = await connectRaw(t, proxy.port);
  left.socket.end();
  assert.equal(await left.untilClosed(), '');
  assert.equal(refusals(proxy), 2, 'who says nothing and leaves, as a health check does, is no failure');
});

test('the header stands before TLS, and the requests behind it are told whose they are', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-proxied-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const { cert, key } = makeCertificate(directory, { names: ['shop.example'] });
  const proxy = await start(t, { proxyProtocol: { from: ['127.0.0.1'] }, tls: { certificates: [{ cert, key }] } });
  const secured = async (header: Buffer): Promise<Socket> => {
    const socket = connectPlain({ port: proxy.port, host: '127.0.0.1' });
    t.after(() => socket.destroy());
    socket.write(header);
    const tls = connectTls({ socket, servername: 'shop.example', rejectUnauthorized: false });
    await once(tls, 'secureConnect');
    return tls;
  };
  const other = { ...CLIENT, source: { address: '2001:db8::9', port: 1 } };
  const [first, second, own] = await Promise.all([CLIENT, other, null].map((ends) => secured(proxyHeader('v2', ends))));
  for (const [socket, address] of [
    [first, '203.0.113.7'],
    [second, '2001:db8::9'],
    [own, '127.0.0.1'],
  ] as const) {
    assert.ok(socket !== undefined);
    const client = new RawClient(socket);
    client.send(ASK);
    assert.ok((await client.untilClosed()).includes(`client ${address} over https;`), address);
  }
  // The record of a ClientHello in the same segment as the header, as a proxy that hurries sends it.
  const joined = connectPlain({ port: proxy.port, host: '127.0.0.1' });
  t.after(() => joined.destroy());
  joined.cork();
  joined.write(proxyHeader('v1', CLIENT));
  const tls = connectTls({ socket: joined, servername: 'shop.example', rejectUnauthorized: false });
  process.nextTick(() => joined.uncork());
  await once(tls, 'secureConnect');
  const client = new RawClient(tls);
  client.send(ASK);
  assert.match(await client.untilClosed(), /client 203\.0\.113\.7 over https;/);
});

test('large bodies behind a header arrive whole', async (t) => {
  let length = 0;
  const origin = await startOrigin(t, (incoming, response) => {
    incoming.on('data', (chunk: Buffer) => (length += chunk.length)).on('end', () => response.end('done'));
  });
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], listener: { proxyProtocol: { from: ['127.0.0.1'] } } });
  const body = Buffer.alloc(3_000_000, 'x');
  const socket = connectPlain({ port: proxy.port, host: '127.0.0.1' });
  t.after(() => socket.destroy());
  socket.write(proxyHeader('v2', CLIENT));
  const outgoing = request({ method: 'POST', createConnection: () => socket, headers: { host: 'a', 'content-length': body.length } });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  response.resume();
  await once(response, 'end');
  assert.equal(length, body.length);
});
