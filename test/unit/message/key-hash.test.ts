// The hash that keeps users in their place: published values of MurmurHash3, and points that are spread evenly.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash32, keyPoint } from '../../../balancer/message/key-hash.ts';

test('it is MurmurHash3 with 32 bits', () => {
  for (const [text, seed, hash] of [
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['test', 0x9747b28c, 0x704b81dc],
    ['Hello, world!', 0, 0xc0363e43],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ] as const)
    assert.equal(hash32(text, seed) >>> 0, hash, `${JSON.stringify(text)} with seed ${seed}`);
});

test('points are spread evenly, and differently for each salt', () => {
  const cells = Array.from({ length: 100 }, () => 0);
  let both = 0;
  for (let user = 0; user < 100_000; user += 1) {
    const point = keyPoint(7, `user-${user}`);
    assert.ok(point >= 0 && point < 1);
    cells[Math.floor(point * 100)] = (cells[Math.floor(point * 100)] ?? 0) + 1;
    if (point < 0.1 && keyPoint(8, `user-${user}`) < 0.1) both += 1;
  }
  // Chi-square with 99 degrees of freedom: above 161 in one of 10,000 cases; the keys are fixed, so it holds or it does not.
  const chiSquare = cells.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  assert.ok(chiSquare < 161, `${chiSquare}`);
  // Independent salts share a tenth of a tenth; five standard deviations are 157.
  assert.ok(Math.abs(both - 1000) < 157, `${both}`);
});
