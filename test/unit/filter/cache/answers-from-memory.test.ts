// Stored answers over real connections: to clients of HTTP/1.1 and HTTP/2, past the other filters, to slow readers, and over a reload.
import assert from 'node:assert/strict';
import { get as httpGet, request as httpRequest, type IncomingMessage } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http2';
import { test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ask, connectNodeHttp2 } from '../../../support/node-http2.ts';
import { startOrigin, startRawOrigin, type Answer, type Origin } from '../../../support/origin.ts';
import { countOf, startProxy, type Proxy } from '../../../support/proxy.ts';
import { connectRaw } from '../../../support/raw-client.ts';
import { until } from '../../../support/until.ts';

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

interface Question {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
}

async function askHttp1(proxy: Proxy, path: string, { method = 'GET', headers = {} }: Question): Promise<Got> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  httpRequest({ port: proxy.port, path, method, headers: { ...headers } }, resolve)
    .on('error', reject)
    .end();
  const response = await promise;
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) };
}

type Asking = (path: string, question?: Question) => Promise<Got>;

/** Both versions. */
const CLIENTS: readonly (readonly [string, (t: TestContext, proxy: Proxy) => Promise<Asking>])[] = [
  ['HTTP/1.1', (_t, proxy) => Promise.resolve(asking(proxy))],
  [
    'HTTP/2',
    async (t, proxy) => {
      const session = await connectNodeHttp2(t, proxy.url);
      return (path, { method = 'GET', headers = {} } = {}) => ask(session, { ...headers, ':path': path, ':method': method });
    },
  ],
];

const asking =
  (proxy: Proxy): Asking =>
  (path, question = {}) =>
    askHttp1(proxy, path, question);

const fresh = (body: string | Buffer, more: Readonly<Record<string, string>> = {}): Answer => {
  const fields = { 'cache-control': 'max-age=60', 'content-type': 'text/plain', 'content-length': Buffer.byteLength(body), ...more };
  return (_request, response) => response.writeHead(200, fields).end(body);
};

async function cached(
  t: TestContext,
  answer: Answer,
  filters: readonly object[] = [{ cache: {} }],
): Promise<{ origin: Origin; proxy: Proxy }> {
  const origin = await startOrigin(t, answer);
  return { origin, proxy: await startProxy(t, { endpoints: [origin.endpoint], route: { filters } }) };
}

for (const [version, connect] of CLIENTS) {
  test(`${version}: the second answer comes from memory, byte for byte, and says so`, async (t) => {
    const page = Buffer.alloc(300_000, 'weir ');
    const { origin, proxy } = await cached(t, fresh(page, { etag: '"1"' }));
    const asked = await connect(t, proxy);
    const first = await asked('/a?b=c');
    const second = await asked('/a?b=c');
    assert.equal(origin.requests.length, 1);
    assert.ok(first.body.equals(page) && second.body.equals(page));
    assert.deepEqual([first.headers['cache-status'], first.headers['content-length']], ['weir; fwd=uri-miss; stored', '300000']);
    assert.match(String(second.headers['cache-status']), /^weir; hit; ttl=\d\d$/);
    assert.deepEqual([second.headers['content-length'], second.headers['date']], ['300000', first.headers['date']]);
    assert.match(String(second.headers['age']), /^\d$/);
  });

  test(`${version}: HEAD, a part and what the client has are answered from the stored body`, async (t) => {
    const { origin, proxy } = await cached(t, fresh('0123456789', { etag: '"1"' }));
    const asked = await connect(t, proxy);
    await asked('/');
    const head = await asked('/', { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, '10', 0]);
    const part = await asked('/', { headers: { range: 'bytes=3-5' } });
    assert.deepEqual([part.status, part.headers['content-length'], part.body.toString()], [206, '3', '345']);
    const known = await asked('/', { headers: { 'if-none-match': '"1"' } });
    assert.deepEqual([known.status, known.body.length], [304, 0]);
    assert.equal(origin.requests.length, 1);
  });
}

test('a hit passes the filters that make answers for one client', async (t) => {
  const text = 'so it goes on\n'.repeat(1000);
  const filters = [{ cache: {} }, { compress: { codings: ['gzip'] } }, { headers: { response: { set: { 'x-for': '${request.id}' } } } }];
  const { origin, proxy } = await cached(t, fresh(text), filters);
  const asked = asking(proxy);
  const plain = await asked('/');
  const packed = await asked('/', { headers: { 'accept-encoding': 'gzip' } });
  const again = await asked('/');
  assert.equal(origin.requests.length, 1);
  assert.deepEqual([plain.body.toString(), again.body.toString()], [text, text]);
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.equal(gunzipSync(packed.body).toString(), text);
  assert.equal(new Set([plain, packed, again].map(({ headers }) => headers['x-for'])).size, 3);
});

