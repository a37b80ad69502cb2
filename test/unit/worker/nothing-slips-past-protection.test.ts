// Requests spelled to get past a guard: through a real listener to an origin that reads each in every way some origin would.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { block, connectH2 } from '../../support/h2-client.ts';
import { daringReadings } from '../../support/daring-readings.ts';
import { named, startOrigin, type Origin } from '../../support/origin.ts';
import { startProxy, type Proxy } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { headersFrames } from '../../../balancer/http2/frame.ts';
import { bytes } from '../../support/frames.ts';
import type { Fields } from '../../../balancer/message/fields.ts';

const KEYS = { boss: 'boss_1.0123456789abcdef', intern: 'intern_1.0123456789abcdef' };

const authenticate = { authenticate: { key: { query: 'key' }, basic: {} } };
/** Open: all but what is guarded. Guarded: /admin for admins, DELETE on /orders for admins, /reports but /reports/secret for all. */
const ROUTES = [
  { name: 'open', service: 'shop' },
  {
    name: 'admin',
    service: 'shop',
    match: { path: '/admin' },
    filters: [authenticate, { authorize: { rules: [{ groups: ['admins'] }] } }],
  },
  { name: 'orders', service: 'shop', match: { path: '/orders' } },
  {
    name: 'deletes',
    service: 'shop',
    match: { path: '/orders', methods: ['DELETE'] },
    filters: [authenticate, { authorize: { rules: [{ groups: ['admins'] }] } }],
  },
  {
    name: 'reports',
    service: 'shop',
    match: { path: '/reports' },
    filters: [
      { authenticate: { key: {}, anonymous: 'guest' } },
      {
        authorize: {
          rules: [
            { path: '/reports/secret', groups: ['admins'] },
            { path: '/reports/secret', then: 'deny' },
            { methods: ['GET', 'POST'], path: '/reports' },
          ],
        },
      },
    ],
  },
];

const keyOf = (id: 'boss' | 'intern'): object => ({ id: `${id}_1`, hash: `sha256:${hash('sha256', KEYS[id], 'hex')}` });
const parts = {
  consumers: { boss: { groups: ['admins'], keys: [keyOf('boss')] }, intern: { groups: ['interns'], keys: [keyOf('intern')] }, guest: {} },
};

const GUARDED = /^(?:[A-Z]+ \/(?:admin|reports\/secret)(?:\/.*)?|DELETE \/(?:orders|reports)(?:\/.*)?)$/;

/** Request targets that somebody without credentials sends with GET. */
const TARGETS = [
  '/admin',
  '/admin/',
  '/admin/users?x=1',
  '/admin?key=',
  '/%61dmin',
  '/%61%64%6D%69%6e',
  '/./admin',
  '/public/../admin',
  '/public/%2e%2e/admin',
  '/public/.%2e/admin',
  '/public/..%2fadmin',
  '/public%2f..%2fadmin',
  '/public/..;/admin',
  '/public/..;a=b/admin',
  '/public;/../admin',
  '/%2fadmin',
  '/%5cadmin',
  '/\\admin',
  '/..\\admin',
  '//admin',
  '///admin///',
  '/.//admin',
  '/;/admin',
  '/;a=b/admin',
  '/admin;a=b',
  '/admin;/x',
  '/admin/.',
  '/admin/%2e',
  '/./admin/./',
  '/admin/../admin/.',
  '/admin%2f',
  '/admin%2fusers',
  '/admin%5cusers',
  '/admin/..;/admin',
  '/x%2f..%2f..%2fadmin',
  '/%2561dmin',
  '/%252561dmin',
  '/%252fadmin',
  '/%252e%252e/admin',
  '/public/%252e%252e/admin',
  '/public/%252e%252e%252fadmin',
  '/admin%252fusers',
  '/admin%253b/x',
  '/admin%3bx',
  '/admin%3b/x',
  '/orders/%3b/../../admin',
  '/%255cadmin',
  '/admin%00',
  '/admin%2500',
  '/admin\t',
  '/\tadmin',
  '/admin%',
  '/admin%2',
  '/admin%zz',
  '/admin#x',
  '/#/../admin',
  '/public?/../admin',
  'admin',
  '*',
  'http://shop.example/admin',
  'HTTP://SHOP.EXAMPLE/admin',
  'http://other.example/admin',
  'http://shop.example@other.example/admin',
  'http:/admin',
  'http:///admin',
  'https://shop.example/admin',
  'file:///admin',
  '/http://shop.example/admin',
  '/reports/secret',
  '/reports//secret',
  '/reports/secret;x',
  '/reports;x/secret',
  '/reports/x/../secret',
  '/reports%2fsecret',
  '/reports/secret%2fx',
  '/reports/%2573ecret',
  '/reports/secret%252fx',
  '/reports/secret%3bx',
];

