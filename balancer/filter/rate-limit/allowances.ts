// What a limit says to one request, and who says it: a worker has some requests in hand, and asks for more before they are used up.
import type { Charge, LimitConfig } from '../../config/limit-config.ts';

export interface Decision {
  /** Nobody could say in time: `uncounted` passes all the same, `unknown` does not. */
  readonly verdict: 'pass' | 'refuse' | 'uncounted' | 'unknown';
  /** At least so many more would pass now. */
  readonly remaining: number;
  readonly resetMs: number;
}

export interface Allowances {
  /**
   * A promise only where too little is in hand; it settles within a moment. `cost`: what the request counts, 1 if nothing is said; all of it is taken, or nothing. One that
   * counts 0 takes nothing, and passes where something is left.
   */
  take(limit: LimitConfig, key: string, cost?: number): Decision | Promise<Decision>;
  /** What a request was beyond what was taken for it. Refuses nothing: what is above the limit is missing to those that come. */
  charge(limit: LimitConfig, key: string, charge: Charge): void;
}
