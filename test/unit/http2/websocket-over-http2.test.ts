// WebSockets of HTTP/2 clients (RFC 8441), to endpoints that take them on a stream and to those that want an upgrade.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, type ClientHttp2Stream } from 'node:http2';
import { test, type TestContext } from 'node:test';
import { startH2Origin } from '../../support/h2-origin.ts';
import { startRawOrigin } from '../../support/origin.ts';
import { startProxy, type Proxy } from '../../support/proxy.ts';

test('reaches an HTTP/2 endpoint as extended CONNECT', async (t) => {
  const origin = await startH2Origin(
    t,
    ({ stream }) => {
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    },
    { settings: { enableConnectProtocol: true } },
  );
  const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
  await echoesOver(await openTunnel(t, proxy));
  assert.equal(origin.exchanges[0]?.headers[':protocol'], 'websocket');
});

test('reaches an HTTP/1.1 endpoint as an upgrade', async (t) => {
  const origin = await startRawOrigin(t, (exchange) => {
    const end = exchange.received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const key = /sec-websocket-key: (\S+)/i.exec(exchange.received)?.[1];
    if (key !== undefined) {
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket', `Sec-WebSocket-Accept: ${accept}`];
      exchange.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    }
    exchange.socket.write(exchange.received.slice(end + 4), 'latin1');
    exchange.received = '\r\n\r\n';
  });
  const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
  await echoesOver(await openTunnel(t, proxy));
});

async function openTunnel(t: TestContext, proxy: Proxy): Promise<ClientHttp2Stream> {
  const client = connect(proxy.url);
  client.on('error', () => undefined);
  t.after(() => client.destroy());
  await once(client, 'remoteSettings');
  const request = { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':authority': 'shop.example', ':path': '/chat' };
  const stream = client.request({ ...request, 'sec-websocket-version': '13' });
  // The balancer is ended before the client is.
  stream.on('error', () => undefined);
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
  assert.equal(headers[':status'], 200);
  return stream;
}

async function echoesOver(stream: ClientHttp2Stream): Promise<void> {
  stream.write('over and back');
  const [piece] = (await once(stream, 'data')) as [Buffer];
  assert.equal(piece.toString(), 'over and back');
}