/** Heads of requests, without their Host where they say so; each wants what is guarded by something else than its target. */
const HEADS: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: shop.example\r\nX-Original-URL: /admin',
  'GET / HTTP/1.1\r\nHost: shop.example\r\nX-Rewrite-URL: /admin',
  'GET / HTTP/1.1\r\nHost: shop.example\r\nX-Original-URI: /admin',
  'GET / HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-Uri: /admin',
  'GET / HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-Path: /admin',
  'GET / HTTP/1.1\r\nHost: shop.example\r\nX_Original_URL: /admin',
  'GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: x-forwarded-for\r\nX-Original-URL: /admin',
  'POST /orders/1 HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\nX-HTTP-Method-Override: DELETE',
  'POST /orders/1 HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\nX-HTTP-Method: DELETE',
  'POST /orders/1 HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\nX-Method-Override: delete',
  'POST /orders/1 HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\nX-HTTP-Method-Override: GET\r\nX-HTTP-Method-Override: DELETE',
  'POST /orders/1 HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\nX-HTTP-Method-Override: GET, DELETE',
  'GET /orders/1 HTTP/1.1\r\nHost: shop.example\r\nX-HTTP-Method-Override: DELETE',
  'POST /orders/1?_method=DELETE HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0',
  'POST /orders/1?%5fmethod=delete HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0',
  'POST /reports/1 HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\nX-HTTP-Method-Override: DELETE',
  'delete /orders/1 HTTP/1.1\r\nHost: shop.example',
  'Delete /orders/1 HTTP/1.1\r\nHost: shop.example',
  'DELETE  /orders/1 HTTP/1.1\r\nHost: shop.example',
  'DELETE /orders/1 HTTP/1.1\r\nHost: shop.example',
  'HEAD /admin HTTP/1.1\r\nHost: shop.example',
  'OPTIONS /admin HTTP/1.1\r\nHost: shop.example',
  'TRACE /admin HTTP/1.1\r\nHost: shop.example',
  'CONNECT /admin HTTP/1.1\r\nHost: shop.example',
  'FOO /admin HTTP/1.1\r\nHost: shop.example',
  'GET /admin HTTP/1.0',
  'GET /admin HTTP/0.9',
  'GET /admin',
  'GET /admin HTTP/1.1\r\nHost: SHOP.EXAMPLE',
  'GET /admin HTTP/1.1\r\nHost: shop.example.',
  'GET /admin HTTP/1.1\r\nHost: shop.example:80',
  'GET /admin HTTP/1.1\r\nHost: nobody.example',
  'GET /admin HTTP/1.1\r\nHost: shop.example\r\nHost: other.example',
  'GET /admin HTTP/1.1\r\nHost : shop.example',
  'GET /admin HTTP/1.1\r\nHost: shop.example\r\n X: folded',
  'GET /admin HTTP/1.1\nHost: shop.example',
  'GET\t/admin\tHTTP/1.1\r\nHost: shop.example',
  'GET /admin HTTP/1.1\r\nHost: shop.example\r\nX-Consumer: boss\r\nX-Consumer-Groups: admins',
  'GET /admin HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 127.0.0.1\r\nX-Real-IP: 127.0.0.1\r\nForwarded: for=127.0.0.1',
  'GET /admin HTTP/1.1\r\nHost: shop.example\r\nClient-Cert: :MIIB:',
  'GET /admin HTTP/1.1\r\nHost: shop.example\r\nX-Api-Key: ',
  'GET /admin HTTP/1.1\r\nHost: shop.example\r\nX-Api-Key: boss_1.',
  `GET /admin HTTP/1.1\r\nHost: shop.example\r\nX-Api-Key: ${KEYS.intern}`,
  `GET /admin HTTP/1.1\r\nHost: shop.example\r\nX-Api-Key: ${KEYS.boss.slice(0, -1)}`,
  `GET /admin HTTP/1.1\r\nHost: shop.example\r\nX_Api_Key: ${KEYS.boss}`,
  `GET /admin HTTP/1.1\r\nHost: shop.example\r\nX-Api-Key: ${KEYS.boss}\r\nX-Api-Key: ${KEYS.boss}`,
  `GET /admin HTTP/1.1\r\nHost: shop.example\r\nX-Api-Key: ${KEYS.intern}\r\nX-Api-Key: ${KEYS.boss}`,
  `GET /admin HTTP/1.1\r\nHost: shop.example\r\nX-Api-Key: ${KEYS.intern}, ${KEYS.boss}`,
  `GET /admin?key=${KEYS.boss} HTTP/1.1\r\nHost: shop.example\r\nX-Api-Key: ${KEYS.intern}`,
  `GET /admin?key=${KEYS.intern}&key=${KEYS.boss} HTTP/1.1\r\nHost: shop.example`,
  `GET /admin HTTP/1.1\r\nHost: shop.example\r\nConnection: x-api-key\r\nX-Api-Key: ${KEYS.boss}`,
  'GET /admin HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic Og==',
  'GET /admin HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Basic Og==\r\nAuthorization: Bearer x',
  'GET /admin HTTP/1.1\r\nHost: shop.example\r\nAuthorization:\tBasic Og==',
  'GET / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nHost: shop.example',
  'GET / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nHost: shop.example',
  'GET / HTTP/1.1\r\nHost: shop.example\r\nX: a\r\rGET /admin HTTP/1.1\r\nHost: shop.example',
];

