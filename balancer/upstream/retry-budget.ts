// How many retries may be under way: a part of the requests in flight, so that trouble is not answered with more load.
import type { RetryConfig } from '../config/config.ts';

/** A request that would be tried elsewhere, and waits for room meanwhile. */
export interface RetryWaiter {
  /** It has been given room, which must be given back. */
  onRetryRoom(): void;
}

export class RetryBudget {
  readonly #ratio: number;
  readonly #min: number;
  #retrying = 0;
  readonly #line: RetryWaiter[] = [];
  /** Requests of the service in work in this worker; kept by the pipeline. */
  inFlight = 0;
  /** This worker's part of the least that the host may retry. */
  least: number;

  constructor(config: RetryConfig) {
    this.#ratio = config.budgetRatio;
    this.#min = config.budgetMin;
    this.least = config.budgetMin;
  }

  /** True when it keeps to what `config` says. */
  isFor(config: RetryConfig): boolean {
    return this.#ratio === config.budgetRatio && this.#min === config.budgetMin;
  }

  /** True when another retry may start; it must be given back. */
  take(): boolean {
    if (this.#retrying >= Math.max(this.least, Math.floor(this.#ratio * this.inFlight))) return false;
    this.#retrying += 1;
    return true;
  }

  giveBack(): void {
    this.#retrying -= 1;
    this.#admit();
  }

  /** In turn, as soon as there is room, also at once. */
  join(waiter: RetryWaiter): void {
    this.#line.push(waiter);
    this.#admit();
  }

  /** It wants no room any more. */
  leave(waiter: RetryWaiter): void {
    const index = this.#line.indexOf(waiter);
    if (index >= 0) this.#line.splice(index, 1);
  }

  #admit(): void {
    while (this.#line.length > 0 && this.take()) this.#line.shift()?.onRetryRoom();
  }
}
