// Requests that an external authorizer is asked about: what it gets to see, what comes of its answers, and that nothing gets on without one.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { asksFirst, hear, startAuthorizer } from '../../../support/authorizer.ts';
import { makeCertificate } from '../../../support/certificates.ts';
import { filterProblems } from '../../../support/filter-options.ts';
import { startRawOrigin } from '../../../support/origin.ts';
import { countOf } from '../../../support/proxy.ts';
import { connectRaw } from '../../../support/raw-client.ts';
import { until } from '../../../support/until.ts';

test('the authorizer hears of the request what weir says and the fields that are named, and nothing else of the client', async (t) => {
  const authorizer = await startAuthorizer(t);
  const proxy = await asksFirst(t, { url: authorizer.url, fields: ['Authorization', 'x-plan'] });
  const headers = {
    authorization: 'Bearer a',
    'x-plan': 'gold',
    cookie: 'session=1',
    'x-forwarded-method': 'HEAD',
    'x-forwarded-uri': '/public',
    'x-forwarded-for': '192.0.2.1',
    'x-forwarded-proto': 'https',
    'x-weir-inside': '1',
    'x-original-url': '/public',
  };
  const { status, said } = await hear(`${proxy.url}/orders/%7Eme/../1?a=b`, { method: 'POST', body: 'secret of the body', headers });
  assert.equal(status, 200);
  assert.equal(said['method'], 'POST');
  const [asked] = authorizer.asked;
  const { host, connection, 'x-request-id': requestId, ...heard } = asked?.headers ?? {};
  assert.deepEqual([asked?.method, asked?.url, asked?.body], ['GET', '/check?app=shop', '']);
  assert.equal(host, new URL(authorizer.url).host);
  assert.equal(requestId, said['x-request-id']);
  assert.ok(connection !== undefined);
  assert.deepEqual(heard, {
    'x-forwarded-method': 'POST',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': `127.0.0.1:${proxy.port}`,
    'x-forwarded-uri': '/orders/1?a=b',
    'x-forwarded-for': '127.0.0.1',
    authorization: 'Bearer a',
    'x-plan': 'gold',
  });
});

test('fields of a yes are set on the request, and what clients send under their names never arrives', async (t) => {
  const authorizer = await startAuthorizer(t);
  const proxy = await asksFirst(t, { url: authorizer.url, set: ['x-user', 'x-groups'], onError: 'allow' });
  const get = async () => (await hear(proxy.url, { headers: { 'x-user': 'root', 'X-Groups': 'admins' } })).said;
  authorizer.says = (response) => response.writeHead(204, { 'x-user': 'anna', 'x-groups': ['a', 'b'], 'x-other': '1' }).end();
  const told = await get();
  assert.deepEqual([told['x-user'], told['x-groups'], told['x-other']], ['anna', 'a, b', undefined]);
  authorizer.says = (response) => response.end();
  const plain = await get();
  assert.deepEqual([plain['x-user'], plain['x-groups']], [undefined, undefined]);
  authorizer.says = (response) => response.writeHead(500, { 'x-user': 'anna' }).end();
  const unknown = await get();
  assert.deepEqual([unknown['x-user'], unknown['x-groups']], [undefined, undefined]);
});

test('a value that would end a field early when it is sent on is not set', async (t) => {
  // U+010A in UTF-8: cut to one byte its character is a line feed.
  const answer = Buffer.from('HTTP/1.1 200 OK\r\nx-user: a\u010ax-admin: 1\r\ncontent-length: 0\r\n\r\n', 'utf8');
  const authorizer = await startRawOrigin(t, ({ socket, received }) => {
    if (received.endsWith('\r\n\r\n')) socket.write(answer);
  });
  const proxy = await asksFirst(t, { url: `${authorizer.endpoint}/`, set: ['x-user'] });
  const { status, said } = await hear(proxy.url);
  assert.equal(status, 200);
  assert.equal(said['x-admin'], undefined);
  assert.doesNotMatch(said['x-user'] ?? '', /\n/);
});

test('a refusal reaches the client as it is, with the fields that are named', async (t) => {
  const authorizer = await startAuthorizer(t);
  const proxy = await asksFirst(t, {
    url: authorizer.url,
    relay: { statuses: [302], fields: ['www-authenticate', 'location', 'set-cookie'], body: '1KiB' },
  });
  authorizer.says = (response) =>
    response.writeHead(401, { 'www-authenticate': 'Bearer', 'content-type': 'application/json', 'x-inside': 'db-3' }).end('{"why":"none"}');
  const missing = await hear(proxy.url);
  assert.deepEqual([missing.status, missing.body], [401, '{"why":"none"}']);
  const names = ['www-authenticate', 'content-type', 'x-inside', 'cache-control'];
  assert.deepEqual(
    names.map((name) => missing.headers.get(name)),
    ['Bearer', 'application/json', null, 'no-store'],
  );
  authorizer.says = (response) => response.writeHead(302, { location: '/login', 'set-cookie': ['a=1', 'b=2'] }).end();
  const login = await hear(proxy.url);
  assert.deepEqual([login.status, login.headers.get('location'), login.headers.getSetCookie()], [302, '/login', ['a=1', 'b=2']]);
  const silent: readonly ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(403, { 'content-type': 'text/plain' }).end('x'.repeat(1025)),
    (response) => response.writeHead(403, { 'content-encoding': 'gzip' }).end('packed'),
    (response) => response.writeHead(403, { 'content-type': 'image/png' }).end(Buffer.from([0x89, 0x50, 0xff])),
  ];
  for (const [index, says] of silent.entries()) {
    authorizer.says = says;
    const { status, body, headers } = await hear(proxy.url);
    assert.deepEqual([status, body, headers.get('content-type')], [403, '', null], `refusal ${index}`);
  }
  await until(() => countOf(proxy, 'weir_authorizer_decisions_total', 'all', 'refused') === 5, 'refusals are counted');
});