const PSEUDO: Fields = [':method', 'GET', ':scheme', 'http', ':authority', 'shop.example'];

/** Header blocks of HTTP/2, as clients without a conscience write them. */
const BLOCKS: readonly Fields[] = [
  [...PSEUDO, ':path', '/admin'],
  [...PSEUDO, ':path', '//admin'],
  [...PSEUDO, ':path', '/%2561dmin'],
  [...PSEUDO, ':path', '/;x/admin'],
  [...PSEUDO, ':path', 'http://shop.example/admin'],
  [...PSEUDO, ':path', 'admin'],
  [...PSEUDO, ':path', '/ HTTP/1.1\r\nhost: a\r\n\r\nGET /admin'],
  [...PSEUDO, ':path', '/', ':path', '/admin'],
  [...PSEUDO, ':path', '/admin', ':path', '/'],
  [...PSEUDO, ':path', '/', 'x-original-url', '/admin'],
  [...PSEUDO, ':path', '/', 'x', 'a\r\nx-original-url: /admin'],
  [...PSEUDO, 'x', 'a', ':path', '/admin'],
  [...PSEUDO, ':path', '/admin', 'host', 'other.example'],
  [...PSEUDO, ':path', '/admin', 'X-Api-Key', KEYS.boss],
  [...PSEUDO, ':path', '/admin', 'x-api-key', KEYS.intern, 'x-api-key', KEYS.boss],
  [...PSEUDO, ':path', '/admin', 'x-consumer', 'boss'],
  [':method', 'POST', ':scheme', 'http', ':authority', 'shop.example', ':path', '/orders/1', 'x-http-method-override', 'DELETE'],
  [':method', 'GET POST', ':scheme', 'http', ':authority', 'shop.example', ':path', '/admin'],
  [':method', 'GET /admin HTTP/1.1\r\n', ':scheme', 'http', ':authority', 'shop.example', ':path', '/'],
  [':method', 'delete', ':scheme', 'http', ':authority', 'shop.example', ':path', '/orders/1'],
  [':method', 'CONNECT', ':scheme', 'http', ':authority', 'shop.example', ':path', '/admin', ':protocol', 'websocket'],
  [':method', 'GET', ':scheme', 'http://shop.example/admin?', ':authority', 'shop.example', ':path', '/'],
  [':method', 'GET', ':scheme', 'http', ':authority', 'shop.example/admin?', ':path', '/'],
];

