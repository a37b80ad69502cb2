// Bounds on the requests in work on a cluster and on each of its endpoints, with a short queue of those that wait for room.
import type { Clock, Timer } from '../../health/clock.ts';
import type { ClusterLimits } from '../config/config.ts';
import type { ConnectionWaiter } from './connection-line.ts';

/** An endpoint, as far as it is counted. */
export interface Counted {
  readonly id: string;
  /** Requests let through and not over. */
  admitted: number;
}

/** `admitted` after a wait; `expired`: no room in time; `refused`: the queue was full; `left`: the request gave up first. */
export type QueueOutcome = 'admitted' | 'expired' | 'refused' | 'left';

/** Who is let through, once. */
export interface AdmittedWaiter extends ConnectionWaiter {
  /** The bounds in which it counts, null to begin with. Only they write it: a map beside it would keep those that are over from the collector of garbage (decision 0041). */
  admittedBy: Admission | null;
}

interface Waiting {
  readonly waiter: AdmittedWaiter;
  readonly place: Counted;
  readonly enter: () => void;
  readonly untilMs: number;
}

interface Spare {
  readonly place: Counted;
  readonly giveWay: () => void;
}

export class Admission {
  readonly #clock: Clock;
  readonly #count: (outcome: QueueOutcome) => void;
  #inWork = 0;
  /** Copies of requests, oldest first: no request sees them, and each gives way to one. */
  readonly #spare = new Map<ConnectionWaiter, Spare>();
  /** All wait equally long, so the first is the first to give up. */
  readonly #queue: Waiting[] = [];
  #timer: Timer | null = null;
  #requests = Infinity;
  #perEndpoint = Infinity;
  #queueLength = 0;
  #queueMs = 0;

  constructor(clock: Clock, count: (outcome: QueueOutcome) => void) {
    this.#clock = clock;
    this.#count = count;
  }

  /** A worker has an equal part of the limits of the host: it asks nobody, and the parts together are no more than the whole. */
  resize(limits: ClusterLimits, workers: number): void {
    this.#requests = partOf(limits.requests, workers) ?? Infinity;
    this.#perEndpoint = partOf(limits.requestsPerEndpoint, workers) ?? Infinity;
    this.#queueLength = partOf(limits.queueLength, workers) ?? 0;
    this.#queueMs = limits.queueMs;
  }

  hasRoom(place: Counted): boolean {
    return this.#inWork < this.#requests && place.admitted < this.#perEndpoint;
  }

  /** Calls `enter`, at once or when there is room, or fails the waiter. What entered must leave. */
  admit(waiter: AdmittedWaiter, place: Counted, enter: () => void): void {
    if (this.hasRoom(place)) return this.#enter(waiter, place, enter);
    if (this.#queue.length >= this.#queueLength) {
      this.#count('refused');
      return waiter.onConnectionFailed('overloaded', `${place.id}: as many requests as may are in work and waiting`);
    }
    this.#queue.push({ waiter, place, enter, untilMs: this.#clock.nowMs() + this.#queueMs });
    this.#watch();
  }

  /** The request of the waiter, which was for `place`, is over, or it waits no more. */
  leave(waiter: AdmittedWaiter, place: Counted): void {
    if (waiter.admittedBy !== this) return this.#giveUp(waiter);
    waiter.admittedBy = null;
    this.#inWork -= 1;
    place.admitted -= 1;
    const next = this.#queue.findIndex((waiting) => this.hasRoom(waiting.place));
    const [waiting] = next < 0 ? [] : this.#queue.splice(next, 1);
    if (waiting === undefined) return;
    this.#count('admitted');
    this.#enter(waiting.waiter, waiting.place, waiting.enter);
  }

  /** Lets a copy of a request in where nobody waits and the limits leave room beside all requests and other copies. */
  admitSpare(waiter: ConnectionWaiter, place: Counted, giveWay: () => void): boolean {
    const here = [...this.#spare.values()].filter((spare) => spare.place === place).length;
    if (this.#queue.length > 0 || this.#inWork + this.#spare.size >= this.#requests || place.admitted + here >= this.#perEndpoint)
      return false;
    this.#spare.set(waiter, { place, giveWay });
    return true;
  }

  leaveSpare(waiter: ConnectionWaiter): void {
    this.#spare.delete(waiter);
  }

  /** As few as need be. */
  #makeRoom(at: Counted): void {
    for (const [waiter, { place, giveWay }] of this.#spare) {
      const here = [...this.#spare.values()].filter((spare) => spare.place === at).length;
      const over = this.#inWork + this.#spare.size > this.#requests;
      if (!over && at.admitted + here <= this.#perEndpoint) return;
      if (!over && place !== at) continue;
      this.#spare.delete(waiter);
      giveWay();
    }
  }

  #enter(waiter: AdmittedWaiter, place: Counted, enter: () => void): void {
    waiter.admittedBy = this;
    this.#inWork += 1;
    place.admitted += 1;
    if (this.#spare.size > 0) this.#makeRoom(place);
    enter();
  }

  #giveUp(waiter: AdmittedWaiter): void {
    const index = this.#queue.findIndex((waiting) => waiting.waiter === waiter);
    if (index < 0) return;
    this.#queue.splice(index, 1);
    this.#count('left');
  }

  #watch(): void {
    const first = this.#queue[0];
    if (first === undefined) return;
    this.#timer ??= this.#clock.after(Math.max(0, first.untilMs - this.#clock.nowMs()), () => this.#expire(), true);
  }

  #expire(): void {
    this.#timer = null;
    const nowMs = this.#clock.nowMs();
    for (let first = this.#queue[0]; first !== undefined && first.untilMs <= nowMs; first = this.#queue[0]) {
      this.#queue.shift();
      this.#count('expired');
      first.waiter.onConnectionFailed('overloaded', `${first.place.id}: no room in time for another request in work`);
    }
    this.#watch();
  }
}

/** Null: there is no limit. */
function partOf(limit: number, workers: number): number | null {
  return limit === 0 ? null : Math.max(1, Math.floor(limit / workers));
}
