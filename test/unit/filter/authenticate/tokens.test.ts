// Callers of a real worker show tokens of an issuer: good ones get on, and everything else that was ever tried against such a check does not.
import assert from 'node:assert/strict';
import { createHmac, createPublicKey, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, test, type TestContext } from 'node:test';
import { SignJWT, type JWTPayload } from 'jose';
import { problemsWith } from '../../../support/filter-options.ts';
import { named, startOrigin } from '../../../support/origin.ts';
import { startProxy, type Proxy } from '../../../support/proxy.ts';
import { aKey, aToken, ISSUER, keySetText, type IssuedKey } from '../../../support/token-issuer.ts';
import { until } from '../../../support/until.ts';

const RSA = aKey('RS256', 'rsa');
const EC = aKey('ES256', 'ec');
const ED = aKey('EdDSA', 'ed');
const STRANGER = aKey('RS256', 'rsa');
const ENCRYPTION: IssuedKey = { ...aKey('RS256', 'enc'), jwk: { ...RSA.jwk, kid: 'enc', use: 'enc' } };
const CONSUMERS = { acme: { groups: ['partners'], scopes: ['base'], subjects: ['anna'] }, other: { keys: [] } };
const nowS = (): number => Math.floor(Date.now() / 1000);

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly challenge: string | null;
  readonly seen: Readonly<Record<string, string>>;
}

async function believing(t: TestContext, issuer: object = {}, method: object = {}): Promise<Proxy> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-tokens-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'keys.json');
  writeFileSync(file, keySetText(RSA, EC, ED, ENCRYPTION));
  const origin = await startOrigin(t, (request, response) => {
    response.end(JSON.stringify({ seen: { ...request.headers, url: request.url } }));
  });
  const parts = { consumers: CONSUMERS, issuers: { login: { issuer: ISSUER, audiences: ['shop'], keys: { file }, ...issuer } } };
  const filters = [{ authenticate: { jwt: { issuers: ['login'], ...method } } }];
  return startProxy(t, { endpoints: [origin.endpoint], parts, route: { filters } });
}

async function ask(proxy: Proxy, headers: Readonly<Record<string, string>>, path = '/'): Promise<Answer> {
  const response = await fetch(proxy.url + path, { headers });
  const { code = '', seen = {} } = (await response.json()) as { code?: string; seen?: Record<string, string> };
  return { status: response.status, code, challenge: response.headers.get('www-authenticate'), seen };
}

const bearing = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

test('a good token lets its caller on, whatever kind of key signed it; the service hears the consumer and the claims the file names', async (t) => {
  const method = { claims: { 'x-user': 'sub', 'x-roles': 'realm/roles' } };
  const proxy = await believing(t, {}, method);
  for (const key of [RSA, EC, ED]) {
    const token = await aToken(key, { realm: { roles: ['clerk', 'boss'] } });
    const { status, seen } = await ask(proxy, { ...bearing(token), 'x-user': 'root', 'x-consumer': 'root' });
    assert.equal(status, 200, key.algorithm);
    const told = [seen['x-consumer'], seen['x-consumer-groups'], seen['x-user'], seen['x-roles'], seen['authorization']];
    assert.deepEqual(told, ['acme', 'partners', 'anna', 'clerk,boss', `Bearer ${token}`]);
  }
});

test('a claim that is not there is told as nothing, though the client says it', async (t) => {
  const proxy = await believing(t, {}, { claims: { 'x-tenant': 'tenant' }, forward: false });
  const { status, seen } = await ask(proxy, { ...bearing(await aToken(RSA)), 'x-tenant': 'mine' });
  assert.deepEqual([status, seen['x-tenant'], seen['authorization']], [200, undefined, undefined]);
});

test('a claim takes its bearer to a version before the split, and nobody who only says so', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-tokens-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'keys.json');
  writeFileSync(file, keySetText(RSA));
  const [blue, green] = [await startOrigin(t, named('blue')), await startOrigin(t, named('green'))];
  const proxy = await startProxy(t, {
    endpoints: [blue.endpoint],
    clusters: { two: { endpoints: [green.endpoint], health: 'none' } },
    parts: { issuers: { login: { issuer: ISSUER, audiences: ['shop'], keys: { file } } } },
    service: {
      versions: { blue: { clusters: { one: {} } }, green: { clusters: { two: {} } } },
      split: { blue: 100, green: 0 },
      assign: [{ to: 'green', match: { headers: { 'x-plan': 'beta' } } }],
    },
    route: { filters: [{ authenticate: { jwt: { issuers: ['login'], claims: { 'x-plan': 'plan' } } } }] },
  });
  const answer = async (headers: Readonly<Record<string, string>>): Promise<string> => (await fetch(proxy.url, { headers })).text();
  assert.equal(await answer(bearing(await aToken(RSA, { plan: 'beta' }))), 'green');
  assert.equal(await answer(bearing(await aToken(RSA, { plan: 'basic' }))), 'blue');
  assert.equal(await answer({ ...bearing(await aToken(RSA)), 'x-plan': 'beta' }), 'blue', 'the field of the client never counts');
});

