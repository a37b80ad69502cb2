// How many retries may be under way: a part of the requests in flight, so that trouble is not answered with more load.
import type { Clock, Timer } from '../../health/clock.ts';
import type { RetryConfig } from '../config/retry-config.ts';

/** A request that would be tried elsewhere, and waits for room meanwhile. */
export interface RetryWaiter {
  /** It has been given room, which must be given back. */
  onRetryRoom(): void;
}

/** The place of a worker among those of its host, from 0. */
export interface WorkerPlace {
  readonly index: number;
  readonly of: number;
}

export const ONLY_WORKER: WorkerPlace = { index: 0, of: 1 };

/** So long a worker keeps its rank. Short, as late requests wait for their worker's turn; long beside the clocks of processes that turn alike. */
const TURN_MS = 250;

type BudgetConfig = Pick<RetryConfig, 'budgetRatio' | 'budgetMin'>;

/**
 * The part of one worker in the budget of the host. Of n workers the one of rank r may retry floor(x + r/n), where x is its own requests
 * times the ratio, or budgetMin/n if that is more. For equal x the parts sum to floor(n*x) (Hermite), so the least of all workers together
 * is budgetMin and nothing is lost by rounding n times. Ranks move on with the time of day, which is the same in all processes of a host:
 * no worker is without a part for long, and none has to ask. A retry that outlives the turn of its worker is above the least, by one per
 * worker at most where there are more workers than that.
 */
export class RetryBudget {
  readonly #config: BudgetConfig;
  readonly #clock: Clock;
  /** Services begin their turns at different workers, so that not one worker retries for all. */
  readonly #offset: number;
  #retrying = 0;
  readonly #line: RetryWaiter[] = [];
  #timer: Timer | null = null;
  /** Requests of the service in work in this worker; kept by the pipeline. */
  inFlight = 0;
  place = ONLY_WORKER;

  constructor(config: BudgetConfig, clock: Clock, offset = 0) {
    this.#config = config;
    this.#clock = clock;
    this.#offset = offset;
  }

  /** True when it keeps to what `config` says. */
  isFor({ budgetRatio, budgetMin }: BudgetConfig): boolean {
    return this.#config.budgetRatio === budgetRatio && this.#config.budgetMin === budgetMin;
  }

  /** There is never any room. */
  get isNone(): boolean {
    return this.#config.budgetRatio === 0 && this.#config.budgetMin === 0;
  }

  /** Retries that may be under way now. */
  get room(): number {
    const { index, of } = this.place;
    const { budgetRatio, budgetMin } = this.#config;
    const rank = of === 1 ? 0 : (index + this.#offset + Math.floor(this.#clock.wallMs() / TURN_MS)) % of;
    // In one division, so that whole numbers stay whole.
    return Math.floor((Math.max(budgetMin, budgetRatio * this.inFlight * of) + rank) / of);
  }

  /** True when another retry may start; it must be given back. */
  take(): boolean {
    if (this.#retrying >= this.room) return false;
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
    if (this.#line.length === 0) this.#stop();
  }

  #admit(): void {
    while (this.#line.length > 0 && this.take()) this.#line.shift()?.onRetryRoom();
    if (this.#line.length === 0) this.#stop();
    else this.#timer ??= this.#clock.after(TURN_MS - (this.#clock.wallMs() % TURN_MS), () => this.#turn(), true);
  }

  #turn(): void {
    this.#timer = null;
    this.#admit();
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
