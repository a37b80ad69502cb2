// Retries are a part of what is in flight, and what is given back can be taken again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryBudget } from '../../../balancer/upstream/retry-budget.ts';
import { loaded, SMALL_CONFIG } from '../../support/config-text.ts';

const settings = loaded(SMALL_CONFIG).services['shop']?.retries;
assert.ok(settings !== undefined);
const config = { ...settings, budgetRatio: 0.2, budgetMin: 3 };

function takenOf(budget: RetryBudget): number {
  let taken = 0;
  while (budget.take()) taken += 1;
  return taken;
}

test('the least is allowed even when nothing is in flight', () => assert.equal(takenOf(new RetryBudget(config)), 3));

test('more may retry as more is in flight', () => {
  const budget = new RetryBudget(config);
  budget.inFlight = 100;
  assert.equal(takenOf(budget), 20);
});

test('what is given back may be taken again, and no more', () => {
  const budget = new RetryBudget(config);
  assert.equal(takenOf(budget), 3);
  budget.giveBack();
  assert.equal(takenOf(budget), 1);
});

test('a ratio and a least of 0 allow no retry at all', () => {
  const budget = new RetryBudget({ ...config, budgetRatio: 0, budgetMin: 0 });
  budget.inFlight = 1000;
  assert.equal(budget.take(), false);
});

test('it knows the settings it keeps to, so that others make a new one', () => {
  const budget = new RetryBudget(config);
  assert.equal(budget.isFor({ ...config }), true);
  assert.equal(budget.isFor({ ...config, budgetMin: 4 }), false);
  assert.equal(budget.isFor({ ...config, budgetRatio: 0.5 }), false);
});

test('who waits in line gets room in turn, as soon as there is some, and nobody who left', () => {
  const budget = new RetryBudget({ ...config, budgetMin: 1, budgetRatio: 0 });
  const admitted: string[] = [];
  const waiter = (name: string) => ({ onRetryRoom: () => void admitted.push(name) });
  const gone = waiter('gone');
  for (const each of [waiter('first'), waiter('second'), gone, waiter('last')]) budget.join(each);
  assert.deepEqual(admitted, ['first']);
  budget.leave(gone);
  budget.giveBack();
  budget.giveBack();
  assert.deepEqual(admitted, ['first', 'second', 'last']);
});