test('a token is taken from the cookie or the query where the file says so, and not from two places', async (t) => {
  const proxy = await believing(t, {}, { cookie: 'session', query: 'token', forward: false });
  const token = await aToken(EC);
  const byCookie = await ask(proxy, { cookie: `a=1; session=${token}; b=2` });
  assert.deepEqual([byCookie.status, byCookie.seen['cookie']], [200, 'a=1; b=2']);
  assert.equal((await ask(proxy, {}, `/x?a=1&token=${token}`)).seen['url'], '/x?a=1');
  assert.equal((await ask(proxy, { cookie: `session=${token}`, ...bearing(token) })).code, 'credentials_ambiguous');
  assert.equal((await ask(proxy, { cookie: `session=${token}; session=${token}` })).code, 'credentials_ambiguous');
});

test('a token of nobody the file knows gets on as nobody, or not at all where a consumer is wanted', async (t) => {
  const token = await aToken(RSA, { sub: 'stranger' });
  const { status, seen } = await ask(await believing(t), bearing(token));
  assert.deepEqual([status, seen['x-consumer']], [200, undefined]);
  assert.equal((await ask(await believing(t, {}, { requireConsumer: true }), bearing(token))).code, 'credentials_invalid');
});

test('a token that was good is refused once it has expired', async (t) => {
  const proxy = await believing(t, { leeway: '1ms' });
  const token = await aToken(RSA, { exp: nowS() + 2 });
  assert.equal((await ask(proxy, bearing(token))).status, 200);
  await until(async () => (await ask(proxy, bearing(token))).code === 'credentials_invalid', 'it has expired');
});

test('a shared secret signs where the file says so', async (t) => {
  process.env['TEST_TOKEN_SECRET'] = 'a secret of more than 256 bits, as HS256 wants it';
  const proxy = await believing(t, { keys: { secret: { env: 'TEST_TOKEN_SECRET' } } });
  const signed = (secret: string): Promise<string> =>
    new SignJWT({ iss: ISSUER, aud: 'shop', exp: nowS() + 60 }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secret));
  assert.equal((await ask(proxy, bearing(await signed(process.env['TEST_TOKEN_SECRET'])))).status, 200);
  assert.equal((await ask(proxy, bearing(await signed('another secret of more than 256 bits, all the same')))).status, 401);
});

test('a secret that can be guessed from one token is refused with the config', async (t) => {
  process.env['TEST_SHORT_SECRET'] = 'x'.repeat(47);
  const keys = { secret: { env: 'TEST_SHORT_SECRET' } };
  await believing(t, { keys });
  const said = /issuers\.login\.keys\.secret: a secret of 47 bytes can be guessed; HS384 wants 48 at least/;
  await assert.rejects(believing(t, { keys, algorithms: ['HS256', 'HS384'] }), said);
});

test('a file may hold shared secrets of any bytes, each under its id, so that one can take the place of another', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-tokens-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'secrets.json');
  const withKeys = (...keys: readonly object[]): Promise<Proxy> => {
    writeFileSync(file, JSON.stringify({ keys }));
    return believing(t, { keys: { file }, algorithms: ['HS256'] });
  };
  const secrets = new Map(['old', 'new', 'lost'].map((id) => [id, randomBytes(32)]));
  const keyOf = (id: string): object => ({ kty: 'oct', kid: id, k: secrets.get(id)?.toString('base64url') });
  const signed = (id: string): Promise<string> =>
    new SignJWT({ iss: ISSUER, aud: 'shop', exp: nowS() + 60 })
      .setProtectedHeader({ alg: 'HS256', kid: id })
      .sign(secrets.get(id) ?? assert.fail(id));
  // A public key beside them is not one of them.
  const proxy = await withKeys(keyOf('old'), keyOf('new'), RSA.jwk);
  for (const [id, status] of [
    ['old', 200],
    ['new', 200],
    ['lost', 401],
  ] as const)
    assert.equal((await ask(proxy, bearing(await signed(id)))).status, status, id);
  assert.equal((await ask(proxy, bearing(confused()))).status, 401);
  assert.equal((await ask(proxy, bearing(await aToken(RSA)))).status, 401);
  await assert.rejects(withKeys(RSA.jwk), /issuers\.login\.keys\.file: no key is a shared secret, which HS256 signs with/);
  const short = { kty: 'oct', kid: 'short', k: randomBytes(31).toString('base64url') };
  await assert.rejects(withKeys(keyOf('new'), short), /the secret "short" of 31 bytes can be guessed; HS256 wants 32 at least/);
  await assert.rejects(withKeys({ ...keyOf('new'), alg: 'HS512' }), /the secret "new" of 32 bytes can be guessed; HS512 wants 64 at least/);
});

const segment = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const unsigned = (header: object, claims: object): string => `${segment(header)}.${segment(claims)}.`;
const good = (): object => ({ iss: ISSUER, sub: 'anna', aud: 'shop', exp: nowS() + 300 });

