// Keys of an issuer that change while tokens come: they are asked for again when a token says so, and not by everybody who makes one up.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it, test } from 'node:test';
import type { JWK } from 'jose';
import type { IssuerConfig } from '../../../../balancer/config/issuer-config.ts';
import { TokenIssuer, type Checked } from '../../../../balancer/filter/authenticate/issuer.ts';
import type { KeySet } from '../../../../balancer/filter/authenticate/key-set.ts';
import { readToken } from '../../../../balancer/filter/authenticate/unchecked-token.ts';
import { aKey, aToken, ISSUER, type IssuedKey } from '../../../support/token-issuer.ts';
import { systemClock } from '../../../../health/clock.ts';

const URL_OF_KEYS = 'https://login.example/keys';
const CONFIG: IssuerConfig = {
  ...{ name: 'login', issuer: ISSUER, audiences: [], algorithms: ['ES256'], leewayMs: 0, type: null },
  ...{ keys: { kind: 'url', url: URL_OF_KEYS, ca: null }, consumerClaim: 'sub', scopeClaim: 'scope', groupsClaim: null },
};

/** What the controller has fetched, and what it would fetch if it was asked now. */
class Published {
  #held: KeySet | null = null;
  next: readonly IssuedKey[] | null = null;
  asked = 0;

  get(): KeySet | null {
    return this.#held;
  }

  async renew(): Promise<void> {
    this.asked += 1;
    await Promise.resolve();
    if (this.next === null) return;
    const keys = this.next.map(({ jwk }) => jwk as unknown as JWK);
    if (JSON.stringify(keys) !== JSON.stringify(this.#held?.keys)) this.#held = { version: (this.#held?.version ?? 0) + 1, keys };
  }
}

async function issuedBy(keys: readonly IssuedKey[], facts: Partial<IssuerConfig> = {}) {
  const published = new Published();
  published.next = keys;
  await published.renew();
  published.asked = 0;
  const issuer = new TokenIssuer({ ...CONFIG, ...facts }, null, published, systemClock);
  const check = (token: string): Promise<Checked> => {
    const read = readToken(token);
    if (typeof read === 'string') return assert.fail(read);
    return issuer.check(token, read.wish, hash('sha256', token, 'base64'));
  };
  const isGood = async (token: string): Promise<boolean> => {
    const checked = await check(token);
    return checked !== null && typeof checked !== 'string';
  };
  const refusal = async (token: string): Promise<string> => {
    const checked = await check(token);
    return typeof checked === 'string' ? checked : assert.fail('it is refused');
  };
  const isRemembered = (token: string): boolean => issuer.recall(hash('sha256', token, 'base64')) !== null;
  return { published, check, refusal, isGood, isRemembered };
}

describe('keys are asked for again', () => {
  it('when a token names one that is not there, once for all who bring it', async () => {
    const [old, fresh] = [aKey('ES256', 'old'), aKey('ES256', 'fresh')];
    const { published, isGood } = await issuedBy([old]);
    published.next = [old, fresh];
    const token = await aToken(fresh);
    assert.deepEqual(await Promise.all([isGood(token), isGood(token), isGood(token)]), [true, true, true]);
    assert.equal(published.asked, 1);
    assert.ok(await isGood(await aToken(old)));
    assert.equal(published.asked, 1);
  });

  it('when a signature is wrong by the key of that name: an issuer may have another one under the same', async () => {
    const [before, after] = [aKey('ES256', 'same'), aKey('ES256', 'same')];
    const { published, isGood, isRemembered } = await issuedBy([before]);
    const old = await aToken(before);
    assert.ok(await isGood(old));
    assert.ok(isRemembered(old));
    published.next = [after];
    assert.ok(await isGood(await aToken(after)));
    assert.equal(published.asked, 1);
    assert.ok(!isRemembered(old), 'what was good by a key that is gone is good no more');
    assert.ok(!(await isGood(old)));
  });

  it('and no more often than a token is looked at, when that brings nothing new', async () => {
    const { published, check } = await issuedBy([aKey('ES256', 'one')]);
    const [stranger, forged] = [await aToken(aKey('ES256', 'two')), await aToken(aKey('ES256', 'one'))];
    assert.equal(await check(stranger), 'no key of the issuer can have signed it');
    assert.equal(await check(forged), 'the signature is not right');
    assert.equal(published.asked, 2);
  });

  it('for nothing that no key could make good', async () => {
    const key = aKey('ES256', 'one');
    const { published, refusal } = await issuedBy([key], { audiences: ['shop'] });
    assert.match(await refusal(await aToken(key, { aud: 'bank' })), /"aud"/);
    assert.match(await refusal(await aToken(key, { exp: 1 })), /"exp"/);
    assert.match(await refusal(await aToken(aKey('RS256', 'one'))), /the algorithm RS256 is not one of ES256/);
    assert.equal(published.asked, 0);
  });
});

test('nobody is told that a token is wrong while there are no keys, nor when the issuer has withdrawn all of them', async () => {
  const key = aKey('ES256', 'one');
  const { published, check, isRemembered } = await issuedBy([]);
  const token = await aToken(key);
  assert.equal(await check(token), null);
  published.next = [key];
  assert.notEqual(await check(token), null);
  assert.ok(isRemembered(token));
  published.next = [];
  await published.renew();
  assert.ok(!isRemembered(token));
  assert.equal(await check(token), null);
});

test('a token for one thing is none for another where the file says the type (RFC 8725 section 3.11)', async () => {
  const key = aKey('ES256', 'one');
  const { refusal, isGood } = await issuedBy([key], { type: 'at+jwt' });
  assert.ok(await isGood(await aToken(key, {}, { typ: 'at+jwt' })));
  assert.ok(await isGood(await aToken(key, {}, { typ: 'application/AT+JWT' })));
  for (const typ of ['JWT', 'logout+jwt', undefined])
    assert.match(await refusal(await aToken(key, {}, typ === undefined ? {} : { typ })), /"typ"/, String(typ));
});
