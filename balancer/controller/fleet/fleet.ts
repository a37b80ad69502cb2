// What the controller knows of the fleet it belongs to, or that it has none.
import type { FleetAppliedView } from '../api/views.ts';
import type { Lease } from '../../store/ledger.ts';
import { NO_DEMAND } from './demand.ts';
import type { HostDemand, Presence } from './presence.ts';

/** Another host, as it was last heard of. */
export interface Peer {
  readonly id: string;
  readonly presence: Presence;
  /** Null: it lives. */
  readonly silentMs: number | null;
}

export interface Fleet {
  /** Whether this host does what is done once for all: rollouts, returns of what was set for a time, drills by schedule. */
  readonly leads: boolean;
  /** What the revisions are made with that the program makes by itself. */
  readonly lease: Lease | null;
  /** Why the others cannot be reached; null: they can, or there are none. */
  readonly problem: string | null;
  /** Asks it anew: why the fleet cannot be asked, or cannot be followed; null: it can, or there is none. */
  cutOff(): Promise<string | null>;
  /** Other hosts, by name, as they were when they were last asked for. */
  peers(): readonly Peer[];
  /** That live, this one among them, as last heard. */
  readonly hosts: number;
  /** Asks for them anew; what cannot be asked stays as it was. */
  refresh(): Promise<void>;
  /** What the clients of all others together ask for, as last heard. */
  demandOfPeers(): HostDemand;
  /** Its clock minus that of the ledger; null: not known, or there is none. */
  readonly skewMs: number | null;
  /** What the clock of the ledger says now; null: it was not heard yet, or there is none. */
  readonly wallMs: number | null;
  /** Settles when every other host serves the revision, or when the time is over, with those that do not; null: there are no others. */
  served(revision: number, timeoutMs: number): Promise<FleetAppliedView | null>;
  /** Settles when the others were asked for the first time, whatever came of it. */
  start(): Promise<void>;
  /** Takes over what the others have changed until now. */
  look(): Promise<void>;
  close(): Promise<void>;
}

/** A host that is alone leads, and nobody else can. */
export const ALONE: Fleet = {
  leads: true,
  lease: null,
  problem: null,
  skewMs: null,
  wallMs: null,
  cutOff: () => Promise.resolve(null),
  peers: () => [],
  hosts: 1,
  refresh: () => Promise.resolve(),
  demandOfPeers: () => NO_DEMAND,
  served: () => Promise.resolve(null),
  look: () => Promise.resolve(),
  start: () => Promise.resolve(),
  close: () => Promise.resolve(),
};
