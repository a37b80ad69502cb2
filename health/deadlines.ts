// Time-outs of many connections with one timer: each holds the time it may live to, one sweep looks at all of them.
import type { Clock, Timer } from './clock.ts';

/** Something with a time-out. */
export interface Expiring {
  /** On the clock of the sweep; Infinity: none. Written freely, as often as bytes move. */
  deadlineMs: number;
  /** Where it stands among those that are watched, NOT_WATCHED to begin with. Only Deadlines writes it, and an item is watched by one of them. */
  watchedAt: number;
  /** Called once the deadline has passed; it sets another one or removes itself. */
  onDeadline(): void;
}

export const NOT_WATCHED = -1;

/**
 * A time-out is noticed up to one period late. `nowMs` is the time of the last sweep: good enough to set deadlines with, and free.
 */
export class Deadlines {
  nowMs: number;
  /** What it looks at, for time-outs that cannot wait for a sweep. */
  readonly clock: Clock;
  readonly #periodMs: number;
  /** No Set: requests come and go, and the tables that it leaves behind keep those that are over from the collector of garbage (decision 0041). */
  readonly #items: Expiring[] = [];
  #timer: Timer | null = null;

  constructor(clock: Clock, periodMs = 100) {
    this.clock = clock;
    this.#periodMs = periodMs;
    this.nowMs = clock.nowMs();
  }

  get size(): number {
    return this.#items.length;
  }

  add(item: Expiring): void {
    if (item.watchedAt !== NOT_WATCHED) return;
    item.watchedAt = this.#items.length;
    this.#items.push(item);
  }

  /** The last one takes its place. */
  remove(item: Expiring): void {
    const place = item.watchedAt;
    if (place === NOT_WATCHED) return;
    item.watchedAt = NOT_WATCHED;
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    this.#items[place] = last;
    last.watchedAt = place;
  }

  /** It has no deadline any more. */
  forget(item: Expiring): void {
    if (item.deadlineMs === Infinity) return;
    item.deadlineMs = Infinity;
    this.remove(item);
  }

  start(): void {
    this.#timer ??= this.clock.after(this.#periodMs, () => this.#tick(), true);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Looks at every item now. */
  sweep(): void {
    const nowMs = this.clock.nowMs();
    this.nowMs = nowMs;
    // From the end: what is removed meanwhile is replaced by one that was looked at.
    for (let at = this.#items.length - 1; at >= 0; at -= 1) {
      const item = this.#items[at];
      if (item !== undefined && item.deadlineMs <= nowMs) item.onDeadline();
    }
  }

  #tick(): void {
    this.#timer = null;
    this.sweep();
    this.start();
  }
}
