// What a cluster can take, as the file declares and bounds it, who may report on it, and where.
import type { Bind, ListenerTls } from './config.ts';

export interface ClusterCapacity {
  /** Requests per second; null: not declared. */
  readonly rps: number | null;
  /** From what this host sends there and what the agent says of its use. */
  readonly learn: boolean;
  /** The most that is believed, whatever is reported; null or absent: anything. */
  readonly ceilingRps?: number | null;
}

/** Who may report for a cluster, beside the holders of its tokens, and what its agent is told. */
export interface ClusterAgent {
  /** DNS names and URIs of certificates. */
  readonly certificates: readonly string[];
  /** Absent: it is told only what operators say. */
  readonly prescale?: ClusterPrescale;
}

/** Of changes that bring a cluster more requests: its agent is told. */
export interface ClusterPrescale {
  /** So long before what is known beforehand. */
  readonly aheadMs: number;
  /** So long from when it comes. */
  readonly forMs: number;
  /** Of each service; null: what comes. */
  readonly mostRps: number | null;
}

export interface AgentListenerConfig {
  readonly bind: Bind;
  readonly tls: ListenerTls | null;
  readonly allowPlain: boolean;
}
