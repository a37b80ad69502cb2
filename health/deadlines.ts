// Time-outs of many connections with one timer: each holds the time it may live to, one sweep looks at all of them.
import type { Clock, Timer } from './clock.ts';

/** Something with a time-out. */
export interface Expiring {
  /** On the clock of the sweep; Infinity: none. Written freely, as often as bytes move. */
  deadlineMs: number;
  /** Called once the deadline has passed; it sets another one or removes itself. */
  onDeadline(): void;
}

/**
 * A time-out is noticed up to one period late. `nowMs` is the time of the last sweep: good enough to set deadlines with, and free.
 */
export class Deadlines {
  nowMs: number;
  /** What it looks at, for time-outs that cannot wait for a sweep. */
  readonly clock: Clock;
  readonly #periodMs: number;
  readonly #items = new Set<Expiring>();
  #timer: Timer | null = null;

  constructor(clock: Clock, periodMs = 100) {
    this.clock = clock;
    this.#periodMs = periodMs;
    this.nowMs = clock.nowMs();
  }

  get size(): number {
    return this.#items.size;
  }

  add(item: Expiring): void {
    this.#items.add(item);
  }

  remove(item: Expiring): void {
    this.#items.delete(item);
  }

  /** It has no deadline any more. */
  forget(item: Expiring): void {
    if (item.deadlineMs === Infinity) return;
    item.deadlineMs = Infinity;
    this.#items.delete(item);
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
    for (const item of this.#items) if (item.deadlineMs <= nowMs) item.onDeadline();
  }

  #tick(): void {
    this.#timer = null;
    this.sweep();
    this.start();
  }
}
