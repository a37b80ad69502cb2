// Retries are a part of what is in flight, and what is given back can be taken again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RetryBudget } from '../../../balancer/upstream/retry-budget.ts';
import { loaded, SMALL_CONFIG } from '../../support/config-text.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const settings = loaded(SMALL_CONFIG).services['shop']?.retries;
assert.ok(settings !== undefined);
const config = { ...settings, budgetRatio: 0.2, budgetMin: 3 };

function takenOf(budget: RetryBudget): number {
  let taken = 0;
  while (budget.take()) taken += 1;
  return taken;
}

test('the least is allowed even when nothing is in flight', () => assert.equal(takenOf(new RetryBudget(config, new ManualClock())), 3));

test('more may retry as more is in flight', () => {
  const budget = new RetryBudget(config, new ManualClock());
  budget.inFlight = 100;
  assert.equal(takenOf(budget), 20);
});

test('what is given back may be taken again, and no more', () => {
  const budget = new RetryBudget(config, new ManualClock());
  assert.equal(takenOf(budget), 3);
  budget.giveBack();
  assert.equal(takenOf(budget), 1);
});

test('a ratio and a least of 0 allow no retry at all', () => {
  const budget = new RetryBudget({ ...config, budgetRatio: 0, budgetMin: 0 }, new ManualClock());
  budget.inFlight = 1000;
  assert.equal(budget.take(), false);
});

test('it knows the settings it keeps to, so that others make a new one', () => {
  const budget = new RetryBudget(config, new ManualClock());
  assert.equal(budget.isFor({ ...config }), true);
  assert.equal(budget.isFor({ ...config, budgetMin: 4 }), false);
  assert.equal(budget.isFor({ ...config, budgetRatio: 0.5 }), false);
});

test('who waits in line gets room in turn, as soon as there is some, and nobody who left', () => {
  const budget = new RetryBudget({ ...config, budgetMin: 1, budgetRatio: 0 }, new ManualClock());
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

/** One for each worker of a host, on one clock. */
function budgetsOf(workers: number, settings: { readonly budgetMin: number; readonly budgetRatio: number }, clock: ManualClock) {
  return Array.from({ length: workers }, (_, index) => {
    const budget = new RetryBudget(settings, clock, 7);
    budget.place = { index, of: workers };
    return budget;
  });
}

test('the workers of a host have its least together, not each for itself, at every moment', () => {
  const clock = new ManualClock();
  for (const workers of [1, 2, 3, 5, 8, 24])
    for (const budgetMin of [0, 1, 3, 7, 50]) {
      const budgets = budgetsOf(workers, { budgetMin, budgetRatio: 0.2 }, clock);
      for (let turn = 0; turn <= workers; turn += 1) {
        assert.equal(
          budgets.reduce((sum, { room }) => sum + room, 0),
          budgetMin,
          `${workers} workers, ${budgetMin}`,
        );
        clock.advance(250);
      }
    }
});

test('a part of the requests is not lost by rounding in every worker', () => {
  const budgets = budgetsOf(24, { budgetMin: 3, budgetRatio: 0.2 }, new ManualClock());
  for (const budget of budgets) budget.inFlight = 4;
  assert.equal(
    budgets.reduce((sum, budget) => sum + takenOf(budget), 0),
    Math.floor(0.2 * 24 * 4),
  );
});

test('every worker gets its turn, and who waits in line there gets room with it', () => {
  const clock = new ManualClock();
  const admitted = new Set<number>();
  const budgets = budgetsOf(8, { budgetMin: 3, budgetRatio: 0 }, clock);
  for (const [index, budget] of budgets.entries())
    budget.join({
      onRetryRoom: () => {
        admitted.add(index);
        budget.giveBack();
      },
    });
  assert.equal(admitted.size, 3);
  clock.advance(5 * 250);
  assert.equal(admitted.size, 8);
  assert.equal(clock.pending, 0);
});

test('nothing is timed for those who left', () => {
  const clock = new ManualClock();
  const budget = new RetryBudget({ budgetMin: 0, budgetRatio: 0 }, clock);
  const waiter = { onRetryRoom: () => assert.fail('there is no room') };
  budget.join(waiter);
  assert.equal(clock.pending, 1);
  budget.leave(waiter);
  assert.equal(clock.pending, 0);
});
