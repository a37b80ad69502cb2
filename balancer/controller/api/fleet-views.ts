// What the admin API says of the hosts of a fleet.
import type { Revision } from '../../intent/intent.ts';

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
  /** `shop.split`: what it has otherwise than the fleet, by local changes. */
  readonly localFields: readonly string[];
}

/** Which hosts of the fleet serve the change. */
export interface FleetAppliedView {
  readonly hosts: number;
  readonly acknowledged: number;
  /** Those that have not within the time allowed, each with what is known of it. */
  readonly laggards: readonly string[];
}

/** A change of one host alone, `GET /v1/local`: as it would stand in the audit, made on that revision of the fleet. */
export interface LocalView extends Revision {
  /** Counted on that host. */
  readonly local: number;
  readonly host: string;
  /** `held`: in force on this host. `unfit`: the config has no such place any more, so that it changes nothing. */
  readonly state: 'held' | 'unfit' | 'ended';
  /** `shop.split` */
  readonly fields: readonly string[];
  /** ISO 8601, UTC: then it is over by itself; null: it stays until somebody decides. */
  readonly until: string | null;
  /** What became of it; empty: it is held. */
  readonly note: string;
  /** What the fleet has changed of the same fields since, one line each. */
  readonly conflicts: readonly string[];
}

/** `POST /v1/local`: what becomes of them. */
export interface LocalRequest {
  /** `merge`: each is asked of the whole fleet, as a change. `discard`: the fleet's stands. */
  readonly act: 'merge' | 'discard';
  /** Only this one; absent: all. */
  readonly number?: number;
  readonly reason?: string;
  readonly breakGlass?: boolean;
  /** The caller has accepted that it takes the place of what others did. */
  readonly yes?: boolean;
}
