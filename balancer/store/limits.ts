// Limits that hold for all hosts of a fleet together: who counts them.
import type { LimitConfig, Taken } from '../config/limit-config.ts';

/** A limit as it is counted. */
export type CountedLimit = Pick<LimitConfig, 'name' | 'algorithm' | 'limit' | 'windowMs' | 'calendar' | 'burst'>;

export interface TakenOfFleet extends Taken {
  /** What was given and is not used counts for nothing after this. */
  readonly validMs: number;
}

/** Counts for all hosts, by one clock. */
export interface LimitCounter {
  /** Takes for `key` as many of `wanted` as there are, in one step; throws `LedgerAwayError`. */
  take(limit: CountedLimit, key: string, wanted: number): Promise<TakenOfFleet>;
  /** `used` of `key` was used, whether it was there or not; throws `LedgerAwayError`. */
  charge(limit: CountedLimit, key: string, used: number): Promise<void>;
  close(): void;
}
