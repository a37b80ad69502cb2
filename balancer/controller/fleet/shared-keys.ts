// A key that all workers of all hosts of a fleet share, worked out from the fleet's own: a client that comes to another host resumes its session, and keeps
// its place, and nothing has to be sent between hosts.
import type { Clock, Timer } from '../../../health/clock.ts';
import type { KeySource } from '../ticket-keys.ts';

export interface SharedKeysOptions {
  /** The key of a period. */
  readonly keyOf: (period: number) => Buffer;
  /** Infinity: there is one period. */
  readonly rotateMs: number;
  readonly clock: Clock;
  /** Gets each key, the first at once. */
  readonly onKey: (key: Buffer) => void;
}

/** A timer waits no longer than this; it looks again then. */
const LOOK_MS = 3_600_000;

export class SharedKeys implements KeySource {
  readonly #options: SharedKeysOptions;
  #rotateMs: number;
  #period: number | null = null;
  #timer: Timer | null = null;

  constructor(options: SharedKeysOptions) {
    this.#options = options;
    this.#rotateMs = options.rotateMs;
  }

  start(): void {
    this.#look();
  }

  rotateEvery(rotateMs: number): void {
    this.#rotateMs = rotateMs;
    this.#look();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Periods are counted from 1970, so that all hosts change at the same time, as far as their clocks agree. */
  #look(): void {
    this.#timer?.cancel();
    const { clock, keyOf, onKey } = this.#options;
    const wallMs = clock.wallMs();
    const period = Number.isFinite(this.#rotateMs) ? Math.floor(wallMs / this.#rotateMs) : 0;
    if (period !== this.#period) onKey(keyOf(period));
    this.#period = period;
    if (Number.isFinite(this.#rotateMs))
      this.#timer = clock.after(Math.min(LOOK_MS, (period + 1) * this.#rotateMs - wallMs), () => this.#look());
  }
}
