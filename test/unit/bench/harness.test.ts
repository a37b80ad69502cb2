// The micro harness on a clock of its own: each case costs what the test says it costs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, type MicroCase } from '../../../bench/micro/harness.ts';

/** A clock that only the cases move. */
function bench() {
  let nowMs = 0;
  let allocated = 0;
  const order: string[] = [];
  const caseOf = (name: string, costNs: (batch: number) => number): MicroCase => {
    let batch = 0;
    return {
      name,
      run: (iterations) => {
        nowMs += (iterations * costNs(batch)) / 1e6;
        // One byte an iteration, and now and then what the machine around it allocates.
        allocated += iterations + (batch % 2) * 1000;
        batch += 1;
        order.push(name);
        return iterations;
      },
    };
  };
  return { caseOf, order, setting: { rounds: 5, batchMs: 1, nowMs: () => nowMs, allocatedBytes: () => allocated } };
}

test('cases are compared by their fastest batch, and to the first', () => {
  const { caseOf, setting } = bench();
  // Every third batch of the second case is disturbed to ten times its cost.
  const [first, second] = compare([caseOf('plain', () => 100), caseOf('double', (batch) => (batch % 3 === 0 ? 2000 : 200))], setting);
  assert.ok(first !== undefined && second !== undefined);
  assert.ok(Math.abs(first.fastestNs - 100) < 1e-6);
  assert.equal(first.ratio, 1);
  assert.ok(Math.abs(second.ratio - 2) < 1e-6, `${second.ratio}`);
  assert.ok(Math.abs(second.medianNs - 200) < 1e-6);
  assert.deepEqual([first.bytes, second.bytes], [1, 1]);
});

test('every round runs each case once and starts with another one', () => {
  const { caseOf, order, setting } = bench();
  compare([caseOf('a', () => 100), caseOf('b', () => 100), caseOf('c', () => 100)], setting);
  assert.equal(order.slice(-15).join(''), 'abcbcacababcbca');
});

test('batches are as long as asked, by doubling', () => {
  const { caseOf, order, setting } = bench();
  compare([caseOf('a', () => 1000)], { ...setting, rounds: 1 });
  // 1 µs an iteration: 1024 iterations, the 11th batch, are the first to take 1 ms; one more is the round.
  assert.equal(order.length, 11 + 1);
});