describe('what a rule guards', () => {
  it('is not had by a path of another spelling', async (t) => {
    const { origin, proxy } = await startGuarded(t);
    for (const target of TARGETS) await say(t, proxy, `GET ${target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close`);
    assert.deepEqual(slipped(origin), []);
    assert.ok(new Set(TARGETS).size >= 70, `${TARGETS.length} spellings`);
    // The table asks a guarded origin, not one that nothing gets to.
    assert.ok(origin.requests.some(({ url }) => url === '/public?/../admin'));
  });

  it('is not had by a field, a method or a second credential', async (t) => {
    const { origin, proxy } = await startGuarded(t);
    for (const lines of HEADS) await say(t, proxy, `${lines}\r\nConnection: close`);
    assert.deepEqual(slipped(origin), []);
    assert.ok(new Set(HEADS).size >= 50, `${HEADS.length} heads`);
    assert.ok(origin.requests.some(({ url }) => url === '/'));
  });

  it('is not had by a header block of HTTP/2', async (t) => {
    const { origin, proxy } = await startGuarded(t);
    for (const fields of BLOCKS) {
      const client = await connectH2(t, proxy.port);
      client.send(bytes(headersFrames(block(fields), 1, true, 16_384)));
      const { responses } = client;
      await client.until(() => client.closed || responses.get(1)?.ended === true || (responses.get(1)?.reset ?? -1) >= 0, 'an answer');
    }
    assert.deepEqual(slipped(origin), []);
    assert.ok(new Set(BLOCKS).size >= 20, `${BLOCKS.length} blocks`);
  });

  it('is had by whom it is meant for', async (t) => {
    const { origin, proxy } = await startGuarded(t);
    const as = `Host: shop.example\r\nX-Api-Key: ${KEYS.boss}\r\nConnection: close`;
    for (const line of ['GET /admin', 'GET /public/../admin', 'DELETE /orders/1', 'GET /reports/secret'])
      assert.match(await say(t, proxy, `${line} HTTP/1.1\r\n${as}`), /^HTTP\/1\.1 200 /, line);
    assert.equal(slipped(origin).length, 4);
  });

  it('leaves what is open to everybody, however it is spelled', async (t) => {
    const { proxy } = await startGuarded(t);
    const open = [
      'GET /search/100%25ab',
      'GET /a%2fb%252fc;d=e',
      'POST /orders/1?_method=PATCH',
      'POST /public?_method=DELETE',
      'GET /reports/open;v=1/x',
      'PURGE /public',
    ];
    for (const line of open)
      assert.match(
        await say(t, proxy, `${line} HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\nConnection: close`),
        /^HTTP\/1\.1 200 /,
        line,
      );
    const overridden =
      'POST /public HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 0\r\nX-HTTP-Method-Override: MERGE\r\nConnection: close';
    assert.match(await say(t, proxy, overridden), /^HTTP\/1\.1 200 /);
    const many = Array.from({ length: 5 }, (_, index) => `M${index}`).join(',');
    assert.match(await say(t, proxy, overridden.replace('MERGE', many)), /^HTTP\/1\.1 400 [^]*"ambiguous_method"/);
  });
});

async function startGuarded(t: TestContext): Promise<{ readonly origin: Origin; readonly proxy: Proxy }> {
  const origin = await startOrigin(t, named('origin'));
  return { origin, proxy: await startProxy(t, { endpoints: [origin.endpoint], routes: ROUTES, parts }) };
}

/** What reached the origin and is guarded in one of its readings. */
const slipped = (origin: Origin): readonly string[] =>
  origin.requests.flatMap((request) => {
    const guarded = daringReadings(request).find((reading) => GUARDED.test(reading));
    return guarded === undefined ? [] : [`${request.method} ${request.url} is ${guarded}`];
  });

async function say(t: TestContext, proxy: Proxy, lines: string): Promise<string> {
  const client = await connectRaw(t, proxy.port);
  client.send(`${lines}\r\n\r\n`);
  return client.untilClosed();
}
