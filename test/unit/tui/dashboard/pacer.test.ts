// Many changes become one frame, and no more than so many frames a second.
import { deepEqual, equal } from 'node:assert/strict';
import { test } from 'node:test';
import { createPacer } from '../../../../tui/dashboard/pacer.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

test('the pacer draws the first change at once, later ones at the gap, and none after close', () => {
  const clock = new ManualClock(0);
  const drawn: number[] = [];
  const pacer = createPacer(clock, 200, () => drawn.push(clock.nowMs()));
  for (let atMs = 0; atMs < 1000; atMs += 10) {
    pacer.request();
    pacer.request();
    clock.advance(10);
  }
  clock.advance(5000);
  deepEqual(drawn, [0, 200, 400, 600, 800, 1000]);
  pacer.request();
  pacer.close();
  clock.advance(1000);
  equal(drawn.length, 6);
  equal(clock.pending, 0);
});
