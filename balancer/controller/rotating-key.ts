// A key that all workers share, of TLS session tickets or of pins, replaced in time: by one that this host makes, or that all hosts of a fleet work out alike.
import type { Clock, Timer } from '../../health/clock.ts';

/** Where the key comes from. */
export interface KeyHome {
  /** The key that holds now, and for how long yet, when each holds for `rotateMs`. */
  now(rotateMs: number): { readonly key: Buffer; readonly leftMs: number };
}

export interface RotatingKeyOptions {
  readonly home: KeyHome;
  /** Infinity: it stays. */
  readonly rotateMs: number;
  readonly clock: Clock;
  /** Gets each key, the first at once. */
  readonly onKey: (key: Buffer) => void;
}

/** A timer waits no longer than this; it looks again then. */
const LOOK_MS = 3_600_000;

export class RotatingKey {
  readonly #options: RotatingKeyOptions;
  #rotateMs: number;
  #current: Buffer | null = null;
  #timer: Timer | null = null;

  constructor(options: RotatingKeyOptions) {
    this.#options = options;
    this.#rotateMs = options.rotateMs;
  }

  start(): void {
    this.#look();
  }

  /** Another period. */
  rotateEvery(rotateMs: number): void {
    this.#rotateMs = rotateMs;
    this.#look();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #look(): void {
    this.#timer?.cancel();
    const { clock, home, onKey } = this.#options;
    const { key, leftMs } = home.now(this.#rotateMs);
    if (this.#current?.equals(key) !== true) onKey(key);
    this.#current = key;
    if (Number.isFinite(leftMs)) this.#timer = clock.after(Math.min(Math.max(leftMs, 1), LOOK_MS), () => this.#look(), true);
  }
}
