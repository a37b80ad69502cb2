// Counters of limits, under a time of the test's own: never more than the limit in any stretch of its window.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bucketOf } from '../../../../balancer/filter/rate-limit/bucket.ts';
import type { LimitAlgorithm } from '../../../../balancer/config/limit-config.ts';

const WINDOW_MS = 10_000;
const bucket = (algorithm: LimitAlgorithm, limit: number, burst = limit) => bucketOf({ algorithm, limit, windowMs: WINDOW_MS, burst });

describe('a fixed window', () => {
  it('gives its limit and no more, and begins anew with the next window of the clock', () => {
    const counted = bucket('fixed', 3);
    assert.deepEqual(counted.take('a', 2, 1000), { granted: 2, remaining: 1, resetMs: 9000 });
    assert.deepEqual(counted.take('a', 2, 9000), { granted: 1, remaining: 0, resetMs: 1000 });
    assert.deepEqual(counted.take('b', 1, 9000), { granted: 1, remaining: 2, resetMs: 1000 });
    assert.deepEqual(counted.take('a', 1, 10_000), { granted: 1, remaining: 2, resetMs: 10_000 });
  });
});

describe('a sliding window', () => {
  it('weighs the window before by what of it is still within reach', () => {
    const counted = bucket('sliding', 100);
    assert.equal(counted.take('a', 100, 9000).granted, 100);
    // 9 s of the window before are within the last 10 s: 90 of its 100 count.
    assert.equal(counted.take('a', 100, 11_000).granted, 10);
    assert.equal(counted.take('a', 100, 15_000).granted, 40);
  });

  it('says when one more may pass', () => {
    const counted = bucket('sliding', 10);
    counted.take('a', 10, 5000);
    const { granted, resetMs } = counted.take('a', 1, 10_000);
    assert.equal(granted, 0);
    assert.equal(counted.take('a', 1, 10_000 + resetMs - 1).granted, 0);
    assert.equal(counted.take('a', 1, 10_000 + resetMs).granted, 1);
  });
});

describe('a bucket of tokens', () => {
  it('holds its burst and fills evenly', () => {
    const counted = bucket('token', 10, 3);
    assert.deepEqual(counted.take('a', 5, 0), { granted: 3, remaining: 0, resetMs: 1000 });
    assert.equal(counted.take('a', 1, 999).granted, 0);
    assert.equal(counted.take('a', 1, 1000).granted, 1);
    assert.equal(counted.take('a', 5, 100_000).granted, 3);
  });

  it('fills at the pace of a plan up to its burst, and is as empty as it was when the plan changes', () => {
    const counted = bucket('token', 10, 4);
    const gold = { limit: 100, burst: 40 };
    assert.deepEqual(counted.take('a', 50, 0, gold), { granted: 40, remaining: 0, resetMs: 100 });
    assert.equal(counted.take('a', 50, 1000, gold).granted, 10);
    assert.equal(counted.take('b', 2, 0).granted, 2);
    assert.equal(counted.take('b', 50, 0, gold).granted, 20);
    assert.equal(counted.take('c', 20, 0, gold).granted, 20);
    assert.equal(counted.take('c', 50, 0).granted, 2);
  });
});

describe('whatever is asked whenever', () => {
  const asks = fc.array(fc.record({ pauseMs: fc.integer({ min: 0, max: 4000 }), count: fc.integer({ min: 0, max: 12 }) }), {
    maxLength: 60,
  });
  const limits = fc.integer({ min: 1, max: 20 });

  for (const algorithm of ['fixed', 'sliding', 'token'] as const)
    it(`${algorithm} gives no more than its bound, and says the truth of what remains`, () => {
      fc.assert(
        fc.property(asks, limits, (wishes, limit) => {
          const counted = bucket(algorithm, limit);
          let nowMs = 0;
          const given: (readonly [atMs: number, count: number])[] = [];
          for (const { pauseMs, count } of wishes) {
            nowMs += pauseMs;
            const { granted, remaining, resetMs } = counted.take('key', count, nowMs);
            assert.ok(granted <= count && granted >= 0 && remaining >= 0 && resetMs > 0);
            if (granted < count) assert.equal(remaining, 0);
            given.push([nowMs, granted]);
          }
          for (const [fromMs] of given) {
            const within = given.filter(([atMs]) => atMs >= fromMs && atMs < fromMs + WINDOW_MS).reduce((sum, [, count]) => sum + count, 0);
            // A fixed window, or a full bucket at its begin, may be met twice by a stretch of its length; a weighed one is exact where requests are spread evenly.
            assert.ok(within <= limit * 2, `${within} of ${limit}`);
          }
        }),
      );
    });
});
