// Flap damping: what goes down again soon after it came back stays away longer each time.

export interface HoldDownSettings {
  /** Least time away for the first relapse; doubles with each further one. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** A relapse is a fall within this time after the last return; afterwards all is forgotten. */
  readonly forgetMs: number;
}

/** As route flap damping (RFC 2439) in a simple form: `base × 2^(n−1)` for the n-th relapse. A first fall is never held. */
export const HOLD_DOWN: HoldDownSettings = { baseMs: 15_000, maxMs: 300_000, forgetMs: 600_000 };

export class HoldDown {
  readonly #settings: HoldDownSettings;
  #relapses = 0;
  #returnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(settings: HoldDownSettings) {
    this.#settings = settings;
  }

  /** It fell; how long from now it has to stay away, 0 for a first fall. */
  fell(nowMs: number): number {
    const { baseMs, maxMs, forgetMs } = this.#settings;
    this.#relapses = nowMs - this.#returnedAtMs < forgetMs ? this.#relapses + 1 : 0;
    return this.#relapses === 0 ? 0 : Math.min(maxMs, baseMs * 2 ** (this.#relapses - 1));
  }

  returned(nowMs: number): void {
    this.#returnedAtMs = nowMs;
  }
}
