// What a host has taken in advance of one counter of the fleet, and gives to its workers.
import type { Clock } from '../../../health/clock.ts';
import type { TakenOfFleet } from '../../store/limits.ts';

/** A counter that is used up is not asked again before this, or before it gives more if that is sooner: a flood must stay cheap. */
const QUIET_MS = 100;

interface Lease {
  left: number;
  readonly untilMs: number;
}

export class LeasedCount {
  readonly #clock: Clock;
  readonly #take: (wanted: number) => Promise<TakenOfFleet>;
  #leases: Lease[] = [];
  /** Requests that wait for the answer. */
  #needed = 0;
  /** In nobody's hand, as last heard. */
  #remaining = 0;
  #resetAtMs = 0;
  #emptyUntilMs = -Infinity;
  #asking: Promise<void> | null = null;

  constructor(clock: Clock, take: (wanted: number) => Promise<TakenOfFleet>) {
    this.#clock = clock;
    this.#take = take;
  }

  /**
   * Gives `need` if they are to be had, and up to `spare` more of what the host has then, but nothing rather than less than `least`; asks for up to `slice` in advance.
   * Rejects as the count does.
   */
  async take({ need, least }: { readonly need: number; readonly least: number }, spare: number, slice: number): Promise<TakenOfFleet> {
    this.#needed += need;
    try {
      while (this.#left() < need && this.#clock.nowMs() >= this.#emptyUntilMs) await this.#ask(slice);
    } finally {
      this.#needed -= need;
    }
    const nowMs = this.#clock.nowMs();
    // Who waits comes before what another worker keeps in hand.
    const left = this.#left();
    const granted = left < least ? 0 : Math.min(left, need + Math.max(0, Math.min(spare, left - need - this.#needed)));
    const validMs = this.#spend(granted);
    const rest = this.#left();
    if (rest * 2 < slice && this.#remaining > 0) void this.#ask(slice).catch(() => undefined);
    // What others wait for is not to be had: who hears that something is left asks again.
    const remaining = granted === 0 && need > 0 ? 0 : rest + this.#remaining;
    return { granted, remaining, resetMs: Math.max(1, this.#resetAtMs - nowMs), validMs };
  }

  /** What is valid. */
  #left(): number {
    const nowMs = this.#clock.nowMs();
    if (this.#leases.some(({ left, untilMs }) => left === 0 || untilMs <= nowMs))
      this.#leases = this.#leases.filter(({ left, untilMs }) => left > 0 && untilMs > nowMs);
    return this.#leases.reduce((sum, { left }) => sum + left, 0);
  }

  /** From those that end first; how long all of it is valid. */
  #spend(count: number): number {
    let rest = count;
    let untilMs = Infinity;
    for (const lease of this.#leases) {
      if (rest === 0) break;
      const spent = Math.min(rest, lease.left);
      lease.left -= spent;
      rest -= spent;
      untilMs = Math.min(untilMs, lease.untilMs);
    }
    return untilMs === Infinity ? 0 : untilMs - this.#clock.nowMs();
  }

  /** One question at a time, for all that wait. */
  #ask(slice: number): Promise<void> {
    this.#asking ??= this.#askNow(slice).finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #askNow(slice: number): Promise<void> {
    // From before the question: nothing is valid longer than who counts has meant.
    const askedMs = this.#clock.nowMs();
    const wanted = Math.max(1, this.#needed + slice - this.#left());
    const { granted, remaining, resetMs, validMs } = await this.#take(wanted);
    if (granted > 0) this.#leases.push({ left: granted, untilMs: askedMs + validMs });
    else this.#emptyUntilMs = askedMs + Math.min(resetMs, QUIET_MS);
    this.#remaining = remaining;
    this.#resetAtMs = askedMs + resetMs;
  }
}
