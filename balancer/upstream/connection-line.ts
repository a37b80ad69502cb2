// Who waits for a connection to an endpoint: one that is being opened, or, where as many as may are in use, one that becomes free. First come, first served.
import { NOT_WATCHED, type Deadlines, type Expiring } from '../../health/deadlines.ts';
import type { ErrorCode } from '../errors.ts';
import type { UpstreamConnection } from '../message/exchange.ts';
import type { QueueOutcome } from './admission.ts';

/** Who waits for a connection. */
export interface ConnectionWaiter {
  onConnection(connection: UpstreamConnection): void;
  onConnectionFailed(code: ErrorCode, detail: string): void;
}

interface Place {
  /** Null: it waits no more. */
  waiter: ConnectionWaiter | null;
  /** Infinity: as long as it takes to open one, which has a time-out of its own. */
  readonly untilMs: number;
}

export class ConnectionLine implements Expiring {
  /** When the first one may have waited long enough. */
  deadlineMs = Infinity;
  watchedAt = NOT_WATCHED;
  readonly #deadlines: Deadlines;
  readonly #onExpired: (waiter: ConnectionWaiter) => void;
  readonly #count: (outcome: QueueOutcome) => void;
  #places: Place[] = [];
  /** Clients may leave by thousands at once. */
  readonly #byWaiter = new Map<ConnectionWaiter, Place>();

  /** `onExpired`: is told of who has waited for as long as it may, up to a sweep later; `count`: of those who wait for one that others use. */
  constructor(deadlines: Deadlines, onExpired: (waiter: ConnectionWaiter) => void, count: (outcome: QueueOutcome) => void) {
    this.#deadlines = deadlines;
    this.#onExpired = onExpired;
    this.#count = count;
  }

  get length(): number {
    return this.#byWaiter.size;
  }

  add(waiter: ConnectionWaiter, untilMs = Infinity): void {
    const place = { waiter, untilMs };
    this.#places.push(place);
    this.#byWaiter.set(waiter, place);
    if (untilMs === Infinity) return;
    if (this.deadlineMs === Infinity) this.#deadlines.add(this);
    this.deadlineMs = Math.min(this.deadlineMs, untilMs);
  }

  /** The one that has waited the longest, who waits no more. */
  shift(): ConnectionWaiter | undefined {
    for (let place = this.#places.shift(); place !== undefined; place = this.#places.shift()) {
      const { waiter, untilMs } = place;
      if (waiter === null) continue;
      this.#byWaiter.delete(waiter);
      if (untilMs !== Infinity) this.#count('admitted');
      return waiter;
    }
    return undefined;
  }

  remove(waiter: ConnectionWaiter): void {
    if (this.#take(waiter)) this.#count('left');
  }

  /** All but the first `count`, who wait no more. */
  takeBehind(count: number): readonly ConnectionWaiter[] {
    const behind = [...this.#byWaiter.keys()].slice(count);
    for (const waiter of behind) this.#take(waiter);
    return behind;
  }

  onDeadline(): void {
    const { nowMs } = this.#deadlines;
    const expired: ConnectionWaiter[] = [];
    let next = Infinity;
    for (const { waiter, untilMs } of this.#places) {
      if (waiter === null) continue;
      if (untilMs <= nowMs) expired.push(waiter);
      else next = Math.min(next, untilMs);
    }
    for (const waiter of expired) if (this.#take(waiter)) this.#count('expired');
    this.#places = this.#places.filter(({ waiter }) => waiter !== null);
    this.deadlineMs = next;
    if (next === Infinity) this.#deadlines.remove(this);
    // Last: who is told may come again, and to this line.
    for (const waiter of expired) this.#onExpired(waiter);
  }

  /** Whether it waited for a connection that others use. */
  #take(waiter: ConnectionWaiter): boolean {
    const place = this.#byWaiter.get(waiter);
    if (place === undefined) return false;
    place.waiter = null;
    this.#byWaiter.delete(waiter);
    // Places of those that left go with the next one that is called, and nobody may be.
    if (this.#byWaiter.size === 0) this.#places = [];
    return place.untilMs !== Infinity;
  }
}
