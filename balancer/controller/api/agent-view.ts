// What is known of the agent of a cluster, as the admin API shows it.
import type { CapacitySnapshot } from '../../../agent/protocol.ts';
import type { WishState } from '../../../agent/dialogue.ts';
import type { AgentState } from '../../steer/plan-shape.ts';

export interface AgentView {
  readonly cluster: string;
  readonly state: AgentState;
  /** It has a connection to this host. */
  readonly connected: boolean;
  /** Since the last accepted snapshot; null: never one. */
  readonly ageMs: number | null;
  readonly capacityRps: number | null;
  readonly cpuUtilisation: number | null;
  readonly memoryUtilisation: number | null;
  readonly agentVersion: string | null;
  /** Absent: nothing was reported. */
  readonly dialogue?: AgentDialogueView;
  /** What it says of a Kubernetes cluster; absent: nothing was reported. */
  readonly reported?: ReportedView;
  /** What this host wishes for of the cluster, and what became of it; absent: nothing. */
  readonly wishes?: readonly AgentWishView[];
}

/** What the agent of a cluster would be told of a change. */
export interface ExpectedView {
  readonly cluster: string;
  readonly service: string;
  /** Requests per second of the service in the cluster, now and then; as the config bounds them. */
  readonly rps: number;
  readonly before: number;
}

export interface AgentDialogueView {
  readonly protocol: number;
  /** When it began to speak for its cluster; null: it does not say (protocol 1). */
  readonly since: string | null;
  /** How far its clock is ahead of this host's; nothing is decided by it. Null: not known. */
  readonly clockSkewMs: number | null;
  /** The shortest of its connection; null: not measured yet. */
  readonly roundTripMs: number | null;
  /** It claims more than the ceiling that the config sets, and counts as that; null: it does not. */
  readonly heldAtRps: number | null;
}

/** As the agent said it; a figure that it does not know is not there. */
export type ReportedView = {
  readonly [K in 'utilisation' | 'utilisationOf' | 'growth' | 'services' | 'nodes' | 'pendingPods' | 'controlPlane' | 'sources']?:
    CapacitySnapshot[K] | undefined;
};

export interface AgentWishView {
  readonly id: string;
  /** One line: `expect 1800 requests/s of shop`. */
  readonly text: string;
  /** `asked`: the agent has not answered yet. */
  readonly state: WishState | 'asked';
  readonly detail: string;
  /** Null: until it is taken back. */
  readonly endsInSeconds: number | null;
}
