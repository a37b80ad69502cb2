// Values are the same when their canonical text is, and that is found without making it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, inOrder, sameJson } from '../../../balancer/config/canonical-json.ts';

/** Few keys and few values, so that equal and nearly equal values come up often. */
const small = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(0, -0, 1, 'a', '', true, null, undefined),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'constructor'), tie('value'), { maxKeys: 2, noNullPrototype: true }),
  ),
})).value;

test('two values are the same exactly when their canonical texts are', () => {
  let same = 0;
  fc.assert(
    fc.property(small, small, (a, b) => {
      const expected = canonicalJson(a) === canonicalJson(b);
      if (expected) same += 1;
      assert.equal(sameJson(a, b), expected);
    }),
    { seed: 1, numRuns: 2000 },
  );
  assert.ok(same > 50, `${same} pairs were the same`);
});

test('plain JSON of a value in order does not depend on how its keys were written', () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, part]) => [key, reversed(part)]),
    );
  };
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(inOrder(value));
      assert.equal(JSON.stringify(inOrder(reversed(value))), text);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    }),
    { seed: 2 },
  );
});
