// Tokens that RFC 7515 and RFC 7520 publish, shown to the method jwt: those that are good get on as long as they are, and no other reading of them does.
import assert from 'node:assert/strict';
import { createHmac, createPublicKey, hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { IssuerConfig } from '../../../../balancer/config/issuer-config.ts';
import { Issuers } from '../../../../balancer/filter/authenticate/issuers.ts';
import { jwt } from '../../../../balancer/filter/authenticate/jwt.ts';
import type { AuthenticationMethod } from '../../../../balancer/filter/authenticate/method.ts';
import type { TokenIssuer } from '../../../../balancer/filter/authenticate/issuer.ts';
import { readToken } from '../../../../balancer/filter/authenticate/unchecked-token.ts';
import { aFilterEnvironment, NO_KEY_SETS } from '../../../support/filter-environment.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import {
  ALL_KEYS,
  CLAIMS,
  JOE,
  JOE_UNTIL_MS,
  NO_CLAIMS,
  OTHER_FORMS,
  P256_KEY,
  RSA_KEY,
  SECRET_KEY,
  UNSECURED,
  type PublishedToken,
} from '../../../support/published-tokens.ts';
import { aRequest } from '../../../support/request.ts';

const LEEWAY_MS = 60_000;
const EVERY_ALGORITHM = ['HS256', 'HS384', 'HS512', 'RS256', 'PS256', 'PS384', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const BAD_SIGNATURE = 'token of joe: the signature is not right';
const NO_KEY = 'token of joe: no key of the issuer can have signed it';

interface Believer {
  readonly clock: ManualClock;
  readonly issuer: TokenIssuer;
  readonly method: AuthenticationMethod;
  /** Who it is taken for, or why for nobody. */
  readonly show: (token: string) => Promise<string>;
}

/** Ten seconds before the tokens of joe expire, with all keys and every algorithm there is: what the schema would not let anybody write. */
function believer(t: TestContext, keys: readonly object[] = ALL_KEYS, facts: Partial<IssuerConfig> = {}): Believer {
  const directory = mkdtempSync(join(tmpdir(), 'weir-published-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'keys.json');
  writeFileSync(file, JSON.stringify({ keys }));
  const clock = new ManualClock(0, JOE_UNTIL_MS - 10_000);
  const config: IssuerConfig = {
    ...{ name: 'joe', issuer: 'joe', audiences: [], algorithms: EVERY_ALGORITHM, leewayMs: LEEWAY_MS, type: null },
    ...{ keys: { kind: 'file', file }, consumerClaim: 'sub', scopeClaim: 'scope', groupsClaim: null, ...facts },
  };
  const issuers = new Issuers([config], { keySets: NO_KEY_SETS, clock, readSecret: () => null }, null);
  const options = { issuers: ['joe'], header: 'authorization', forward: true, requireConsumer: false, claims: {} };
  const method = jwt.create(options, aFilterEnvironment({ issuers, clock }));
  const show = async (token: string): Promise<string> => {
    const proof = await method.prove(aRequest({ fields: ['authorization', `Bearer ${token}`] }));
    if (proof === null) return 'nobody was named';
    return 'code' in proof ? proof.detail : `${String(proof.claims?.['iss'])} ${String(proof.claims?.['http://example.com/is_root'])}`;
  };
  return { clock, issuer: issuers.get('joe') ?? assert.fail('it is there'), method, show };
}

/** What the keys say of a token in which no issuer can be read. */
function checked({ issuer }: Believer, { algorithm, token }: PublishedToken): Promise<unknown> {
  const [header = ''] = token.split('.');
  const { kid = '' } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid?: string };
  return issuer.check(token, { algorithm, keyId: kid }, hash('sha256', token, 'base64'));
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** With another first bit in the character there: a last character has bits that mean nothing, and the first is none of them. */
function changed(token: string, at: number): string {
  const other = ALPHABET[ALPHABET.indexOf(token[at] ?? '') ^ 32] ?? assert.fail('it is of the alphabet');
  return token.slice(0, at) + other + token.slice(at + 1);
}

const segment = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function signedWith(secret: Buffer | string, header: object, claims = JOE): string {
  const signing = `${segment(header)}.${claims}`;
  return `${signing}.${createHmac('sha256', secret).update(signing).digest('base64url')}`;
}

describe('tokens of RFC 7515 appendix A that say who calls', () => {
  for (const { section, token, algorithm } of CLAIMS) {
    it(`${section} ${algorithm}: good until it expires, and for the leeway after that, and never again`, async (t) => {
      const { clock, show } = believer(t);
      assert.equal(await show(token), 'joe true');
      clock.advance(10_000 + LEEWAY_MS - 1);
      assert.equal(await show(token), 'joe true', 'it is remembered');
      clock.advance(1);
      assert.match(await show(token), /token of joe: "exp" claim timestamp check failed/);
    });

    it(`${section} ${algorithm}: no character of it can be another`, async (t) => {
      const { show } = believer(t);
      const [header = '', claims = ''] = token.split('.');
      const signatureAt = header.length + claims.length + 2;
      for (let at = 0; at < token.length; at += 1) {
        if (token[at] === '.') continue;
        const said = await show(changed(token, at));
        if (at >= signatureAt) assert.equal(said, BAD_SIGNATURE, `${at}`);
        else
          assert.match(
            said,
            /not a token|names no algorithm|not believed here|is not one of|signature is not right|can have signed|Header is invalid/,
            `${at}`,
          );
      }
      assert.equal(await show(token), 'joe true');
    });

    it(`${section} ${algorithm}: an issuer that is not held to sign so is not believed, nor one that is somebody else`, async (t) => {
      const other = believer(t, ALL_KEYS, { algorithms: EVERY_ALGORITHM.filter((one) => one !== algorithm) });
      assert.match(await other.show(token), new RegExp(`the algorithm ${algorithm} is not one of HS`));
      assert.match(await believer(t, ALL_KEYS, { issuer: 'jo' }).show(token), /tokens of the issuer "joe" are not believed here/);
    });
  }
});

describe('tokens that are signed well and say nothing of a caller', () => {
  for (const vector of NO_CLAIMS)
    it(`${vector.section} ${vector.algorithm}: its signature is right, and it is refused for what it says`, async (t) => {
      const joe = believer(t);
      assert.equal(await joe.show(vector.token), 'not a token');
      assert.equal(readToken(vector.token), 'not a token');
      assert.equal(await checked(joe, vector), 'JWT Claims Set must be a top-level JSON object');
      const [header = '', payload = ''] = vector.token.split('.');
      for (const at of [header.length + 1, header.length + payload.length + 2, vector.token.length - 1])
        assert.equal(await checked(joe, { ...vector, token: changed(vector.token, at) }), 'the signature is not right', `${at}`);
      const others = EVERY_ALGORITHM.filter((algorithm) => algorithm !== vector.algorithm);
      for (const algorithm of others)
        assert.notEqual(await checked(joe, { ...vector, algorithm }), 'JWT Claims Set must be a top-level JSON object', algorithm);
    });

  for (const [what, token] of Object.entries(OTHER_FORMS))
    it(`${what}: is no token`, async (t) => assert.match(await believer(t).show(token), /not a token|nobody was named/));
});

describe('readings that would let anybody in', () => {
  it('RFC 7515 A.5: nobody signed it, and no list of algorithms makes it good', async (t) => {
    assert.match(await believer(t).show(UNSECURED), /the algorithm none is not one of HS256/);
    for (const algorithms of [['none'], ['none', 'HS256', 'RS256']]) {
      const careless = believer(t, ALL_KEYS, { algorithms });
      assert.equal(await careless.show(UNSECURED), NO_KEY);
      assert.equal(await careless.show(`${UNSECURED}${(CLAIMS[0]?.token ?? '').split('.')[2] ?? ''}`), NO_KEY);
    }
  });

  it('a public key is no secret, in whatever form its reader may have had it', async (t) => {
    const joe = believer(t, [RSA_KEY, P256_KEY]);
    const forms: (string | Buffer)[] = [RSA_KEY, P256_KEY].flatMap((jwk) => {
      const key = createPublicKey({ key: jwk, format: 'jwk' });
      const pem = key.export({ type: 'spki', format: 'pem' });
      return [pem, pem.trim(), key.export({ type: 'spki', format: 'der' }), JSON.stringify(jwk)];
    });
    for (const secret of [...forms, Buffer.from(RSA_KEY.n, 'base64url'), RSA_KEY.n, ''])
      assert.equal(await joe.show(signedWith(secret, { alg: 'HS256' })), NO_KEY);
  });

  it('a key in the header of a token is not asked', async (t) => {
    const joe = believer(t, [RSA_KEY]);
    const jwk = { kty: 'oct', k: Buffer.from('mine').toString('base64url') };
    for (const more of [{ jwk }, { jku: 'https://evil.example/keys' }, { x5u: 'https://evil.example/chain' }, { x5c: ['AAAA'] }])
      assert.equal(await joe.show(signedWith('mine', { alg: 'HS256', ...more })), NO_KEY);
  });

  it('a key serves one algorithm where it says which, and only for checking signatures where it says what for', async (t) => {
    const [hs256 = { token: '' }, rs256 = { token: '' }] = CLAIMS;
    const limits: readonly object[] = [{ alg: 'HS512' }, { use: 'enc' }, { key_ops: ['sign'] }, { key_ops: ['encrypt', 'wrapKey'] }];
    for (const limit of limits) {
      assert.equal(await believer(t, [{ ...SECRET_KEY, ...limit }]).show(hs256.token), NO_KEY, JSON.stringify(limit));
      assert.equal(await believer(t, [{ ...RSA_KEY, ...limit }]).show(rs256.token), NO_KEY, JSON.stringify(limit));
    }
    const said = { alg: 'RS256', use: 'sig', key_ops: ['verify'] };
    assert.equal(await believer(t, [{ ...RSA_KEY, ...said }]).show(rs256.token), 'joe true');
  });

  it('RFC 7515 4.1.11: what must be understood and is not is refused, signed well or not', async (t) => {
    const joe = believer(t);
    const secret = Buffer.from(SECRET_KEY.k, 'base64url');
    assert.equal(await joe.show(signedWith(secret, { alg: 'HS256' })), 'joe true', 'the signature of this test is right');
    const criticals: readonly object[] = [
      { crit: ['exp'], exp: 1_363_284_000 },
      { crit: ['b64'], b64: false },
      { crit: ['http://example.invalid/UNDEFINED'], 'http://example.invalid/UNDEFINED': true },
      { crit: ['alg'] },
      { crit: [] },
      { crit: 'exp', exp: 1 },
      { crit: ['missing'] },
    ];
    for (const critical of criticals)
      assert.match(
        await joe.show(signedWith(secret, { alg: 'HS256', ...critical })),
        /token of joe: .*("crit"|unencoded|not recognized|is missing)/,
        JSON.stringify(critical),
      );
  });

  it('times that are no times are not taken for "no limit"', async (t) => {
    const joe = believer(t);
    const secret = Buffer.from(SECRET_KEY.k, 'base64url');
    const untilS = JOE_UNTIL_MS / 1000;
    const wrong: readonly object[] = [
      {},
      { exp: `${untilS}` },
      { exp: null },
      { exp: untilS, nbf: untilS + 3600 },
      { exp: untilS, nbf: 'now' },
    ];
    for (const times of wrong)
      assert.match(await joe.show(signedWith(secret, { alg: 'HS256' }, segment({ iss: 'joe', ...times }))), /token of joe: .*(exp|nbf)/);
    const endless = Buffer.from('{"iss":"joe","exp":1e999}').toString('base64url');
    assert.match(await joe.show(signedWith(secret, { alg: 'HS256' }, endless)), /token of joe: its expiry is no time/);
  });
});
