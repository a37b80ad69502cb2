// Time-outs of many items with one sweep, against a plain list: whoever comes, goes or sets another one in the middle of a sweep, each is told when it is due.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadlines, NOT_WATCHED, type Expiring } from '../../../health/deadlines.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';

class Item implements Expiring {
  deadlineMs: number;
  watchedAt = NOT_WATCHED;
  told = 0;
  /** What it does when it is told; by itself it sets no other deadline. */
  does: () => void = () => undefined;

  constructor(deadlineMs: number) {
    this.deadlineMs = deadlineMs;
  }

  onDeadline(): void {
    this.told += 1;
    this.deadlineMs = Infinity;
    this.does();
  }
}

test('an item is told once its deadline has passed, and not again before it sets another', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const item = new Item(100);
  deadlines.add(item);
  deadlines.add(item);
  assert.equal(deadlines.size, 1);
  for (const [ms, told] of [
    [99, 0],
    [1, 1],
    [1000, 1],
  ] as const) {
    clock.advance(ms);
    deadlines.sweep();
    assert.equal(item.told, told);
  }
  item.deadlineMs = clock.nowMs();
  deadlines.sweep();
  assert.equal(item.told, 2);
});

test('an item that is forgotten is not told, and may come again', () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const [item, other] = [new Item(1), new Item(1)];
  for (const one of [item, other]) deadlines.add(one);
  deadlines.forget(item);
  deadlines.remove(item);
  clock.advance(1);
  deadlines.sweep();
  assert.deepEqual([item.told, other.told, item.deadlineMs, deadlines.size], [0, 1, Infinity, 1]);
  item.deadlineMs = 2;
  deadlines.add(item);
  clock.advance(1);
  deadlines.sweep();
  assert.deepEqual([item.told, other.told], [1, 1]);
});

test('in 300 random stories every item that is due in a sweep is told in it, unless another took it away before', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seededRandom(seed);
    const below = (bound: number): number => Math.floor(random() * bound);
    const clock = new ManualClock();
    const deadlines = new Deadlines(clock);
    const watched = new Set<Item>();
    const added = (): Item => {
      const item = new Item(clock.nowMs() + below(5));
      watched.add(item);
      deadlines.add(item);
      return item;
    };
    const taken = (item: Item): void => {
      watched.delete(item);
      deadlines.remove(item);
    };
    const oneOf = (items: readonly Item[]): Item | undefined => items[below(items.length)];
    for (let round = 0; round < 30; round += 1) {
      while (random() < 0.7) {
        const item = added();
        if (random() < 0.5) item.does = meddle;
      }
      clock.advance(below(3));
      const due = [...watched].filter(({ deadlineMs }) => deadlineMs <= clock.nowMs());
      const before = new Map(due.map((item) => [item, item.told]));
      deadlines.sweep();
      for (const item of due)
        if (watched.has(item)) assert.ok(item.told > (before.get(item) ?? Infinity), `seed ${seed}, round ${round}: one was not told`);
      assert.equal(deadlines.size, watched.size);
    }

    /** In the middle of a sweep: takes some away, itself perhaps, and adds others. */
    function meddle(): void {
      const item = oneOf([...watched]);
      if (item !== undefined && random() < 0.6) taken(item);
      if (random() < 0.3) added();
      if (random() < 0.3) {
        const later = oneOf([...watched]);
        if (later !== undefined && later.deadlineMs === Infinity) later.deadlineMs = clock.nowMs() + 1 + below(4);
      }
    }
  }
});
