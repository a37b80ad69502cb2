// Callers of a real worker prove who they are by keys, passwords and both; the service hears who it is, and nothing of how it was proved.
import assert from 'node:assert/strict';
import { createHmac, hash, scryptSync } from 'node:crypto';
import { describe, it, test, type TestContext } from 'node:test';
import { ERRORS } from '../../../../balancer/errors.ts';
import { filterProblems } from '../../../support/filter-options.ts';
import { startOrigin } from '../../../support/origin.ts';
import { countOf, startProxy, type Proxy } from '../../../support/proxy.ts';
import { connectRaw } from '../../../support/raw-client.ts';
import { until } from '../../../support/until.ts';

const KEY = `acme_one.${'a'.repeat(32)}`;
const OLD_KEY = `acme_old.${'b'.repeat(32)}`;
const HOME_KEY = `acme_home.${'c'.repeat(32)}`;
const FOREIGN_KEY = 'a-key-of-another-gateway';
const PASSWORD = 'correct horse: battery staple';

function passwordHash(password: string): string {
  const salt = Buffer.alloc(16, 7);
  return `scrypt:1024:8:1:${salt.toString('base64')}:${scryptSync(password, salt, 32, { N: 1024, r: 8, p: 1 }).toString('base64')}`;
}

const sha256 = (key: string): string => `sha256:${hash('sha256', key)}`;

const CONSUMERS = {
  acme: {
    groups: ['partners', 'eu'],
    scopes: ['orders:read'],
    keys: [
      { id: 'acme_one', hash: sha256(KEY), scopes: ['orders:write'] },
      { id: 'acme_old', hash: sha256(OLD_KEY), expires: '2020-01-01' },
      { id: 'acme_home', hash: sha256(HOME_KEY), from: ['10.0.0.0/8'] },
    ],
    passwords: [{ user: 'anna', hash: passwordHash(PASSWORD) }],
  },
  other: { keys: [{ hash: sha256(FOREIGN_KEY) }] },
  guest: {},
};

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly challenge: string | null;
  /** As the service got it. */
  readonly seen: Readonly<Record<string, string>>;
  readonly path: string;
}

async function guarded(t: TestContext, options: object, parts: object = {}): Promise<Proxy> {
  const origin = await startOrigin(t, (request, response) => {
    response.end(JSON.stringify({ seen: request.headers, path: request.url }));
  });
  const endpoints = [origin.endpoint];
  return startProxy(t, { endpoints, parts: { consumers: CONSUMERS, ...parts }, route: { filters: [{ authenticate: options }] } });
}

async function ask(proxy: Proxy, headers: Readonly<Record<string, string>> = {}, path = '/'): Promise<Answer> {
  const response = await fetch(proxy.url + path, { headers });
  const body = (await response.json()) as { code?: string; seen?: Record<string, string>; path?: string };
  return {
    status: response.status,
    code: body.code ?? '',
    challenge: response.headers.get('www-authenticate'),
    seen: body.seen ?? {},
    path: body.path ?? '',
  };
}

const basic = (user: string, password: string): Readonly<Record<string, string>> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

test('a key lets its consumer on; the service hears the name and the groups, and never the key', async (t) => {
  const proxy = await guarded(t, { key: {} });
  const { status, seen } = await ask(proxy, { 'x-api-key': KEY, 'x-consumer': 'root', 'x-consumer-groups': 'admins' });
  assert.equal(status, 200);
  assert.deepEqual([seen['x-consumer'], seen['x-consumer-groups'], seen['x-api-key']], ['acme', 'partners,eu', undefined]);
});

test('a key that has no public part is found by its hash', async (t) => {
  const { status, seen } = await ask(await guarded(t, { key: { forward: true } }), { 'x-api-key': FOREIGN_KEY });
  assert.deepEqual([status, seen['x-consumer'], seen['x-api-key']], [200, 'other', FOREIGN_KEY]);
});

test('hashes with a pepper are worth nothing without it', async (t) => {
  process.env['TEST_PEPPER'] = 'much pepper';
  const hmac = `hmac-sha256:${createHmac('sha256', 'much pepper').update(KEY).digest('hex')}`;
  const parts = { credentials: { pepper: { env: 'TEST_PEPPER' } }, consumers: { acme: { keys: [{ id: 'acme_one', hash: hmac }] } } };
  const proxy = await guarded(t, { key: {} }, parts);
  assert.equal((await ask(proxy, { 'x-api-key': KEY })).status, 200);
  assert.equal((await ask(proxy, { 'x-api-key': `${KEY}a` })).status, 401);
});

