// How long to wait before the next attempt: doubling from a base to a ceiling, with jitter so that many do not come back together.
import type { Random } from './clock.ts';

export interface BackOffSettings {
  readonly baseMs: number;
  readonly maxMs: number;
  /** 0 to 1: the part of a wait that is drawn at random. 0 waits exactly, 1 anything up to the full wait. */
  readonly jitter: number;
}

/** Beyond this many doublings every ceiling is reached; keeps the power finite however often an attempt fails. */
const MAX_DOUBLINGS = 52;

export class BackOff {
  readonly #settings: BackOffSettings;
  readonly #random: Random;
  #attempts = 0;

  constructor(settings: BackOffSettings, random: Random) {
    this.#settings = settings;
    this.#random = random;
  }

  /** The wait before the next attempt: `min(max, base × 2^n) × (1 − jitter × random)`, never above `maxMs`. */
  nextMs(): number {
    const { baseMs, maxMs, jitter } = this.#settings;
    const fullMs = Math.min(maxMs, baseMs * 2 ** this.#attempts);
    if (this.#attempts < MAX_DOUBLINGS) this.#attempts += 1;
    return fullMs * (1 - jitter * this.#random());
  }

  /** An attempt held: the next failure waits the base again. */
  reset(): void {
    this.#attempts = 0;
  }
}
