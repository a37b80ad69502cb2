// Limits that hold for all hosts of a fleet together: who counts them.
import type { Charge, LimitConfig, Taken, Wanted } from '../config/limit-config.ts';

/** A limit as it is counted. */
export type CountedLimit = Pick<LimitConfig, 'name' | 'algorithm' | 'limit' | 'windowMs' | 'calendar' | 'burst'>;

export interface TakenOfFleet extends Taken {
  /** What was given and is not used counts for nothing after this. */
  readonly validMs: number;
}

/** Counts for all hosts, by one clock. */
export interface LimitCounter {
  /** Takes for `key` as many as there are of what is wanted, in one step; a number: whatever there is of it; throws `LedgerAwayError`. */
  take(limit: CountedLimit, key: string, wanted: number | Wanted): Promise<TakenOfFleet>;
  /** What was used beyond what was taken, whatever is left; the same. */
  charge(limit: CountedLimit, key: string, charge: Charge): Promise<void>;
  close(): void;
}