describe('what is not good is refused, and the client hears no more than that', () => {
  const wrong: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
    ['no key at all', {}, 'credentials_missing'],
    ['a key nobody has', { 'x-api-key': 'acme_one.wrong' }, 'credentials_invalid'],
    ['the public part alone', { 'x-api-key': 'acme_one' }, 'credentials_invalid'],
    ['an empty key', { 'x-api-key': '' }, 'credentials_invalid'],
    ['a key that has expired', { 'x-api-key': OLD_KEY }, 'credentials_invalid'],
    ['a key from another place', { 'x-api-key': HOME_KEY }, 'credentials_invalid'],
    ['a key of a megabyte, less what a head may hold', { 'x-api-key': 'x'.repeat(8000) }, 'credentials_invalid'],
    ['the consumer by its name', { 'x-consumer': 'acme' }, 'credentials_missing'],
  ];
  for (const [what, headers, code] of wrong)
    it(what, async (t) => {
      const proxy = await guarded(t, { key: {} });
      const answer = await ask(proxy, headers);
      assert.deepEqual([answer.status, answer.code, answer.challenge], [401, code, 'Key']);
      assert.deepEqual(answer.seen, {});
      await until(() => countOf(proxy, 'weir_local_replies_total', code) === 1, 'the refusal is counted');
    });
});

test('a key may stand in the query where the file says so, and is taken out there too', async (t) => {
  const proxy = await guarded(t, { key: { query: 'api_key' } });
  assert.deepEqual((({ status, path }) => [status, path])(await ask(proxy, {}, `/a?x=1&api_key=${KEY}&y=2`)), [200, '/a?x=1&y=2']);
  assert.equal((await ask(proxy, {}, `/a?api%5Fkey=${KEY}`)).path, '/a');
  assert.equal((await ask(proxy, {}, `/a?api_key=${KEY}&api_key=${KEY}`)).code, 'credentials_ambiguous');
  assert.equal((await ask(proxy, { 'x-api-key': KEY }, `/a?api_key=${FOREIGN_KEY}`)).code, 'credentials_ambiguous');
});

test('a key behind Bearer', async (t) => {
  const proxy = await guarded(t, { key: { header: 'Authorization' } });
  const { status, seen } = await ask(proxy, { authorization: `bearer ${KEY}` });
  assert.deepEqual([status, seen['authorization']], [200, undefined]);
  assert.equal((await ask(proxy, { authorization: `Basic ${KEY}` })).code, 'credentials_missing');
});

test('a user name and a password let their consumer on', async (t) => {
  const proxy = await guarded(t, { basic: { realm: 'shop' } });
  const { status, seen } = await ask(proxy, basic('anna', PASSWORD));
  assert.deepEqual([status, seen['x-consumer'], seen['authorization']], [200, 'acme', undefined]);
  for (const [user, password] of [
    ['anna', 'wrong'],
    ['nobody', PASSWORD],
    ['anna', ''],
    ['', PASSWORD],
  ] as const)
    assert.equal((await ask(proxy, basic(user, password))).code, 'credentials_invalid', user);
  for (const text of ['Basic', 'Basic !', 'Basic YQ==', `Basic ${Buffer.from([0xff, 0x3a, 0x31]).toString('base64')}`])
    assert.match((await ask(proxy, { authorization: text })).code, /credentials_(invalid|missing)/, text);
  assert.equal((await ask(proxy)).challenge, 'Basic realm="shop", charset="UTF-8"');
  // The second time the password is not hashed again; what was wrong is no less wrong for it.
  assert.equal((await ask(proxy, basic('anna', PASSWORD))).status, 200);
  assert.equal((await ask(proxy, basic('anna', 'wrong'))).status, 401);
});

