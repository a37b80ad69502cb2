// What this worker has of each counter of its limits, and the requests that wait for more: the same for requests in time and for requests at once.
import type { Clock, Timer } from '../../health/clock.ts';
import type { LimitConfig, WithoutCount } from '../config/limit-config.ts';
import type { Decision } from '../filter/rate-limit/allowances.ts';

/** After a wait in vain the controller is taken to hang, and nobody waits for it. */
export const AWAY_MS = 5000;

export interface Waiting {
  /** What it counts. */
  readonly cost: number;
  readonly decide: (decision: Decision) => void;
}

export interface HeldCounter {
  /** Of the newest generation that asked. */
  limit: LimitConfig;
  readonly key: string;
  /** In nobody's hand, as last heard. */
  remaining: number;
  /** It is of no use to ask before. */
  emptyUntilMs: number;
  /** The controller was, and has not answered. */
  asked: boolean;
  waiting: Waiting[];
  timer: Timer | null;
}

/** Nothing was heard of it yet. */
export const freshCounter = (limit: LimitConfig, key: string): HeldCounter => ({
  ...{ limit, key, remaining: 0, emptyUntilMs: 0, asked: false, waiting: [], timer: null },
});

export class HeldCounters<C extends HeldCounter> {
  readonly #byLimit = new Map<string, Map<string, C>>();
  readonly #make: (limit: LimitConfig, key: string) => C;
  #size = 0;

  constructor(make: (limit: LimitConfig, key: string) => C) {
    this.#make = make;
  }

  get size(): number {
    return this.#size;
  }

  find(limit: string, key: string): C | undefined {
    return this.#byLimit.get(limit)?.get(key);
  }

  /** Made where there is none. */
  of(limit: LimitConfig, key: string): C {
    let keys = this.#byLimit.get(limit.name);
    if (keys === undefined) {
      keys = new Map<string, C>();
      this.#byLimit.set(limit.name, keys);
    }
    const known = keys.get(key);
    if (known !== undefined) {
      known.limit = limit;
      return known;
    }
    const fresh = this.#make(limit, key);
    keys.set(key, fresh);
    this.#size += 1;
    return fresh;
  }

  *all(): Iterable<C> {
    for (const keys of this.#byLimit.values()) yield* keys.values();
  }

  /** Those that were made first in front. */
  ofLimit({ name }: LimitConfig): Iterable<C> {
    return this.#byLimit.get(name)?.values() ?? [];
  }

  drop({ limit: { name }, key }: C): void {
    const keys = this.#byLimit.get(name);
    if (keys?.delete(key) !== true) return;
    this.#size -= 1;
    if (keys.size === 0) this.#byLimit.delete(name);
  }
}

/** How long requests wait for the controller. */
export class Patience {
  readonly #clock: Clock;
  readonly #isUp: () => boolean;
  readonly #patienceMs: number;
  #awayUntilMs = -Infinity;

  constructor({ clock, isUp }: { readonly clock: Clock; readonly isUp: () => boolean }, patienceMs: number) {
    this.#clock = clock;
    this.#isUp = isUp;
    this.#patienceMs = patienceMs;
  }

  isOver(nowMs: number): boolean {
    return nowMs < this.#awayUntilMs || !this.#isUp();
  }

  /** The controller has said something. */
  renew(): void {
    this.#awayUntilMs = -Infinity;
  }

  /** `alone`: what becomes of each that waited in vain. */
  wait(counter: HeldCounter, alone: (cost: number) => Decision, cost = 1): Promise<Decision> {
    const { promise, resolve } = Promise.withResolvers<Decision>();
    counter.waiting.push({ cost, decide: resolve });
    counter.timer ??= this.#clock.after(
      this.#patienceMs,
      () => {
        this.#awayUntilMs = this.#clock.nowMs() + AWAY_MS;
        settle(counter, alone);
      },
      true,
    );
    return promise;
  }
}

/** Nobody waits any more. */
export function settle(counter: HeldCounter, decide: (cost: number) => Decision): void {
  counter.timer?.cancel();
  counter.timer = null;
  const { waiting } = counter;
  counter.waiting = [];
  for (const one of waiting) one.decide(decide(one.cost));
}

/** What becomes of a request that nobody can count. */
export function uncounted(what: WithoutCount, resetMs: number): Decision {
  return { verdict: what === 'deny' ? 'unknown' : 'uncounted', remaining: 0, resetMs };
}
