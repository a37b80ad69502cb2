// Latency as a balancing policy wants it: jumps up with the first slow answer, comes down slowly.

/**
 * Peak-sensitive moving average. Above the average a value replaces it; below, it counts by the time since the last one:
 * `average × w + value × (1 − w)` with `w = e^(−elapsed / decay)`. Nothing is allocated.
 */
export class PeakEwma {
  readonly #decayMs: number;
  #averageMs: number;
  #observedAtMs = Number.NEGATIVE_INFINITY;

  /** `initialMs` stands for something that was not observed yet. */
  constructor(decayMs: number, initialMs: number) {
    this.#decayMs = decayMs;
    this.#averageMs = initialMs;
  }

  observe(valueMs: number, nowMs: number): void {
    const old = this.#weight(nowMs);
    const first = this.#observedAtMs === Number.NEGATIVE_INFINITY;
    this.#averageMs = first || valueMs > this.#averageMs ? valueMs : this.#averageMs * old + valueMs * (1 - old);
    this.#observedAtMs = nowMs;
  }

  /** Fades while nothing is observed, so that what was slow once gets another request some day. */
  value(nowMs: number): number {
    return this.#observedAtMs === Number.NEGATIVE_INFINITY ? this.#averageMs : this.#averageMs * this.#weight(nowMs);
  }

  #weight(nowMs: number): number {
    return Math.exp(-Math.max(0, nowMs - this.#observedAtMs) / this.#decayMs);
  }
}
