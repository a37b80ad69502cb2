// Which stored responses are being asked about behind the backs of clients: one request at a time for each, and none at once after one that failed.
import type { Clock } from '../../../health/clock.ts';
import type { StoredResponse } from './stored-response.ts';

/** On all variants of a route: each takes a place of the service. */
const MOST_AT_ONCE = 100;
/** A service that fails is asked no more often than this about each. */
const REST_MS = 1000;

export class Refreshing {
  readonly #clock: Clock;
  readonly #underWay = new Set<StoredResponse>();
  /** On the monotonic clock. */
  readonly #restsUntil = new WeakMap<StoredResponse, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True: the caller asks, and says so when that is over. */
  begin(stored: StoredResponse): boolean {
    if (this.#underWay.size >= MOST_AT_ONCE || this.#underWay.has(stored)) return false;
    if ((this.#restsUntil.get(stored) ?? 0) > this.#clock.nowMs()) return false;
    this.#underWay.add(stored);
    return true;
  }

  end(stored: StoredResponse): void {
    this.#underWay.delete(stored);
    this.#restsUntil.set(stored, this.#clock.nowMs() + REST_MS);
  }
}
