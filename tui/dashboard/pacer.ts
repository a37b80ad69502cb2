// Draws when asked, at most so many times a second: many changes become one frame.
import type { Clock, Timer } from '../../health/clock.ts';

export interface Pacer {
  request(): void;
  close(): void;
}

export function createPacer(clock: Clock, minGapMs: number, draw: () => void): Pacer {
  let lastMs = -Infinity;
  let timer: Timer | null = null;
  return {
    request: () => {
      if (timer !== null) return;
      // A delay of 0 still waits for the keys and statuses of this turn.
      timer = clock.after(Math.max(0, lastMs + minGapMs - clock.nowMs()), () => {
        timer = null;
        lastMs = clock.nowMs();
        draw();
      });
    },
    close: () => {
      timer?.cancel();
      timer = null;
    },
  };
}
