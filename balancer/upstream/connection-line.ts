// Who waits for a connection to an endpoint: one that is being opened, or, where as many as may are in use, one that becomes free. First come, first served.
import type { Deadlines, Expiring } from '../../health/deadlines.ts';
import type { ErrorCode } from '../errors.ts';
import type { UpstreamConnection } from '../message/exchange.ts';

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
  readonly #deadlines: Deadlines;
  readonly #onExpired: (waiter: ConnectionWaiter) => void;
  #places: Place[] = [];
  /** Clients may leave by thousands at once. */
  readonly #byWaiter = new Map<ConnectionWaiter, Place>();

  /** `onExpired`: is told of who has waited for as long as it may, up to a sweep later. */
  constructor(deadlines: Deadlines, onExpired: (waiter: ConnectionWaiter) => void) {
    this.#deadlines = deadlines;
    this.#onExpired = onExpired;
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
      const { waiter } = place;
      if (waiter === null) continue;
      this.#byWaiter.delete(waiter);
      return waiter;
    }
    return undefined;
  }

  remove(waiter: ConnectionWaiter): void {
    const place = this.#byWaiter.get(waiter);
    if (place === undefined) return;
    place.waiter = null;
    this.#byWaiter.delete(waiter);
  }

  /** All but the first `count`, who wait no more. */
  takeBehind(count: number): readonly ConnectionWaiter[] {
    const behind = [...this.#byWaiter.keys()].slice(count);
    for (const waiter of behind) this.remove(waiter);
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
    for (const waiter of expired) this.remove(waiter);
    this.#places = this.#places.filter(({ waiter }) => waiter !== null);
    this.deadlineMs = next;
    if (next === Infinity) this.#deadlines.remove(this);
    // Last: who is told may come again, and to this line.
    for (const waiter of expired) this.#onExpired(waiter);
  }
}
