// Requests with signatures of RFC 9421: those of a known key get on, once and in time, and nothing that differs from what was signed.
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { problemsWith } from '../../../support/filter-options.ts';
import { startOrigin } from '../../../support/origin.ts';
import { startProxy, type Proxy } from '../../../support/proxy.ts';
import { signedMessage, type MessageSigner } from '../../../support/signed-message.ts';
import { send, unsigned, type Sent } from '../../../support/signed-request.ts';

const SECRET = 'a secret of thirty-two characters';
const PAIRS = {
  ed25519: generateKeyPairSync('ed25519'),
  'ecdsa-p256-sha256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'rsa-pss-sha512': generateKeyPairSync('rsa', { modulusLength: 2048 }),
} as const;
const ED25519: MessageSigner = { keyId: 'ed25519', key: PAIRS.ed25519.privateKey };

const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' });

async function guarded(t: TestContext, signature: object = {}): Promise<Proxy> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-signature-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = (name: string, content: string): string => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  const publicKeys = Object.entries(PAIRS).map(([id, { publicKey }]) => ({ id, publicKey: file(id, pemOf(publicKey)) }));
  const signingKeys = [
    ...publicKeys,
    { id: 'hmac-sha256', secret: { file: file('secret', `${SECRET}\n`) } },
    { id: 'lost', publicKey: join(directory, 'lost') },
    { id: 'broken', publicKey: file('broken', 'no key') },
  ];
  const origin = await startOrigin(t, (request, response) => {
    // A request that is broken off has no text.
    void text(request).then(
      (body) => response.end(JSON.stringify({ ...request.headers, body })),
      () => undefined,
    );
  });
  return startProxy(t, {
    endpoints: [origin.endpoint],
    parts: { consumers: { acme: { groups: ['partners'], signingKeys } } },
    route: { filters: [{ authenticate: { signature } }] },
  });
}

test('what is signed with any kind of key gets on, and the cluster hears who it is and sees no signature', async (t) => {
  const proxy = await guarded(t);
  const post = unsigned(proxy.port, { method: 'POST', target: '/orders?a=b', body: 'two of them' });
  const signers: readonly MessageSigner[] = [
    ...Object.entries(PAIRS).map(([keyId, { privateKey: key }]) => ({ keyId, key, parameters: `;alg="${keyId}"` })),
    { keyId: 'hmac-sha256', key: SECRET },
    { ...ED25519, components: ['@method', '@target-uri', 'content-digest', 'date'] },
    { ...ED25519, components: ['content-digest', '@request-target', 'host', '@method'], parameters: ';nonce="1";tag="shop"' },
    { ...ED25519, parameters: `;expires=${Math.floor(Date.now() / 1000) + 60}` },
  ];
  for (const signer of signers) {
    const { status, said } = await send(proxy.port, signedMessage(post, signer));
    assert.equal(status, 200, `${signer.keyId}${signer.parameters}: ${JSON.stringify(said)}`);
    assert.deepEqual([said['x-consumer'], said['x-consumer-groups'], said['body']], ['acme', 'partners', 'two of them']);
    assert.deepEqual([said['signature'], said['signature-input']], [undefined, undefined]);
  }
});

test('what differs from what was signed, or was signed too little, too early, too late or by the wrong key is refused', async (t) => {
  const proxy = await guarded(t);
  const get = unsigned(proxy.port, { target: '/orders?a=b' });
  const post = unsigned(proxy.port, { method: 'POST', target: '/orders', body: 'two of them' });
  const good = signedMessage(get, ED25519);
  const with_ = (headers: Readonly<Record<string, string>>): Sent => ({ ...good, headers: { ...good.headers, ...headers } });
  const input = good.headers['signature-input'] ?? '';
  const nowS = Math.floor(Date.now() / 1000);
  const covering = (...components: string[]): Sent => signedMessage(get, { ...ED25519, components });
  const refused: Readonly<Record<string, Sent>> = {
    'another path': { ...good, target: '/orders/1?a=b' },
    'another query': { ...good, target: '/orders?a=c' },
    'another method': { ...good, method: 'DELETE' },
    'another host': with_({ host: 'other.example' }),
    'another parameter': with_({ 'signature-input': `${input};nonce="1"` }),
    'another order': with_({ 'signature-input': input.replace('"@method" "@authority"', '"@authority" "@method"') }),
    'less than was signed': with_({ 'signature-input': input.replace(' "@query"', '') }),
    'the key of somebody else': signedMessage(get, { keyId: 'ed25519', key: generateKeyPairSync('ed25519').privateKey }),
    'a key that nobody has': signedMessage(get, { ...ED25519, keyId: 'nobody' }),
    'the public key as a secret': signedMessage(get, { keyId: 'ed25519', key: pemOf(PAIRS.ed25519.publicKey) }),
    'another algorithm than the key is for': signedMessage(get, { ...ED25519, parameters: ';alg="hmac-sha256"' }),
    'a time of long ago': signedMessage(get, { ...ED25519, createdMs: Date.now() - 302_000 }),
    'a time to come': signedMessage(get, { ...ED25519, createdMs: Date.now() + 302_000 }),
    'one that has expired': signedMessage(get, { ...ED25519, parameters: `;expires=${nowS - 1}` }),
    'an expiry that is none': signedMessage(get, { ...ED25519, parameters: ';expires="never"' }),
    'no time': with_({ 'signature-input': input.replace(/;created=\d+/, '') }),
    'no method': covering('@authority', '@path', '@query'),
    'no host': covering('@method', '@path', '@query'),
    'no path': covering('@method', '@authority', '@query'),
    'no query': covering('@method', '@authority', '@path'),
    'a body that is not covered': signedMessage(post, { ...ED25519, components: ['@method', '@target-uri'] }),
    'a body that was taken away': { ...signedMessage(post, ED25519), body: '' },
    'a digest of a weak kind': signedMessage({ ...post, headers: { ...post.headers, 'content-digest': 'md5=:AAAA:' } }, ED25519),
    'no signature': with_({ signature: 'other=:AAAA:' }),
    'a signature that is no bytes': with_({ signature: 'sig=1' }),
    'a malformed signature': with_({ signature: 'sig=:A' }),
    'a malformed input': with_({ 'signature-input': 'sig=(' }),
    'no list': with_({ 'signature-input': input.replace(/\(.*\)/, '1') }),
    'very much': with_({ 'signature-input': `${input};nonce="${'a'.repeat(8192)}"` }),
  };
  for (const [what, sent] of Object.entries(refused)) {
    const { status, said, challenge } = await send(proxy.port, sent);
    assert.deepEqual([status, said['code'], challenge], [401, 'credentials_invalid', 'Signature'], what);
  }
  assert.equal((await send(proxy.port, good)).status, 200);
  assert.equal((await send(proxy.port, get)).said['code'], 'credentials_missing');
  for (const keyId of ['lost', 'broken'])
    assert.equal((await send(proxy.port, signedMessage(get, { ...ED25519, keyId }))).said['code'], 'authentication_unavailable', keyId);
});

