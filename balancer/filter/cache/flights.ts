// Requests for the same thing at the same time: one goes to the service and the others wait for what it gets, as long as that is for them.
import type { Clock, Timer } from '../../../health/clock.ts';
import type { Fields } from '../../message/fields.ts';

/** Each that waits is a request held in memory; more go on. */
const MOST_WAITING = 1000;
/** Whose answers were for nobody else is not waited for again for so long. */
const ALONE_MS = 10_000;
const MOST_ALONE = 10_000;

interface Waiting {
  readonly fields: Readonly<Fields>;
  readonly timer: Timer;
  readonly goOn: () => void;
}

export class Flights {
  readonly #clock: Clock;
  readonly #longestMs: number;
  readonly #flights = new Map<string, Flight>();
  /** Until when, in the order of their beginning. */
  readonly #alone = new Map<string, number>();

  /** `longestMs` 0: nobody waits. */
  constructor(clock: Clock, longestMs: number) {
    this.#clock = clock;
    this.#longestMs = longestMs;
  }

  /** Settles when it is time to look again; null: there is nothing to wait for. */
  wait(key: string, fields: Readonly<Fields>): Promise<undefined> | null {
    return this.#flights.get(key)?.join(fields, this.#longestMs) ?? null;
  }

  /** The request that others wait for from now on; null: nobody is to wait for it. */
  begin(key: string): Flight | null {
    if (this.#longestMs === 0 || this.#flights.has(key) || this.#isAlone(key)) return null;
    const flight = new Flight(this.#clock, (shared) => {
      this.#flights.delete(key);
      if (!shared) this.#remember(key);
    });
    this.#flights.set(key, flight);
    return flight;
  }

  #isAlone(key: string): boolean {
    const untilMs = this.#alone.get(key);
    if (untilMs === undefined) return false;
    if (untilMs > this.#clock.nowMs()) return true;
    this.#alone.delete(key);
    return false;
  }

  #remember(key: string): void {
    const [oldest] = this.#alone.keys();
    if (this.#alone.size >= MOST_ALONE && oldest !== undefined) this.#alone.delete(oldest);
    this.#alone.set(key, this.#clock.nowMs() + ALONE_MS);
  }
}

export class Flight {
  readonly #clock: Clock;
  readonly #onEnd: (shared: boolean) => void;
  readonly #waiting = new Set<Waiting>();
  /** Null: nobody knows yet what will come. */
  #isFor: ((fields: Readonly<Fields>) => boolean) | null = null;
  #over = false;

  constructor(clock: Clock, onEnd: (shared: boolean) => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  join(fields: Readonly<Fields>, longestMs: number): Promise<undefined> | null {
    if (this.#waiting.size >= MOST_WAITING || this.#isFor?.(fields) === false) return null;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const goOn = (): void => {
      waiting.timer.cancel();
      this.#waiting.delete(waiting);
      resolve(undefined);
    };
    const waiting: Waiting = { fields: fields.slice(), timer: this.#clock.after(longestMs, () => goOn(), true), goOn };
    this.#waiting.add(waiting);
    return promise;
  }

  /** The head has come; who would not get this response waits no longer. */
  answered(isFor: (fields: Readonly<Fields>) => boolean): void {
    this.#isFor = isFor;
    for (const waiting of this.#waiting) if (!isFor(waiting.fields)) waiting.goOn();
  }

  /** It is stored, or will not be: nobody waits any longer. `shared`: others may get what comes of such a request. */
  end(shared: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#onEnd(shared);
    for (const waiting of this.#waiting) waiting.goOn();
  }
}