test('one of several methods is enough, and says who it is; with require: all each must say the same', async (t) => {
  const any = await guarded(t, { key: {}, basic: {} });
  assert.equal((await ask(any, { 'x-api-key': KEY })).status, 200);
  assert.equal((await ask(any, basic('anna', PASSWORD))).status, 200);
  assert.equal((await ask(any, { 'x-api-key': 'wrong', ...basic('anna', PASSWORD) })).status, 200);
  assert.equal((await ask(any, { 'x-api-key': 'wrong' })).code, 'credentials_invalid');
  assert.equal((await ask(any)).challenge, 'Key, Basic realm="weir", charset="UTF-8"');

  const all = await guarded(t, { key: {}, basic: {}, require: 'all' });
  assert.equal((await ask(all, { 'x-api-key': KEY, ...basic('anna', PASSWORD) })).status, 200);
  assert.equal((await ask(all, { 'x-api-key': KEY })).code, 'credentials_missing');
  assert.equal((await ask(all, basic('anna', PASSWORD))).code, 'credentials_missing');
  assert.equal((await ask(all, { 'x-api-key': FOREIGN_KEY, ...basic('anna', PASSWORD) })).code, 'credentials_invalid');
});

test('callers without credentials may count as a consumer; wrong ones never do', async (t) => {
  const proxy = await guarded(t, { key: {}, anonymous: 'guest' });
  assert.equal((await ask(proxy)).seen['x-consumer'], 'guest');
  assert.equal((await ask(proxy, { 'x-api-key': KEY })).seen['x-consumer'], 'acme');
  assert.equal((await ask(proxy, { 'x-api-key': 'wrong' })).code, 'credentials_invalid');
});

describe('files that would let in whom nobody meant', () => {
  const wrong: readonly (readonly [string, string, string, RegExp])[] = [
    [
      'no method',
      '{}',
      '{}',
      /no method is named, so nobody could get in; expected at least one of certificate, key, hmac, signature, jwt, introspection, basic/,
    ],
    ['an anonymous consumer nobody declared', '{ key: {}, anonymous: gast }', '{ guest: {} }', /consumer "gast" is not declared; .* guest/],
    ['a key in the clear', '{ key: {} }', '{ a: { keys: [{ hash: secret }] } }', /sha256: and 64 hexadecimal digits/],
    [
      'a key that two have',
      '{ key: {} }',
      `{ a: { keys: [{ hash: "${sha256(KEY)}" }] }, b: { keys: [{ hash: "${sha256(KEY)}" }] } }`,
      /consumers\.b\.keys\[0\]\.hash: belongs to consumer "a" already/,
    ],
    ['a date that is none', '{ key: {} }', `{ a: { keys: [{ hash: "${sha256(KEY)}", expires: soon }] } }`, /2027-01-31/],
  ];
  for (const [what, options, consumers, said] of wrong)
    it(what, () => assert.match(filterProblems('authenticate', options, consumers).join('\n'), said));
});

test('a client cannot name what the service is told as for one hop only', async (t) => {
  const proxy = await guarded(t, { key: {} });
  const client = await connectRaw(t, proxy.port);
  const named =
    'x-consumer, x-consumer-groups, x-forwarded-for, x-forwarded-proto, x-forwarded-host, forwarded, via, x-request-id, host, close';
  client.send(`GET / HTTP/1.1\r\nHost: a\r\nX-Api-Key: ${KEY}\r\nConnection: ${named}\r\n\r\n`);
  const [, body = ''] = (await client.untilClosed()).split('\r\n\r\n');
  const { seen } = JSON.parse(body) as { seen: Readonly<Record<string, string>> };
  const told = ['x-consumer', 'x-consumer-groups', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded', 'via', 'host'];
  const expected = ['acme', 'partners,eu', '127.0.0.1', 'http', 'a', 'for=127.0.0.1;host=a;proto=http', '1.1 weir', 'a'];
  assert.deepEqual([told.map((name) => seen[name]), typeof seen['x-request-id']], [expected, 'string']);
});

test('who waits for 100 (Continue) is refused before it, and is not told to send its body', async (t) => {
  const proxy = await guarded(t, { key: {} });
  const client = await connectRaw(t, proxy.port);
  client.send('POST / HTTP/1.1\r\nHost: a\r\nX-Api-Key: wrong\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n');
  assert.match(await client.untilClosed(), /^HTTP\/1\.1 401 /);
});

test('every refusal of credentials blames the client and is not retried', () => {
  for (const code of ['credentials_missing', 'credentials_invalid', 'credentials_ambiguous'] as const)
    assert.deepEqual([ERRORS[code].status, ERRORS[code].blame, ERRORS[code].retry], [401, 'client', 'never']);
});
