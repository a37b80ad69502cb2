// A circuit breaker: closed while enough succeeds, open for a time when too much fails, then half open with a few trials that decide.
import type { Random } from './clock.ts';
import { OutlierDetector } from './outlier.ts';

export interface CircuitSettings {
  readonly windowMs: number;
  /** 0 to 1: the part of the requests of a window that must fail to open. */
  readonly ratio: number;
  readonly minRequests: number;
  /** The n-th time in a row lasts n times this. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** Requests in a second while it is half open, and successes in a row that close. */
  readonly trials: number;
}

export type CircuitState = 'closed' | 'open' | 'half-open';

const TRIALS_EVERY_MS = 1000;

/** `success` is on the path of every request: what an OutlierDetector does, and one comparison. */
export class Circuit {
  readonly #window: OutlierDetector;
  readonly #trials: number;
  /** It was open, or others say so, and has not proved itself since. */
  #doubted = false;
  #succeeded = 0;
  #let = 0;
  #letUntilMs = 0;

  constructor({ windowMs, ratio, minRequests, openMs, maxOpenMs, trials }: CircuitSettings, random: Random) {
    const ejection = { baseEjectionMs: openMs, maxEjectionMs: maxOpenMs };
    this.#window = new OutlierDetector({ consecutive: Infinity, ratio, minRequests, windowMs, ...ejection }, random);
    this.#trials = trials;
  }

  state(nowMs: number): CircuitState {
    if (this.#window.isEjected(nowMs)) return 'open';
    return this.#doubted ? 'half-open' : 'closed';
  }

  /** Whether the next request may go; one that may is a trial while the circuit is half open. */
  admits(nowMs: number): boolean {
    if (!this.#doubted) return true;
    if (this.#window.isEjected(nowMs)) return false;
    if (nowMs >= this.#letUntilMs) {
      this.#letUntilMs = nowMs + TRIALS_EVERY_MS;
      this.#let = 0;
    }
    if (this.#let >= this.#trials) return false;
    this.#let += 1;
    return true;
  }

  /** True: it closed by this. What was under way when it opened proves nothing. */
  success(nowMs: number): boolean {
    if (!this.#doubted) {
      this.#window.success(nowMs);
      return false;
    }
    if (this.#window.isEjected(nowMs)) return false;
    this.#succeeded += 1;
    if (this.#succeeded < this.#trials) return false;
    this.#doubted = false;
    return true;
  }

  /** How long it opens for from now; 0: it stays as it is. One failed trial is enough. */
  failure(nowMs: number): number {
    const forMs = this.#doubted ? this.#window.eject(nowMs) : this.#window.failure(nowMs);
    if (forMs > 0) this.#doubt();
    return forMs;
  }

  /** Others have found it failing: it is tried before all requests go there again. */
  suspect(): void {
    if (!this.#doubted) this.#doubt();
  }

  #doubt(): void {
    this.#doubted = true;
    this.#succeeded = 0;
    this.#let = 0;
    this.#letUntilMs = 0;
  }
}
