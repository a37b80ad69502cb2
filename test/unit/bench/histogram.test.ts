// The latency histogram against the sorted list of the same values.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastCheck from 'fast-check';
import { Histogram } from '../../../bench/histogram.ts';

/** A bucket is 1/64 of a doubling wide at its lower end, so its top is at most this much above any value in it. */
const BUCKET_WIDTH = 1 / 64;

const fractions = fastCheck.double({ min: 0, max: 1, noNaN: true });

test('every percentile is the exact one, or above it by less than a bucket', () => {
  fastCheck.assert(
    fastCheck.property(
      fastCheck.array(fastCheck.integer({ min: 0, max: 2 ** 35 }), { minLength: 1, maxLength: 200 }),
      fractions,
      (values, fraction) => {
        const histogram = new Histogram();
        for (const value of values) histogram.record(value);
        const exact = values.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(fraction * values.length)) - 1] ?? Number.NaN;
        const told = histogram.percentile(fraction) ?? Number.NaN;
        assert.ok(told >= exact && told <= exact * (1 + BUCKET_WIDTH), `${told} for ${exact}`);
      },
    ),
    { seed: 42 },
  );
});

test('a histogram without values has no percentile', () => {
  assert.equal(new Histogram().percentile(0.5), null);
});

test('a value beyond the last bucket counts in the last bucket', () => {
  const histogram = new Histogram();
  histogram.record(2 ** 50);
  assert.equal(histogram.total, 1);
  assert.ok((histogram.percentile(1) ?? 0) >= 2 ** 35);
});