test('a hit is refused to those whom the filters refuse', async (t) => {
  const origin = await startOrigin(t, fresh('secret', { 'cache-control': 'public, max-age=60' }));
  const basic = (user: string): OutgoingHttpHeaders => ({
    authorization: `Basic ${Buffer.from(`${user}:open sesame`).toString('base64')}`,
  });
  const filters = [{ cache: {} }, { addressAccess: { rules: [{ deny: '0.0.0.0/0' }] } }];
  const moreRoutes = [{ name: 'open', match: { path: '/' }, filters: [{ cache: {} }] }];
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { match: { path: '/closed' }, filters }, moreRoutes });
  const asked = asking(proxy);
  assert.equal((await asked('/open', { headers: basic('a') })).status, 200);
  assert.equal((await asked('/open', { headers: basic('b') })).body.toString(), 'secret');
  assert.equal((await asked('/closed', { headers: basic('a') })).status, 403);
  assert.equal(origin.requests.length, 1);
});

test('a change through one route drops what another has stored', async (t) => {
  let version = 1;
  const origin = await startOrigin(t, (request, response) => {
    if (request.method === 'GET') return fresh(`version ${version}`)(request, response);
    version += 1;
    response.writeHead(204).end();
  });
  const routes = [
    { name: 'read', service: 'shop', match: { path: '/', methods: ['GET'] }, filters: [{ cache: {} }] },
    { name: 'write', service: 'shop', match: { path: '/' }, filters: [{ cache: {} }] },
  ];
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], routes });
  const asked = asking(proxy);
  const read = async (): Promise<string> => (await asked('/a')).body.toString();
  assert.deepEqual([await read(), await read()], ['version 1', 'version 1']);
  await asked('/a', { method: 'PUT' });
  assert.deepEqual([await read(), await read()], ['version 2', 'version 2']);
});

test('a body that breaks off, or that only the end of its connection ends, is served to nobody else', async (t) => {
  const origin = await startRawOrigin(t, ({ socket, received }) => {
    if (!received.endsWith('\r\n\r\n')) return;
    const head = 'HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\n';
    if (received.includes('/short')) socket.end(`${head}content-length: 10\r\n\r\nhalf`);
    else if (received.includes('/chunked')) socket.end(`${head}transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n`);
    else socket.end(`${head}\r\nhalf`);
  });
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { filters: [{ cache: {} }] } });
  for (const path of ['/short', '/chunked', '/close']) {
    const asked = (): number => origin.connections.filter(({ received }) => received.includes(path)).length;
    for (let turn = 1; turn <= 2; turn += 1) {
      const client = await connectRaw(t, proxy.port);
      client.send(`GET ${path} HTTP/1.0\r\nhost: a\r\n\r\n`);
      assert.doesNotMatch(await client.untilClosed(), /hit/);
      assert.equal(asked(), turn, path);
    }
  }
});

test('a client that leaves in the middle leaves nothing half stored', async (t) => {
  let finish: () => void = () => undefined;
  const { origin, proxy } = await cached(t, (_request, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=60' }).write('first half, ');
    finish = () => response.end('second half');
  });
  const asked = asking(proxy);
  const leaving = await connectRaw(t, proxy.port);
  leaving.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  await leaving.untilText('first half, ');
  leaving.socket.destroy();
  await until(() => origin.requests[0]?.socket.destroyed === true, 'the end of the exchange with the service');
  const staying = asked('/', { headers: { host: 'a' } });
  await until(() => origin.requests.length === 2, 'a second request');
  finish();
  assert.equal((await staying).body.toString(), 'first half, second half');
  assert.match(String((await asked('/', { headers: { host: 'a' } })).headers['cache-status']), /hit/);
});

test('a slow reader gets the whole of a large stored body, and holds nobody up', async (t) => {
  const page = Buffer.alloc(8 * 1024 * 1024, 'x');
  const { origin, proxy } = await cached(t, fresh(page), [{ cache: { size: '64MiB', maxObject: '16MiB' } }]);
  const asked = asking(proxy);
  await asked('/');
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  httpGet({ port: proxy.port }, resolve).on('error', reject);
  const slow = await promise;
  slow.pause();
  assert.equal((await asked('/')).body.length, page.length);
  let bytes = 0;
  for await (const piece of slow) bytes += (piece as Buffer).length;
  assert.equal(bytes, page.length);
  assert.equal(origin.requests.length, 1);
});

test('an answer streams to its client while it is collected', async (t) => {
  let finish: () => void = () => undefined;
  const { origin, proxy } = await cached(t, (_request, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=60' }).write('now ');
    finish = () => response.end('later');
  });
  const asked = asking(proxy);
  const client = await connectRaw(t, proxy.port);
  client.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  await client.untilText('now ');
  finish();
  await client.untilText('later');
  assert.equal((await asked('/', { headers: { host: 'a' } })).body.toString(), 'now later');
  assert.equal(origin.requests.length, 1);
});

test('the metrics tell hits from misses', async (t) => {
  const { proxy } = await cached(t, fresh('page'));
  const asked = asking(proxy);
  for (let i = 0; i < 3; i += 1) await asked('/');
  await asked('/', { headers: { 'cache-control': 'no-store' } });
  const counts = (): number[] => ['hit', 'miss', 'bypass'].map((outcome) => countOf(proxy, 'weir_cache_requests_total', 'all', outcome));
  await until(() => counts().join() === '2,1,1', 'two hits, a miss and a bypass');
  assert.equal(countOf(proxy, 'weir_cache_stored_total', 'all'), 1);
});
