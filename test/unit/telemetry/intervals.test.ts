// Intervals hold what they say: published figures, and coverage counted over seeded samples.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partDifference, quantileDifference, quantileInterval, wilson, Z95 } from '../../../balancer/telemetry/intervals.ts';
import { BUCKETS } from '../../../balancer/telemetry/latency-buckets.ts';
import { METRICS } from '../../../balancer/telemetry/metrics.ts';
import { bucketOf } from '../../../balancer/telemetry/meter.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const BOUNDS = Float64Array.from(METRICS.weir_upstream_answer_seconds.buckets);
const near = (value: number | null, expected: number): void =>
  assert.ok(value !== null && Math.abs(value - expected) < 5e-5, `${value} is not ${expected}`);

test('the interval of a part and of a difference are those of the literature', () => {
  // Newcombe 1998, "Interval estimation for the difference between independent proportions", table II, method 10.
  const { low, high } = partDifference({ hits: 56, of: 70 }, { hits: 48, of: 80 });
  near(low, 0.0524);
  near(high, 0.3339);
  const none = partDifference({ hits: 0, of: 10 }, { hits: 0, of: 20 });
  near(none.low, -0.1611);
  near(none.high, 0.2775);
  const all = wilson({ hits: 10, of: 10 }, Z95);
  near(all.low, 0.7225);
  assert.equal(all.high, 1);
});

test('without requests nothing is known', () => {
  assert.deepEqual(partDifference({ hits: 0, of: 0 }, { hits: 0, of: 0 }), { low: -1, high: 1 });
  assert.deepEqual(quantileInterval(new Array<number>(BUCKETS).fill(0), 0.5, 0.05), { low: 0, high: null });
});

test('too few requests bound a high quantile from below only', () => {
  const counts = new Array<number>(BUCKETS).fill(0);
  counts[5] = 50;
  // With 50 values the largest is below the 99th percentile with 0.99^50 = 60 %.
  assert.deepEqual(quantileInterval(counts, 0.99, 0.05), { low: 7.5, high: null });
  assert.deepEqual(quantileInterval(counts, 0.5, 0.05), { low: 7.5, high: 10 });
});

/** Exponential latencies of this mean, in seconds, as a histogram counts them. */
function sample(random: () => number, mean: number, count: number): readonly number[] {
  const counts = new Array<number>(BUCKETS).fill(0);
  for (let one = 0; one < count; one += 1) {
    const bucket = bucketOf(BOUNDS, -mean * Math.log(1 - random()));
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts;
}

test('the true difference of quantiles is within the interval at least as often as it says', () => {
  const random = seededRandom(11);
  const [mine, theirs] = [0.12, 0.1];
  for (const part of [0.5, 0.95]) {
    const truth = -Math.log(1 - part) * (mine - theirs) * 1000;
    let outside = 0;
    for (let round = 0; round < 300; round += 1) {
      const { low, high } = quantileDifference(sample(random, mine, 400), sample(random, theirs, 300), part);
      if ((low ?? -Infinity) > truth || (high ?? Infinity) < truth) outside += 1;
    }
    // At most 5 % of 300 in the mean; 30 are 4 standard deviations above.
    assert.ok(outside <= 30, `p${part * 100}: ${outside} of 300`);
  }
});

test('a difference that is there is found, however wide the buckets are', () => {
  const random = seededRandom(12);
  const { low } = quantileDifference(sample(random, 0.4, 2000), sample(random, 0.1, 2000), 0.95);
  assert.ok(low !== null && low > 0);
});
