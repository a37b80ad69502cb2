// The clock of the tests: what stands on it must be able to trust it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '../../support/manual-clock.ts';

test('timers run in the order of their time, each at its own time', () => {
  const clock = new ManualClock(1000);
  const ran: [string, number][] = [];
  clock.after(30, () => ran.push(['late', clock.nowMs()]));
  clock.after(10, () => {
    ran.push(['early', clock.nowMs()]);
    clock.after(5, () => ran.push(['set on the way', clock.nowMs()]));
  });
  clock.after(10, () => ran.push(['early, set second', clock.nowMs()]));
  clock.advance(30);
  assert.deepEqual(ran, [
    ['early', 1010],
    ['early, set second', 1010],
    ['set on the way', 1015],
    ['late', 1030],
  ]);
  assert.equal(clock.pending, 0);
});

test('a cancelled timer never runs, and one that is not due waits', () => {
  const clock = new ManualClock();
  let ran = 0;
  const cancelled = clock.after(10, () => (ran += 1));
  clock.after(20, () => (ran += 1));
  cancelled.cancel();
  cancelled.cancel();
  clock.advance(19);
  assert.equal(ran, 0);
  assert.equal(clock.pending, 1);
  clock.advance(1);
  assert.equal(ran, 1);
});

test('promises that a timer settles run before time goes on', async () => {
  const clock = new ManualClock();
  const at: number[] = [];
  const chain = async (): Promise<void> => {
    for (let count = 0; count < 3; count += 1) {
      await new Promise<void>((resolve) => {
        clock.after(10, resolve);
      });
      at.push(clock.nowMs());
    }
  };
  const done = chain();
  await clock.elapse(30);
  await done;
  assert.deepEqual(at, [10, 20, 30]);
});

test('wall time moves with the clock', () => {
  const clock = new ManualClock(5000, 1_000_000);
  clock.advance(250);
  assert.equal(clock.wallMs(), 1_000_250);
});
