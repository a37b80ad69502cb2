// What was shown and may not be shown again while it would still be good: of a worker, bounded, forgotten when its time is over.
import { hash } from 'node:crypto';
import type { Clock } from '../../../health/clock.ts';

const MOST = 200_000;
/** 128 bits of a SHA-256: nobody finds two that are the same. */
const KEPT_BYTES = 16;

export class UsedOnce {
  /** Until when, in wall milliseconds, in the order of being shown. */
  readonly #used = new Map<string, number>();
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #most: number;

  constructor(clock: Pick<Clock, 'wallMs'>, most = MOST) {
    this.#clock = clock;
    this.#most = most;
  }

  /** False: it was shown before. Where there are too many the oldest is forgotten, and could be shown again. */
  take(text: string, untilMs: number): boolean {
    const key = hash('sha256', text, 'buffer').toString('latin1', 0, KEPT_BYTES);
    const nowMs = this.#clock.wallMs();
    if ((this.#used.get(key) ?? -Infinity) > nowMs) return false;
    this.#used.delete(key);
    this.#used.set(key, untilMs);
    this.#sweep(nowMs);
    return true;
  }

  #sweep(nowMs: number): void {
    let looked = 0;
    for (const [key, untilMs] of this.#used) {
      if (this.#used.size <= this.#most && (untilMs > nowMs || (looked += 1) > 2)) return;
      this.#used.delete(key);
    }
  }
}