const NO_DECISIONS: readonly ((response: ServerResponse) => void)[] = [
  (response) => response.writeHead(500).end(),
  (response) => response.writeHead(302, { location: '/login' }).end(),
  (response) => response.writeHead(404).end(),
  (response) => response.writeHead(429).end(),
  (response) => response.destroy(),
];

test('what is no decision lets nothing on, is asked once, and is no fault of the client', async (t) => {
  const authorizer = await startAuthorizer(t);
  const proxy = await asksFirst(t, { url: authorizer.url });
  for (const [index, says] of NO_DECISIONS.entries()) {
    authorizer.says = says;
    const { status, said, headers } = await hear(proxy.url);
    assert.deepEqual([status, said['code'], headers.get('retry-after')], [503, 'authorizer_unavailable', '1'], `answer ${index}`);
  }
  assert.equal(authorizer.asked.length, NO_DECISIONS.length);
  await until(() => countOf(proxy, 'weir_authorizer_decisions_total', 'all', 'failed') === NO_DECISIONS.length, 'they are counted');
});

test('with onError: allow a request goes on without a decision, and a refusal is still one', async (t) => {
  const authorizer = await startAuthorizer(t);
  const proxy = await asksFirst(t, { url: authorizer.url, onError: 'allow' });
  for (const says of NO_DECISIONS) {
    authorizer.says = says;
    assert.equal((await hear(proxy.url)).status, 200);
  }
  authorizer.says = (response) => response.writeHead(403).end();
  assert.equal((await hear(proxy.url)).status, 403);
});

test('its certificate is verified', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-authorizer-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const authority = makeCertificate(directory, { names: ['authority.example'] });
  const { pem: cert, key } = makeCertificate(directory, { names: ['127.0.0.1'], ca: authority });
  const authorizer = await startAuthorizer(t, { cert, key: readFileSync(key) });
  const trusted = await asksFirst(t, { url: authorizer.url, ca: authority.cert });
  assert.equal((await hear(trusted.url)).status, 200);
  const stranger = await asksFirst(t, { url: authorizer.url });
  assert.equal((await hear(stranger.url)).said['code'], 'authorizer_unavailable');
  assert.equal(authorizer.asked.length, 1, 'nothing was told to a server that nobody vouches for');
});

test('a request that can be read in several ways goes on only when each of them is let on', async (t) => {
  const authorizer = await startAuthorizer(t);
  const proxy = await asksFirst(t, { url: authorizer.url }, { paths: { mergeSlashes: false } });
  authorizer.says = (response, { headers }) => {
    const guarded = headers['x-forwarded-uri'] === '/admin' || headers['x-forwarded-method'] === 'DELETE';
    response.writeHead(guarded ? 403 : 200).end();
  };
  const ask = async (path: string, lines = ''): Promise<number> => {
    const client = await connectRaw(t, proxy.port);
    client.send(`GET ${path} HTTP/1.1\r\nHost: shop.example\r\n${lines}Connection: close\r\n\r\n`);
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(await client.untilClosed())?.[1]);
  };
  assert.deepEqual([await ask('/a//b'), authorizer.asked.length], [200, 2]);
  assert.equal(await ask('//admin'), 403);
  assert.equal(await ask('/admin;a=b'), 403);
  assert.equal(await ask('/a', 'x-http-method-override: DELETE\r\n'), 403);
  const before = authorizer.asked.length;
  assert.equal(await ask('/a//b;c=d/e%2Ff'), 400);
  assert.equal(authorizer.asked.length, before);
});

test('a file that names fields of others, sends credentials in the clear or remembers for long is refused', () => {
  const problems = (options: string): readonly string[] =>
    filterProblems('externalAuthorizer', `{ url: "https://authz.example/", ${options} }`).map((problem) =>
      problem.replace('routes[0].filters[0].externalAuthorizer.', ''),
    );
  assert.deepEqual(problems('fields: [authorization]'), []);
  assert.deepEqual(filterProblems('externalAuthorizer', '{ url: "http://authz.example/" }'), [
    'routes[0].filters[0].externalAuthorizer.url: credentials would go there in the clear, and whoever is on the way could answer in its place; write https://',
  ]);
  assert.deepEqual(problems('fields: [x-plan, X-Forwarded-For, Content-Length]'), [
    'fields[1]: weir says "x-forwarded-for" itself, and what clients say under this name is not to be believed; leave it out',
    'fields[2]: "content-length" belongs to the message framing and is not passed on; leave it out',
  ]);
  assert.deepEqual(problems('set: [content-type, x-weir-user]'), [
    'set[0]: "content-type" tells of the answer\'s own body, and not of the request; take another field',
    'set[1]: weir says "x-weir-user" itself, and what clients say under this name is not to be believed; leave it out',
  ]);
  assert.deepEqual(problems('relay: { fields: [content-encoding], body: 1MiB }'), [
    'relay.fields[0]: "content-encoding" goes with the body by itself, where it can; leave it out',
    'relay.body: is more than 64KiB; it is held in memory until all of it is there',
  ]);
  assert.deepEqual(problems('remember: { for: 1h, by: [path, "header:x-plan"] }'), [
    'remember.for: is more than 10m; what was taken back would hold for so long',
    'remember.by[1]: the authorizer does not get to see "x-plan", so it cannot decide by it; name it under fields',
  ]);
});
