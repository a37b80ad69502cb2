// Waiting that can be called off.
import type { Clock } from '../../health/clock.ts';

/** Resolves after `delayMs`, or at once when `signal` aborts; leaves neither timer nor listener behind. */
export function pause(delayMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(signal.aborted ? 0 : delayMs, done);
    signal.addEventListener('abort', done, { once: true });
  });
}
