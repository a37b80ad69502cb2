// Limits that hold for all hosts of a fleet together: who counts them, what is done while nobody can be asked, and permits that a host takes in advance.
import type { Clock } from '../../health/clock.ts';

/** So many in a period, evenly; up to `burst` of them at once. */
export interface Limit {
  /** Of whom: `route/consumer`. */
  readonly key: string;
  readonly permits: number;
  readonly periodMs: number;
  readonly burst: number;
}

/** While the count of the fleet cannot be asked: all pass, none does, or this host's part of the limit does. */
export type WhenAway = 'allow' | 'deny' | 'local';

/** `by`: `fleet`, it was counted for all; `away`, the count could not be asked. */
export interface Taken {
  readonly granted: number;
  /** Until there is one again; 0: there is one, or it is not known. */
  readonly retryMs: number;
  readonly by: 'fleet' | 'away';
}

/** Counts for all. */
export interface LimitCounter {
  /** Takes as many of `wanted` as there are; throws `LedgerAwayError`. */
  take(limit: Limit, wanted: number): Promise<Pick<Taken, 'granted' | 'retryMs'>>;
}

/** The generic cell rate algorithm: when the last permit that was given would be due if they were given evenly. Milliseconds. */
export class Cell {
  #dueMs = -Infinity;

  take({ permits, periodMs, burst }: Omit<Limit, 'key'>, wanted: number, nowMs: number): Pick<Taken, 'granted' | 'retryMs'> {
    const eachMs = periodMs / permits;
    const dueMs = Math.max(nowMs, this.#dueMs);
    const room = Math.max(0, Math.floor((nowMs + burst * eachMs - dueMs) / eachMs + 1e-9));
    const granted = Math.min(wanted, room);
    this.#dueMs = dueMs + granted * eachMs;
    return { granted, retryMs: granted > 0 ? 0 : dueMs + eachMs - burst * eachMs - nowMs };
  }
}

export interface FleetLimitOptions {
  readonly limit: Limit;
  readonly counter: LimitCounter;
  readonly clock: Clock;
  readonly whenAway: WhenAway;
  /** Hosts that share the limit: `local` gives this one its part. */
  readonly hosts: () => number;
}

/** Exact: each permit is asked of the fleet's count. */
export class ExactLimit {
  readonly #options: FleetLimitOptions;
  readonly #own = new Cell();

  constructor(options: FleetLimitOptions) {
    this.#options = options;
  }

  async take(wanted = 1): Promise<Taken> {
    const { counter, limit } = this.#options;
    try {
      return { ...(await counter.take(limit, wanted)), by: 'fleet' };
    } catch {
      return this.away(wanted);
    }
  }

  /** What is declared for the time in which the count cannot be asked. */
  away(wanted: number): Taken {
    const { limit, whenAway, clock, hosts } = this.#options;
    if (whenAway === 'allow') return { granted: wanted, retryMs: 0, by: 'away' };
    if (whenAway === 'deny') return { granted: 0, retryMs: 0, by: 'away' };
    const part = Math.max(1, hosts());
    const own = { permits: limit.permits / part, periodMs: limit.periodMs, burst: Math.max(1, Math.floor(limit.burst / part)) };
    return { ...this.#own.take(own, wanted, clock.nowMs()), by: 'away' };
  }
}

/**
 * By lease: permits are taken in advance, spent without asking anybody, and void when the lease is over. In any time T all hosts together let no more pass than
 * `burst + permits × (T + leaseMs) / periodMs`: what is spent was given at most `leaseMs` before. What a host takes and does not spend is lost to the others.
 */
export class LeasedLimit {
  readonly #options: FleetLimitOptions & { readonly leaseMs: number; readonly size: number };
  readonly #exact: ExactLimit;
  #left = 0;
  #untilMs = -Infinity;
  /** The count was asked in vain: what is declared for that holds until it is asked again. */
  #awayUntilMs = -Infinity;
  #noneUntilMs = -Infinity;
  #asking: Promise<void> | null = null;

  /** `size`: permits that are taken at a time. */
  constructor(options: FleetLimitOptions & { readonly leaseMs: number; readonly size: number }) {
    this.#options = options;
    this.#exact = new ExactLimit(options);
  }

  /** At once: whether one passes. What there is not is asked for in the background. */
  tryTake(): boolean {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs < this.#untilMs && this.#left > 0) {
      this.#left -= 1;
      if (this.#left <= this.#options.size / 2) void this.renew();
      return true;
    }
    void this.renew();
    return nowMs < this.#awayUntilMs && this.#exact.away(1).granted > 0;
  }

  /** Settles when the fleet was asked for permits; one question at a time. */
  renew(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs < this.#noneUntilMs || nowMs < this.#awayUntilMs) return Promise.resolve();
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const { counter, limit, size, leaseMs, clock } = this.#options;
    // From before the question: the permits are no older than the lease when it is over.
    const askedMs = clock.nowMs();
    const had = askedMs < this.#untilMs ? this.#left : 0;
    try {
      const { granted, retryMs } = await counter.take(limit, size - had);
      if (granted === 0) {
        this.#noneUntilMs = askedMs + Math.min(retryMs, leaseMs);
        return;
      }
      // What is left of the lease before is void at its own end: it is not lengthened by this one.
      this.#left = clock.nowMs() < this.#untilMs ? this.#left + granted : granted;
      this.#untilMs = had > 0 ? this.#untilMs : askedMs + leaseMs;
    } catch {
      this.#awayUntilMs = askedMs + leaseMs;
    }
  }
}
