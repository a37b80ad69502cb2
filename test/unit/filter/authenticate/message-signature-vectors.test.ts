// Signatures that others have published (RFC 9421 appendix B): the texts they sign, the keys they are checked with, and what is no key for them.
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, it, test } from 'node:test';
import type { SecretReference } from '../../../../balancer/config/config.ts';
import { Consumers } from '../../../../balancer/filter/authenticate/consumers.ts';
import { coveredText } from '../../../../balancer/filter/authenticate/covered-text.ts';
import { signature } from '../../../../balancer/filter/authenticate/signature.ts';
import { publicKey, sharedKey, type VerifyingKey } from '../../../../balancer/filter/authenticate/verifying-key.ts';
import { parseDictionary, serializeMember } from '../../../../balancer/message/structured-fields.ts';
import { aConsumer, aFilterEnvironment } from '../../../support/filter-environment.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { CREATED_MS, ECDSA, PUBLIC_KEYS, SHARED_SECRET, signedExample, VECTORS } from '../../../support/rfc9421.ts';
import { aRequest } from '../../../support/request.ts';

function keyOf(input: string): VerifyingKey {
  const [, id = ''] = /keyid="([^"]*)"/.exec(input) ?? [];
  if (id === 'test-shared-secret') return sharedKey(SHARED_SECRET);
  const key = publicKey(PUBLIC_KEYS[id as keyof typeof PUBLIC_KEYS]);
  return typeof key === 'string' ? assert.fail(key) : key;
}

describe('signatures of RFC 9421 appendix B', () => {
  for (const vector of VECTORS)
    it(`${vector.section}: what it signs is made of the request, and it is right for that alone`, () => {
      const input = parseDictionary(`sig=${vector.input}`)?.get('sig') ?? assert.fail('it is a member');
      const covered = coveredText(input, signedExample('', ''));
      if (typeof covered === 'string') return assert.fail(covered);
      assert.equal(covered.text, [...vector.base, `"@signature-params": ${vector.input}`].join('\n'));
      const key = keyOf(vector.input);
      const value = Buffer.from(vector.signature, 'base64');
      assert.ok(key.isOf(value, Buffer.from(covered.text)));
      assert.ok(!key.isOf(value, Buffer.from(`${covered.text} `)));
      value[7] = (value[7] ?? 0) ^ 1;
      assert.ok(!key.isOf(value, Buffer.from(covered.text)));
      assert.ok(!key.isOf(value.subarray(1), Buffer.from(covered.text)));
    });

  it('B.2.4: ECDSA on P-256', () => {
    const key = publicKey(PUBLIC_KEYS['test-key-ecc-p256']);
    if (typeof key === 'string') return assert.fail(key);
    const value = Buffer.from(ECDSA.signature, 'base64');
    assert.ok(key.isOf(value, Buffer.from(ECDSA.base)));
    assert.ok(!key.isOf(value, Buffer.from(ECDSA.base.replace('200', '201'))));
  });

  it('they prove who calls, as of then and not of now', async () => {
    const at = (id: string) => ({ env: id });
    const signingKeys = Object.keys(PUBLIC_KEYS).map((id) => ({ id, kind: 'public' as const, at: at(id) }));
    const consumers = new Consumers([aConsumer('acme', { signingKeys })], null);
    const texts = new Map<string, string>(Object.entries(PUBLIC_KEYS));
    const readSecret = (reference: SecretReference): string | null => ('env' in reference ? (texts.get(reference.env) ?? null) : null);
    const options = { components: [], tag: null, skewMs: 1000, body: 'ignore', repeat: 'never', forward: false };
    for (const { section, input, signature: value } of VECTORS.filter(({ section: one }) => one !== 'B.2.5')) {
      const prove = async (nowMs: number): Promise<string> => {
        const method = signature.create(options, aFilterEnvironment({ consumers, readSecret, clock: new ManualClock(0, nowMs) }));
        const proof = await method.prove(signedExample(`sig=${input}`, `sig=:${value}:`));
        return proof === null ? 'none' : 'code' in proof ? proof.detail : `${proof.consumer} by ${proof.method} ${proof.credential}`;
      };
      assert.match(await prove(CREATED_MS), /^acme by signature test-key-/, section);
      assert.match(await prove(CREATED_MS + 1001), /too far from now/, section);
    }
  });
});

