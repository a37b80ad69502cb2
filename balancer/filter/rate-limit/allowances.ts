// What a limit says to one request, and who says it: a worker has some requests in hand, and asks for more before they are used up.
import type { LimitConfig } from '../../config/limit-config.ts';

export interface Decision {
  /** Nobody could say in time: `uncounted` passes all the same, `unknown` does not. */
  readonly verdict: 'pass' | 'refuse' | 'uncounted' | 'unknown';
  /** At least so many more would pass now. */
  readonly remaining: number;
  readonly resetMs: number;
}

export interface Allowances {
  /** All of `cost` (1) or nothing. A promise only where too little is in hand; it settles within a moment. */
  take(limit: LimitConfig, key: string, cost?: number): Decision | Promise<Decision>;
  /** What has been used beyond what was taken, whether it was there or not; below 0: what was taken and not used. */
  charge(limit: LimitConfig, key: string, cost: number): void;
}
