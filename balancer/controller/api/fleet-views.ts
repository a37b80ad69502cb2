// What the admin API says of the hosts of a fleet.

export interface EdgeView {
  readonly name: string;
  readonly id: string;
  readonly configHash: string;
  readonly generation: number;
  readonly plan: number;
  readonly revision: number;
  readonly workersReady: number;
  readonly workers: number;
  /** Of the program. */
  readonly version: string;
  /** All its workers serve this revision, or a later one. */
  readonly servedRevision: number;
  readonly leads: boolean;
  /** Its clock minus that of the fleet's store; null: it is alone, or has not asked it yet. */
  readonly skewMs: number | null;
  /** Of a host that is not heard of: for how long; null: it lives. */
  readonly silentMs: number | null;
  /** What keeps it from following the fleet; null: nothing. */
  readonly problem: string | null;
}

/** Which hosts of the fleet serve the change. */
export interface FleetAppliedView {
  readonly hosts: number;
  readonly acknowledged: number;
  /** Those that have not within the time allowed, each with what is known of it. */
  readonly laggards: readonly string[];
}
