// Weights become millionths that sum to a million, fairly and exactly.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MILLION } from '../../../balancer/config/config.ts';
import { toMillionths } from '../../../balancer/config/millionths.ts';

const weights = fc.dictionary(
  fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/),
  fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 1000 }),
    fc.double({ min: 0, max: 1e9, noNaN: true }),
    fc.double({ min: 0, max: Number.MAX_VALUE, noNaN: true }),
  ),
  { minKeys: 1, maxKeys: 30 },
);

test('percentages that add to 100 are kept exactly', () => {
  assert.deepEqual(toMillionths({ blue: 90, green: 10 }), { blue: 900_000, green: 100_000 });
  assert.deepEqual(toMillionths({ blue: 99.9999, green: 0.0001 }), { blue: 999_999, green: 1 });
});

test('the largest remainders get what is left, and ties go to the first name', () => {
  assert.deepEqual(toMillionths({ a: 1, b: 1, c: 1 }), { a: 333_334, b: 333_333, c: 333_333 });
  assert.deepEqual(toMillionths({ a: 1, b: 2 }), { a: 333_333, b: 666_667 });
});

test('no positive weight gives nothing to anybody', () => {
  assert.deepEqual(toMillionths({ a: 0, b: 0 }), { a: 0, b: 0 });
  assert.deepEqual(toMillionths({}), {});
});

test('millionths are whole, not negative, and sum to a million', () => {
  fc.assert(
    fc.property(weights, (given) => {
      const result = Object.values(toMillionths(given));
      const expected = Object.values(given).some((weight) => weight > 0) ? MILLION : 0;
      assert.ok(result.every((part) => Number.isInteger(part) && part >= 0));
      assert.equal(
        result.reduce((sum, part) => sum + part, 0),
        expected,
      );
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('every part is within one millionth of its exact share, and weight 0 gets exactly 0', () => {
  fc.assert(
    fc.property(weights, (given) => {
      const largest = Math.max(...Object.values(given));
      fc.pre(largest > 0);
      const total = Object.values(given).reduce((sum, weight) => sum + weight / largest, 0);
      for (const [name, part] of Object.entries(toMillionths(given))) {
        const share = (((given[name] ?? 0) / largest) * MILLION) / total;
        // 1 by definition of the method; the rest is the error of at most 60 additions and divisions in doubles.
        assert.ok(Math.abs(part - share) < 1 + 1e-6, `${name}: ${part} for ${share}`);
        if (given[name] === 0) assert.equal(part, 0);
      }
    }),
    { seed: 2, numRuns: 500 },
  );
});

test('a heavier weight never gets less', () => {
  fc.assert(
    fc.property(weights, (given) => {
      const result = toMillionths(given);
      const ordered = Object.entries(given).sort(([, a], [, b]) => a - b);
      ordered.slice(1).forEach(([name], index) => {
        const lighter = ordered[index]?.[0] ?? '';
        if ((given[lighter] ?? 0) < (given[name] ?? 0)) assert.ok((result[lighter] ?? 0) <= (result[name] ?? 0));
      });
    }),
    { seed: 3, numRuns: 500 },
  );
});
