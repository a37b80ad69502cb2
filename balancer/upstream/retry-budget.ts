// How many retries may be under way: a part of the requests in flight, so that trouble is not answered with more load.
import type { RetryConfig } from '../config/config.ts';

export class RetryBudget {
  readonly #ratio: number;
  readonly #min: number;
  #retrying = 0;
  /** Requests of the service in work in this worker; kept by the pipeline. */
  inFlight = 0;

  constructor(config: RetryConfig) {
    this.#ratio = config.budgetRatio;
    this.#min = config.budgetMin;
  }

  /** True when it keeps to what `config` says. */
  isFor(config: RetryConfig): boolean {
    return this.#ratio === config.budgetRatio && this.#min === config.budgetMin;
  }

  /** True when another retry may start; it must be given back. */
  take(): boolean {
    if (this.#retrying >= Math.max(this.#min, this.#ratio * this.inFlight)) return false;
    this.#retrying += 1;
    return true;
  }

  giveBack(): void {
    this.#retrying -= 1;
  }
}
