// How many requests of one kind may still pass: the counters of a limit, pure, with time as a parameter.
import { wantedOf, type Charge, type LimitAmount, type LimitCount, type Taken, type Wanted } from '../../config/limit-config.ts';

export interface Bucket {
  /**
   * Gives up to so many whole requests to `key`; a number: as many as there are of them. `nowMs` is of the wall clock for windows: all hosts have the same ones. `amount`: of its plan; what was
   * used before stays, of a bucket as the part of it that is empty.
   */
  take(key: string, wanted: number | Wanted, nowMs: number, amount?: LimitAmount): Taken;
  /** What was used beyond what was given, whatever is left; below 0: what was given and not used, of a window that still is. */
  charge(key: string, charge: Charge, nowMs: number, amount?: LimitAmount): void;
}

/** Keys that are remembered for a limit; one that nobody asked for the longest is forgotten first, and begins anew. */
const MAX_KEYS = 100_000;

export function bucketOf(limit: LimitCount): Bucket {
  if (limit.algorithm === 'token') return new TokenBucket(limit);
  return new WindowBucket(limit, limit.algorithm === 'sliding');
}

/** A map in the order of last use. */
class Recent<T> {
  readonly #values = new Map<string, T>();

  /** What is remembered, now the last used; made where there is nothing. */
  touch(key: string, make: () => T): T {
    const value = this.#values.get(key) ?? make();
    this.#values.delete(key);
    this.#values.set(key, value);
    const [oldest] = this.#values.keys();
    if (this.#values.size > MAX_KEYS && oldest !== undefined) this.#values.delete(oldest);
    return value;
  }
}

interface Window {
  index: number;
  current: number;
  before: number;
}

/** Windows of the clock; sliding ones weigh the window before by the part of it that is within reach. */
class WindowBucket implements Bucket {
  readonly #amount: LimitAmount;
  readonly #windowMs: number;
  readonly #slides: boolean;
  readonly #windows = new Recent<Window>();

  constructor(amount: LimitCount, slides: boolean) {
    this.#amount = amount;
    this.#windowMs = amount.windowMs;
    this.#slides = slides;
  }

  take(key: string, wanted: number | Wanted, nowMs: number, { limit }: LimitAmount = this.#amount): Taken {
    const { most, least } = wantedOf(wanted);
    const window = this.#at(key, nowMs);
    const passedMs = nowMs - window.index * this.#windowMs;
    const weighed = this.#slides ? (window.before * (this.#windowMs - passedMs)) / this.#windowMs : 0;
    const free = Math.max(0, Math.floor(limit - weighed - window.current));
    const granted = free < least ? 0 : Math.min(most, free);
    window.current += granted;
    return { granted, remaining: free - granted, resetMs: this.#resetMs(window, limit, free - granted, passedMs) };
  }

  charge(key: string, { count, ageMs }: Charge, nowMs: number): void {
    const window = this.#at(key, nowMs);
    if (count > 0 || Math.floor((nowMs - ageMs) / this.#windowMs) === window.index) window.current = Math.max(0, window.current + count);
  }

  #at(key: string, nowMs: number): Window {
    const index = Math.floor(nowMs / this.#windowMs);
    const window = this.#windows.touch(key, () => ({ index, current: 0, before: 0 }));
    if (window.index !== index) {
      window.before = index === window.index + 1 ? window.current : 0;
      window.current = 0;
      window.index = index;
    }
    return window;
  }

  /** Where nothing is left, the time until the window before weighs one less, if that is sooner than the next window. */
  #resetMs(window: Window, limit: number, free: number, passedMs: number): number {
    const toNextMs = this.#windowMs - passedMs;
    if (free > 0 || !this.#slides || window.before === 0) return toNextMs;
    const toOneMs = this.#windowMs * (1 - (limit - window.current - 1) / window.before) - passedMs;
    return Math.max(1, Math.min(toNextMs, Math.ceil(toOneMs)));
  }
}

/** Fills evenly (GCRA: the time at which the bucket is full is all that is kept of a key). */
class TokenBucket implements Bucket {
  readonly #amount: LimitAmount;
  readonly #windowMs: number;
  readonly #fullAt = new Recent<{ ms: number }>();

  constructor(amount: LimitCount) {
    this.#amount = amount;
    this.#windowMs = amount.windowMs;
  }

  take(key: string, wanted: number | Wanted, nowMs: number, { limit, burst }: LimitAmount = this.#amount): Taken {
    const { most, least } = wantedOf(wanted);
    const perTokenMs = this.#windowMs / limit;
    const emptyMs = burst * perTokenMs;
    const full = this.#fullAt.touch(key, () => ({ ms: nowMs }));
    const fullAtMs = Math.max(full.ms, nowMs);
    // A sum of parts may miss a whole token by a last digit.
    const free = Math.floor((emptyMs - (fullAtMs - nowMs)) / perTokenMs + 1e-9);
    const granted = free < least ? 0 : Math.max(0, Math.min(most, free));
    full.ms = fullAtMs + granted * perTokenMs;
    const left = Math.max(0, free - granted);
    const missing = Math.max(1, granted === 0 ? least : 1);
    const resetMs = left >= missing ? full.ms - nowMs : full.ms + missing * perTokenMs - emptyMs - nowMs;
    return { granted, remaining: left, resetMs: Math.max(1, Math.ceil(resetMs)) };
  }

  charge(key: string, { count }: Charge, nowMs: number, { limit }: LimitAmount = this.#amount): void {
    const full = this.#fullAt.touch(key, () => ({ ms: nowMs }));
    full.ms = Math.max(nowMs, Math.max(full.ms, nowMs) + (count * this.#windowMs) / limit);
  }
}