/** Signed by HMAC with the public key as the secret: believed by a check that lets the token choose. */
function confused(): string {
  const pem = createPublicKey({ key: RSA.jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const signing = `${segment({ alg: 'HS256', kid: 'rsa' })}.${segment(good())}`;
  return `${signing}.${createHmac('sha256', pem).update(signing).digest('base64url')}`;
}

/** Rightly signed. */
function undecided(): string {
  const signing = `${segment({ alg: 'RS256', kid: 'rsa', crit: ['x-must'], 'x-must': true })}.${segment(good())}`;
  return `${signing}.${sign('sha256', Buffer.from(signing), RSA.privateKey).toString('base64url')}`;
}

const tampered = async (): Promise<string> => {
  const [header, , signature] = (await aToken(RSA)).split('.');
  return `${header ?? ''}.${segment({ ...good(), sub: 'root' })}.${signature ?? ''}`;
};

describe('tokens that get nobody on', () => {
  const wrong: readonly (readonly [string, () => string | Promise<string>])[] = [
    ['not a token', () => 'x'],
    ['three empty parts', () => '..'],
    ['alg none', () => unsigned({ alg: 'none' }, good())],
    ['alg nOnE', () => unsigned({ alg: 'nOnE', kid: 'rsa' }, good())],
    ['no signature', async () => (await aToken(RSA)).replace(/[^.]*$/, '')],
    ['a public key taken for a secret', confused],
    ['claims that were changed', tampered],
    ['a key of somebody else under the same id', () => aToken(STRANGER)],
    ['its own key in the header', () => aToken(STRANGER, {}, { jwk: STRANGER.jwk })],
    ['a place of its own for keys', () => aToken(STRANGER, {}, { jku: 'http://127.0.0.1:1/keys' })],
    ['a key id nobody has', () => aToken(RSA, {}, { kid: 'none-such' })],
    ['a key that is not for signing', () => aToken({ ...RSA, keyId: 'enc' })],
    ['an algorithm the key is not for', () => aToken({ ...RSA, algorithm: 'PS256' })],
    ['a header that must be understood and is not', undecided],
    ['an issuer nobody believes', () => aToken(RSA, { iss: 'https://evil.example' })],
    ['an issuer that is almost right', () => aToken(RSA, { iss: `${ISSUER}/` })],
    ['another audience', () => aToken(RSA, { aud: 'bank' })],
    ['no audience', () => aToken(RSA, { aud: [] })],
    ['no expiry', () => aToken(RSA, { exp: undefined } as unknown as JWTPayload)],
    ['expired', () => aToken(RSA, { exp: nowS() - 61 })],
    ['not valid yet', () => aToken(RSA, { nbf: nowS() + 120 })],
    ['an expiry that is no number', () => aToken(RSA, { exp: 'never' } as unknown as JWTPayload)],
    ['too long', () => aToken(RSA, { blob: 'x'.repeat(14_000) })],
    ['a claim that would end a field early', () => aToken(RSA, { sub: 'anna\r\nx-consumer: root' })],
    ['a claim that is an object', () => aToken(RSA, { sub: { toString: 'anna' } } as unknown as JWTPayload)],
  ];
  for (const [what, make] of wrong)
    it(what, async (t) => {
      const proxy = await believing(t, {}, { claims: { 'x-user': 'sub' } });
      const answer = await ask(proxy, bearing(await make()));
      assert.deepEqual([answer.status, answer.code, answer.challenge], [401, 'credentials_invalid', 'Bearer error="invalid_token"']);
    });
});

describe('files that would believe whom nobody meant', () => {
  const issuer = (keys: string, more = ''): string => `issuers:\n  login: { issuer: "${ISSUER}", keys: ${keys}${more} }\n`;
  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['keys in the clear', issuer('{ url: "http://login.example/jwks" }'), /issuers\.login\.keys\.url: keys would come in the clear/],
    ['two places', issuer('{ url: "https://a/", file: b }'), /exactly one of url, file and secret/],
    ['a secret for public keys', issuer('{ url: "https://a/" }', ', algorithms: [HS256]'), /HS256 signs with a shared secret/],
    ['a public algorithm for a secret', issuer('{ secret: { env: A } }', ', algorithms: [RS256]'), /RS256 needs a public key/],
    [
      'secrets and public keys in one file',
      issuer('{ file: b.json }', ', algorithms: [HS256, RS256]'),
      /RS256 and HS256 want keys of two kinds/,
    ],
    ['no algorithm', issuer('{ url: "https://a/" }', ', algorithms: [none]'), /issuers\.login\.algorithms\[0\]/],
    ['clocks an hour apart', issuer('{ url: "https://a/" }', ', leeway: 1h'), /tokens would live on/],
  ];
  for (const [what, text, said] of wrong) it(what, () => assert.match(problemsWith('{ key: {} }', text).join('\n'), said));
  it('an issuer nobody declared', () =>
    assert.match(problemsWith('{ jwt: { issuers: [login] } }', '').join('\n'), /issuer "login" is not declared/));
});