test('a body that is another one than was signed is told so, and one that streams is checked as well', async (t) => {
  const proxy = await guarded(t);
  const large = 'x'.repeat(3_000_000);
  const put = signedMessage(unsigned(proxy.port, { method: 'PUT', target: '/file', body: large }), ED25519);
  assert.equal((await send(proxy.port, put)).status, 200);
  const other = signedMessage(unsigned(proxy.port, { method: 'PUT', target: '/other', body: large }), ED25519);
  const { status, said } = await send(proxy.port, { ...other, body: `${large.slice(1)}y` });
  assert.deepEqual([status, said['code']], [400, 'body_digest_wrong']);
});

test('a request that changes something is good once, in all spellings of its signature', async (t) => {
  const proxy = await guarded(t);
  const post = unsigned(proxy.port, { method: 'POST', target: '/orders' });
  const first = signedMessage(post, { keyId: 'ecdsa-p256-sha256', key: PAIRS['ecdsa-p256-sha256'].privateKey });
  assert.equal((await send(proxy.port, first)).status, 200);
  assert.equal((await send(proxy.port, first)).status, 401);
  const [, createdS] = /created=(\d+)/.exec(first.headers['signature-input'] ?? '') ?? [];
  // ECDSA makes another signature of the same each time, and all are right.
  const createdMs = Number(createdS) * 1000;
  const again = signedMessage(post, { keyId: 'ecdsa-p256-sha256', key: PAIRS['ecdsa-p256-sha256'].privateKey, createdMs });
  assert.notEqual(again.headers['signature'], first.headers['signature']);
  assert.equal((await send(proxy.port, again)).status, 401);
  const renamed = Object.entries(first.headers).map(([name, value]) => [name, value.replace(/^sig=/, 'other=')] as const);
  assert.equal((await send(proxy.port, { ...first, headers: Object.fromEntries(renamed) })).status, 401);
  const nonce = signedMessage(post, { ...ED25519, parameters: ';nonce="2"' });
  assert.equal((await send(proxy.port, nonce)).status, 200);
  const get = signedMessage(unsigned(proxy.port), ED25519);
  assert.deepEqual([(await send(proxy.port, get)).status, (await send(proxy.port, get)).status], [200, 200]);
});

test('of several signatures only the one with the tag of the file counts', async (t) => {
  const [tagged, plain] = [await guarded(t, { tag: 'shop', forward: true }), await guarded(t)];
  const by = (proxy: Proxy, ...tags: string[]): Sent =>
    tags.reduce(
      (sent, tag, index) => signedMessage(sent, { ...ED25519, parameters: `;tag="${tag}"`, label: `sig${index}` }),
      unsigned(proxy.port),
    );
  const { status, said } = await send(tagged.port, by(tagged, 'other', 'shop'));
  assert.equal(status, 200);
  assert.match(said['signature-input'] ?? '', /^sig0=.*, sig1=/);
  assert.equal((await send(tagged.port, by(tagged, 'other'))).said['code'], 'credentials_missing');
  assert.equal((await send(tagged.port, by(tagged, 'shop', 'shop'))).said['code'], 'credentials_ambiguous');
  assert.equal((await send(plain.port, by(plain, 'other', 'shop'))).said['code'], 'credentials_ambiguous');
});

test('a file with both kinds of key, none, or a component that there is not is refused', () => {
  const problems = (options: string, key = '{ id: a, secret: { env: A } }'): readonly string[] =>
    problemsWith(`{ signature: ${options} }`, `consumers: { acme: { signingKeys: [${key}] } }\n`);
  assert.deepEqual(problems('{}'), []);
  const either =
    'consumers.acme.signingKeys[0]: expected either secret, for example secret: { file: secrets/acme }, or publicKey, the file with the key';
  assert.deepEqual(problems('{}', '{ id: a }'), [either]);
  assert.deepEqual(problems('{}', '{ id: a, secret: { env: A }, publicKey: a.pem }'), [either]);
  assert.match(problems('{ components: ["@status"] }').join('\n'), /components\[0\]: .*expected @method, @authority, @path/);
  assert.match(problems('{ skew: 2h }').join('\n'), /skew: is more than 1h/);
});
