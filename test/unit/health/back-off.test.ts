// Back-off: doubling, ceiling, jitter, and a fresh start after success.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackOff } from '../../../health/back-off.ts';
import { fixedRandom, seededRandom } from '../../support/seeded-random.ts';

const take = (backOff: BackOff, count: number): readonly number[] => Array.from({ length: count }, () => backOff.nextMs());

test('waits double from the base up to the ceiling and stay there', () => {
  const backOff = new BackOff({ baseMs: 100, maxMs: 30_000, jitter: 0 }, fixedRandom(0.5));
  assert.deepEqual(take(backOff, 11), [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
  assert.equal(take(backOff, 5000).at(-1), 30_000);
});

test('after a reset the base is waited again', () => {
  const backOff = new BackOff({ baseMs: 100, maxMs: 30_000, jitter: 0 }, fixedRandom(0.5));
  take(backOff, 6);
  backOff.reset();
  assert.deepEqual(take(backOff, 2), [100, 200]);
});

test('jitter shortens a wait by at most its part and never lengthens it', () => {
  const backOff = new BackOff({ baseMs: 1000, maxMs: 1000, jitter: 0.3 }, seededRandom(1));
  const waits = take(backOff, 1000);
  assert.ok(Math.min(...waits) > 700 && Math.max(...waits) <= 1000);
  // Uniform over 300 ms: the 1000 draws leave no tenth of it empty (chance of that with a fair source: 10 × 0.9^1000 < 1e-44).
  for (let tenth = 0; tenth < 10; tenth += 1) {
    assert.ok(
      waits.some((ms) => ms >= 700 + 30 * tenth && ms <= 730 + 30 * tenth),
      `no wait in tenth ${tenth}`,
    );
  }
});
