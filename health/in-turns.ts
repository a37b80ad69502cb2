// Long work beside requests: a little in each turn of the event loop, so that no request waits for all of it.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from './clock.ts';

/** Milliseconds of work in one turn: what a request may wait longer than it would anyway. */
const TURN_MS = 2;

/** The result of the steps. */
export async function inTurns<T>(steps: Generator<undefined, T>, clock: Pick<Clock, 'nowMs'>): Promise<T> {
  let untilMs = clock.nowMs() + TURN_MS;
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.nowMs() < untilMs) continue;
    await nextTurn();
    untilMs = clock.nowMs() + TURN_MS;
  }
}