test('what a signature covers is read as the RFC says, and what is not understood is refused', () => {
  const request = aRequest({
    ...{
      method: 'GET',
      scheme: 'https',
      authority: 'Shop.Example:443',
      path: '/a%20b',
      query: 'x=1&y=a+b~&x=2&%C3%A9=%21',
      hasQuery: true,
    },
    fields: ['accept', ' a ', 'x-list', 'one', 'x-list', 'two', 'x-empty', ''],
  });
  const linesOf = (list: string): readonly string[] | string => {
    const covered = coveredText(parseDictionary(`sig=${list}`)?.get('sig') ?? assert.fail(list), request);
    return typeof covered === 'string' ? covered : covered.text.split('\n').slice(0, -1);
  };
  const lines: Readonly<Record<string, string>> = {
    '"@method"': 'GET',
    '"@scheme"': 'https',
    '"@authority"': 'shop.example',
    '"@path"': '/a%20b',
    '"@query"': '?x=1&y=a+b~&x=2&%C3%A9=%21',
    '"@request-target"': '/a%20b?x=1&y=a+b~&x=2&%C3%A9=%21',
    '"@target-uri"': 'https://shop.example/a%20b?x=1&y=a+b~&x=2&%C3%A9=%21',
    '"@query-param";name="y"': 'a%20b%7E',
    '"@query-param";name="%C3%A9"': '%21',
    accept: 'a',
    'x-list': 'one, two',
    'x-empty': '',
  };
  for (const [identifier, value] of Object.entries(lines)) {
    const written = identifier.startsWith('"') ? identifier : `"${identifier}"`;
    assert.deepEqual(linesOf(`(${written})`), [`${written}: ${value}`]);
  }
  const refused = [
    '"@status"',
    '"@query-param"',
    '"@query-param";name="x"',
    '"@query-param";name="z"',
    '"x-none"',
    '"accept";sf',
    '"accept";tr',
  ];
  for (const identifier of [
    ...refused,
    '"@method";req',
    '"@path" "@path"',
    '"Accept"',
    '"@signature-params"',
    '1',
    '"__proto__"',
    '"@constructor"',
  ])
    assert.equal(typeof linesOf(`(${identifier})`), 'string', identifier);
});

test('dictionaries are read strictly and written as the RFC writes them', () => {
  const same = ['a=("x" "y";b);c=1;d="e\\"\\\\"', 'a=:AQI=:', 'a=()', 'a=?0;b', 'a=-7'];
  for (const text of same) {
    const [[key, member] = ['', undefined]] = [...(parseDictionary(text) ?? [])];
    assert.equal(`${key}=${member === undefined ? '' : serializeMember(member)}`, text);
  }
  assert.deepEqual(
    [...(parseDictionary('a=1 ,\tb="2"; d , c, a=3') ?? [])].map(([key, { value }]) => [key, value]),
    [
      ['a', 3],
      ['b', '2'],
      ['c', true],
    ],
  );
  const spaced = parseDictionary('a=(  "x"   "y" )')?.get('a');
  assert.equal(spaced === undefined ? '' : serializeMember(spaced), '("x" "y")');
  for (const text of [
    'a=',
    'a=1,',
    ',a=1',
    'a=("x"',
    'a=("x""y")',
    'A=1',
    'a="x',
    'a="\u00e9"',
    'a="\\x"',
    'a=:A-:',
    'a=1.5',
    'a=token',
    'a=1234567890123456',
    'a;=1',
    'a=1 b=2',
  ])
    assert.equal(parseDictionary(text), null, text);
});

test('a key of another kind, a weak one, a private one and what is no key are told', () => {
  const pemOf = (pair: { readonly publicKey: KeyObject }): string => pair.publicKey.export({ type: 'spki', format: 'pem' });
  const other = 'it is no key for Ed25519, ECDSA on P-256, or RSA of at least 2048 bits';
  assert.equal(publicKey(pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }))), other);
  assert.equal(publicKey(pemOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }))), other);
  assert.equal(publicKey(pemOf(generateKeyPairSync('x25519'))), other);
  const { privateKey } = generateKeyPairSync('ed25519');
  assert.equal(publicKey(privateKey.export({ type: 'pkcs8', format: 'pem' })), 'it is a private key; only its owner may have that');
  assert.equal(publicKey('secret'), 'it is no public key in PEM');
});
