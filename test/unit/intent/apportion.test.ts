// Whole numbers divided by weights: exact in sum, fair to within one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastCheck from 'fast-check';
import { apportion } from '../../../balancer/intent/apportion.ts';

const weights = fastCheck.array(fastCheck.oneof(fastCheck.constant(0), fastCheck.double({ min: 1e-9, max: 1e9, noNaN: true })), {
  minLength: 1,
  maxLength: 12,
});

test('parts sum to the amount, are within one of their quota, and are 0 for weight 0', () => {
  fastCheck.assert(
    fastCheck.property(fastCheck.integer({ min: 0, max: 1_000_000 }), weights, (amount, list) => {
      const total = list.reduce((sum, weight) => sum + weight, 0);
      fastCheck.pre(total > 0);
      const parts = apportion(amount, list);
      assert.equal(
        parts.reduce((sum, part) => sum + part, 0),
        amount,
      );
      for (const [index, part] of parts.entries()) {
        const weight = list[index] ?? 0;
        if (weight === 0) assert.equal(part, 0);
        // The quota as a double may be a part in 2^50 off.
        assert.ok(Math.abs(part - (amount * weight) / total) < 1 + 1e-9 && Number.isInteger(part) && part >= 0);
      }
    }),
    { seed: 42, numRuns: 500 },
  );
});

test('ties go to the first, and nothing is divided among no weights', () => {
  assert.deepEqual(apportion(10, [1, 1, 1]), [4, 3, 3]);
  assert.deepEqual(apportion(2, [1, 3]), [1, 1]);
  assert.deepEqual(apportion(10, [0, 0]), [0, 0]);
  assert.deepEqual(apportion(10, []), []);
});
