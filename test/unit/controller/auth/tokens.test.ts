// Tokens: what is stored, what is accepted, what is refused.
import assert from 'node:assert/strict';
import { isTokenName } from '../../../../balancer/intent/tokens.ts';
import { describe, test } from 'node:test';
import { callerOfToken, findToken, mintToken, roleAllows, tokenView } from '../../../../balancer/controller/auth/tokens.ts';

const NOW_MS = Date.parse('2026-11-21T10:00:00.000Z');
const bytes = (fill: number) => (size: number) => new Uint8Array(size).fill(fill);

describe('tokens', () => {
  test('a minted secret names its token, carries 256 random bits and is stored as a hash only', () => {
    const { stored, secret } = mintToken({ name: 'ci', role: 'operate', cluster: null }, NOW_MS, bytes(7));
    assert.match(secret, /^weir_ci_[A-Za-z0-9_-]{43}$/);
    assert.equal(stored.secretHash.length, 64);
    assert.ok(!JSON.stringify(stored).includes(secret.slice('weir_ci_'.length)));
    assert.equal(stored.createdAt, '2026-11-21T10:00:00.000Z');
    assert.equal(stored.expiresAt, null);
  });

  test('only the exact secret finds its token', () => {
    const first = mintToken({ name: 'one', role: 'read', cluster: null }, NOW_MS, bytes(1));
    const second = mintToken({ name: 'two', role: 'admin', cluster: null }, NOW_MS, bytes(2));
    const tokens = [first.stored, second.stored];
    assert.equal(findToken(tokens, first.secret, NOW_MS)?.name, 'one');
    assert.equal(findToken(tokens, second.secret, NOW_MS)?.name, 'two');
    for (const wrong of ['', 'weir_', first.secret.slice(0, -1), `${first.secret}A`, first.stored.secretHash, 'x'.repeat(100_000)]) {
      assert.equal(findToken(tokens, wrong, NOW_MS), null, wrong.slice(0, 40));
    }
    assert.equal(findToken([], first.secret, NOW_MS), null);
  });

  test('a secret of another token with the name replaced is refused', () => {
    const low = mintToken({ name: 'low', role: 'read', cluster: null }, NOW_MS, bytes(1));
    const high = mintToken({ name: 'high', role: 'admin', cluster: null }, NOW_MS, bytes(2));
    assert.equal(findToken([low.stored, high.stored], low.secret.replace('weir_low_', 'weir_high_'), NOW_MS), null);
  });

  test('a token lives until the millisecond before it expires', () => {
    const { stored, secret } = mintToken({ name: 'ci', role: 'read', cluster: null, ttlMs: 1000 }, NOW_MS, bytes(3));
    assert.equal(stored.expiresAt, '2026-11-21T10:00:01.000Z');
    assert.equal(findToken([stored], secret, NOW_MS + 999)?.name, 'ci');
    assert.equal(findToken([stored], secret, NOW_MS + 1000), null);
    assert.equal(findToken([{ ...stored, expiresAt: 'damaged' }], secret, NOW_MS), null);
  });

  test('an agent token opens its own cluster and no part of the admin API', () => {
    const agent = mintToken({ name: 'agent-eu', role: 'agent', cluster: 'eu-west' }, NOW_MS, bytes(4));
    const person = mintToken({ name: 'alice', role: 'admin', cluster: null }, NOW_MS, bytes(5));
    const tokens = [agent.stored, person.stored];
    assert.equal(findToken(tokens, agent.secret, NOW_MS)?.cluster, 'eu-west');
    assert.equal(callerOfToken(agent.stored), null);
    assert.deepEqual(callerOfToken(person.stored), { author: { name: 'alice', how: 'token alice' }, role: 'admin', person: 'alice' });
  });

  test('who holds several tokens is one person, whatever they are called', () => {
    const owned = ['laptop', 'phone'].map((name) => mintToken({ name, owner: 'alice', role: 'operate', cluster: null }, NOW_MS, bytes(8)));
    assert.deepEqual(
      owned.map(({ stored }) => callerOfToken(stored)),
      ['laptop', 'phone'].map((name) => ({ author: { name: 'alice', how: `token ${name}` }, role: 'operate', person: 'alice' })),
    );
  });

  test('a view never shows the hash', () => {
    const { stored } = mintToken({ name: 'ci', role: 'read', cluster: null }, NOW_MS, bytes(6));
    assert.deepEqual(Object.keys(tokenView(stored)).sort(), [
      ...['cluster', 'createdAt', 'expiresAt', 'lastUsedAt', 'name', 'owner', 'refused', 'role', 'scope'],
    ]);
  });

  test('roles are ordered read, operate, admin', () => {
    const roles = ['read', 'operate', 'admin'] as const;
    const allowed = roles.map((have) => roles.map((need) => roleAllows(have, need)));
    assert.deepEqual(allowed, [
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
  });

  test('names of tokens are DNS labels', () => {
    for (const good of ['ci', 'a', 'alice-2', '0']) assert.ok(isTokenName(good), good);
    for (const bad of ['', 'A', 'a_b', '-a', 'a-', 'a.b', 'a'.repeat(64), 'a\n']) assert.ok(!isTokenName(bad), JSON.stringify(bad));
  });
});
