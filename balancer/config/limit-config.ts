// Limits of the rate of requests as every other part reads them.

/** What the requests of one counter have in common. */
export type LimitKeyPart =
  | { readonly kind: 'address' | 'consumer' | 'route' | 'host' }
  /** `name` in lower case. */
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'claim'; readonly name: string };

/**
 * `fixed`: so many in each window of the clock. `sliding`: the window before counts by what of it is still within reach, so that a boundary
 * lets nobody do twice as much. `token`: a bucket that fills evenly and holds `burst`. `concurrency`: so many at once, whenever they came.
 */
export type LimitAlgorithm = 'fixed' | 'sliding' | 'token' | 'concurrency';

/** Windows of a quota begin with each day or month of UTC. */
export type CalendarWindow = 'day' | 'month';

/** What of a wish for requests was given. */
export interface Taken {
  /** 0 to what was wished for. */
  readonly granted: number;
  /** That could be given now, after this. */
  readonly remaining: number;
  /** Until what was given counts for nothing any more, and until at least one more can be given where nothing remains. */
  readonly resetMs: number;
}

/** What is wished for: up to `most`, and nothing rather than less than `least`. */
export interface Wanted {
  readonly most: number;
  readonly least: number;
}

/** A number: as many as there are of them. */
export const wantedOf = (wanted: number | Wanted): Wanted => (typeof wanted === 'number' ? { most: wanted, least: 0 } : wanted);

/** What was used beyond what was taken; below 0: what of it goes back. */
export interface Charge {
  readonly count: number;
  /** How long ago it was taken: of a window that is over nothing goes back. */
  readonly ageMs: number;
}

/** What a limit counts, without of whom. */
export type LimitCount = Pick<LimitConfig, 'algorithm' | 'limit' | 'windowMs' | 'burst'>;

/** What of it differs by plan. */
export type LimitAmount = Pick<LimitConfig, 'limit' | 'burst'>;

/** `exact`: the count is asked for each request; `lease`: hosts take some in advance. */
export interface FleetCount {
  readonly mode: 'exact' | 'lease';
  readonly onStoreError: WithoutCount;
}

/** What becomes of a request while nobody can say how many there were. */
export type WithoutCount = 'allow' | 'deny' | 'local';

export interface LimitConfig {
  readonly name: string;
  readonly by: readonly LimitKeyPart[];
  readonly algorithm: LimitAlgorithm;
  /** Per window, or at once; at least 1. */
  readonly limit: number;
  /** Of a quota that of the longest window. */
  readonly windowMs: number;
  /** Not null: it is a quota, and its counts are kept in the store. */
  readonly calendar: CalendarWindow | null;
  /** What callers of a plan may in place of `limit`. */
  readonly ofPlans: Readonly<Record<string, number>>;
  /** The one whose amount `limit` is; empty: of callers without a plan of their own. */
  readonly plan: string;
  /** `token`: what the bucket holds. */
  readonly burst: number;
  readonly onUnavailable: WithoutCount;
  /** Null: each host counts for itself. */
  readonly fleet: FleetCount | null;
  /** Counted and told in metrics, and nobody is refused. */
  readonly shadow: boolean;
  /** Consumers it is not for. */
  readonly exemptConsumers: readonly string[];
  /** Blocks of addresses it is not for. */
  readonly exemptAddresses: readonly string[];
  readonly headers: 'draft-11' | 'draft-7' | 'draft-3' | 'none';
}

/** The limit as it holds for callers of a plan; what was used counts on whatever the plan is. A bucket holds in proportion to its pace. */
export function limitOfPlan(limit: LimitConfig, plan: string): LimitConfig {
  const amount = Object.hasOwn(limit.ofPlans, plan) ? limit.ofPlans[plan] : undefined;
  return amount === undefined
    ? limit
    : { ...limit, limit: amount, burst: Math.max(1, Math.round((limit.burst * amount) / limit.limit)), plan };
}
