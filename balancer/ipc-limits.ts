// Requests that a limit lets pass, as a worker asks for them and the controller, which counts for the host, gives them.

/** Of one counter. */
export interface AllowanceWish {
  readonly limit: string;
  readonly key: string;
  /** Of the caller; empty: none. */
  readonly plan: string;
  /** Of requests that wait, what all of them count. */
  readonly need: number;
  /** Less is of no use to the first of them; absent: 1. */
  readonly least?: number;
}

/** What was used beyond what was granted, or comes back. */
export interface AllowanceCharge extends Pick<AllowanceWish, 'limit' | 'key' | 'plan'> {
  readonly count: number;
  /** How long ago what comes back was granted. */
  readonly ageMs: number;
}

/** As many as asked in one turn of the event loop. */
export interface AllowanceWantedMessage {
  readonly type: 'allowance_wanted';
  readonly wishes: readonly AllowanceWish[];
  /** Told before anything is granted. Absent: none. */
  readonly charges?: readonly AllowanceCharge[];
}

export interface AllowanceGrant {
  readonly limit: string;
  readonly key: string;
  readonly granted: number;
  /** Still to be had by whoever asks. */
  readonly remaining: number;
  /** Until more can be had; where nothing is granted, it is of no use to ask before. */
  readonly resetMs: number;
  /** What is granted and not used counts for nothing after this. */
  readonly validMs: number;
  /** Nobody could be asked who counts, for the fleet or, of a quota, in the store; what the limit says of that holds for `resetMs`. */
  readonly isAway: boolean;
}

export interface AllowanceMessage {
  readonly type: 'allowance';
  readonly grants: readonly AllowanceGrant[];
  /** That share the limits of the fleet, this one among them. */
  readonly hosts: number;
}

/** What a worker last heard of a counter of its host. */
export interface AllowanceLeft {
  readonly limit: string;
  readonly key: string;
  readonly plan: string;
  /** In nobody's hand. */
  readonly remaining: number;
}

/** The first that a controller hears of its counters: one that was before it has counted, and the count goes on. */
export interface AllowancesLeftMessage {
  readonly type: 'allowances_left';
  readonly counters: readonly AllowanceLeft[];
}
