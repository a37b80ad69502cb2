// What runs in each cluster, as workers tell the controller, and what the controller asks of the tunnels there.

/** Requests with an attempt under way, tunnels left out, and tunnels. */
export type WorkCounts = readonly [requests: number, tunnels: number];

/** Once a second. Clusters that are not named have nothing running. */
export interface WorkMessage {
  readonly type: 'work';
  /** The plan that was served when it was counted: what ran then was sent by it, or had been before. */
  readonly plan: number;
  readonly clusters: Readonly<Record<string, WorkCounts>>;
  /** Consumers that were let on since the message before, with the credentials that proved them. A worker of an older program says nothing of them. */
  readonly callers?: Readonly<Record<string, readonly string[]>>;
}

/** Closes the tunnels to a cluster one by one, until it is told otherwise or nothing is heard for `TUNNELS_LEASE_MS`. */
export interface CloseTunnelsMessage {
  readonly type: 'close_tunnels';
  readonly cluster: string;
  /** Of this worker; 0: none any more. */
  readonly perSecond: number;
}

/** A controller that is gone cannot take back what it asked: it is asked again every second. */
export const TUNNELS_LEASE_MS = 3000;
