// Whether a split is respected: the interval of Wilson by its formula, its certainty by counting, and what the workers owe.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accuracyOf } from '../../../balancer/steer/accuracy.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const rounded = (value: number | undefined): number => Math.round((value ?? NaN) * 100_000) / 100_000;

describe('the interval of a share', () => {
  test('is the score interval at 99 %', () => {
    // 10 of 1000: middle (0.01 + z²/2000) / (1 + z²/1000), half z / (1 + z²/1000) × √(0.01 × 0.99 / 1000 + z² / 4,000,000).
    const { observed, low, high } = accuracyOf(10_000, { total: 1000, requests: 10, workers: 1 }) ?? {};
    assert.deepEqual([observed, rounded(low), rounded(high)], [0.01, 0.00453, 0.02193]);
  });

  test('stays within 0 and 1 at the ends', () => {
    const none = accuracyOf(0, { total: 50, requests: 0, workers: 1 });
    const all = accuracyOf(1_000_000, { total: 50, requests: 50, workers: 1 });
    assert.deepEqual([none?.low, all?.high, none?.respected, all?.respected], [0, 1, true, true]);
    assert.ok((none?.high ?? 0) > 0.1 && (all?.low ?? 1) < 0.9, 'fifty requests say little');
  });

  test('is nothing without a request', () => {
    assert.equal(accuracyOf(500_000, { total: 0, requests: 0, workers: 4 }), null);
  });

  test('holds the true share in 99 of 100 splits by chance', () => {
    const random = seededRandom(11);
    for (const share of [0.01, 0.1, 0.5]) {
      let missed = 0;
      for (let trial = 0; trial < 4000; trial += 1) {
        let requests = 0;
        for (let request = 0; request < 500; request += 1) if (random() < share) requests += 1;
        const { low = 0, high = 0 } = accuracyOf(share * 1_000_000, { total: 500, requests, workers: 0 }) ?? {};
        if (share < low || share > high) missed += 1;
      }
      // 40 expected. The score interval is off by a little where counts are small; six standard deviations of the count besides.
      assert.ok(missed < 40 + 6 * Math.sqrt(40) + 20, `${share}: ${missed} of 4000`);
    }
  });
});

describe('a split', () => {
  test('is not respected when its share is outside', () => {
    assert.equal(accuracyOf(100_000, { total: 1000, requests: 150, workers: 2 })?.respected, false);
    assert.equal(accuracyOf(100_000, { total: 1000, requests: 120, workers: 2 })?.respected, true);
    assert.equal(accuracyOf(0, { total: 10_000, requests: 60, workers: 4 })?.respected, false, 'weight 0 gets nothing');
  });

  test('is given the one request that each worker may owe', () => {
    const counted = { total: 20, requests: 0 };
    assert.equal(accuracyOf(290_000, { ...counted, workers: 1 })?.respected, true);
    assert.equal(accuracyOf(400_000, { ...counted, workers: 0 })?.respected, false);
    assert.equal(accuracyOf(400_000, { ...counted, workers: 4 })?.respected, true);
  });
});
