// Time as a parameter: whatever waits or measures takes a Clock, so that tests run on virtual time.
// The global of this name is looked up at every use, which costs half as much again as reading the time.
import { performance } from 'node:perf_hooks';

/** A pending call; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds; only differences mean something. */
  nowMs(): number;
  /** Milliseconds since 1970-01-01 UTC; for records people read, never for durations. */
  wallMs(): number;
  /** Calls `run` once after `delayMs`. A system timer never keeps the process alive by itself when `background` is set. */
  after(delayMs: number, run: () => void, background?: boolean): Timer;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, run, background = false) => {
    const handle = setTimeout(run, delayMs);
    if (background) handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** A source of uniform numbers in [0, 1); seeded in tests. */
export type Random = () => number;

/** Settles after so long; `background` as of `Clock.after`. */
export function pause(clock: Pick<Clock, 'after'>, ms: number, background = false): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  clock.after(ms, () => resolve(undefined), background);
  return promise;
}
