// What an agent says to the hub: full snapshots only, so that a lost message never leaves a wrong state behind.
import type { WishAnswers } from './dialogue.ts';

/** What this program speaks best, and the one before it: hubs and agents are renewed one after the other, in any order. */
export const AGENT_PROTOCOL = 2;
export const AGENT_PROTOCOLS = [1, AGENT_PROTOCOL] as const;
export type AgentProtocol = (typeof AGENT_PROTOCOLS)[number];

export interface CapacitySnapshot {
  readonly protocol: AgentProtocol;
  readonly cluster: string;
  /** Random per start of the agent; orders restarts. */
  readonly bootId: string;
  /** Rises by one per snapshot of a boot; a snapshot that is not newer than the last is dropped. */
  readonly sequence: number;
  /** The agent's wall clock; shown, never used for freshness. */
  readonly sentAtMs: number;
  /** How often the agent means to send. */
  readonly periodMs: number;
  /** Requests per second the cluster can take, as declared to the agent; null: not declared. */
  readonly capacityRps: number | null;
  /** 0 to 1 (may exceed 1 under overload, up to 100). */
  readonly cpuUtilisation: number;
  readonly memoryUtilisation: number;
  readonly cores: number;
  readonly loadAverage1m: number;
  /** What the cluster answered per second since the snapshot before, the interval of `cpuUtilisation`; absent: the agent does not see requests. */
  readonly requestsPerSecond?: number;
  /** Of these, how many failed. */
  readonly errorsPerSecond?: number;
  readonly agentVersion: string;
  /** Use of what `capacityRps` is the whole of, over the interval of `requestsPerSecond`; absent: `cpuUtilisation` stands for it. */
  readonly utilisation?: number;
  readonly utilisationOf?: UtilisationSource;
  /** What the capacity can become in about two minutes, as a factor from 1; shown and used in checks before changes, never in routing. */
  readonly growth?: number;
  /** By service of the edge's config, as the agent was told; at most MOST_SERVICES. */
  readonly services?: readonly ServiceReport[];
  /** Absent: the agent finds no endpoints. */
  readonly endpoints?: EndpointsReport;
  readonly nodes?: NodesReport;
  /** Pods that no node has room for, for longer than they need to be placed. */
  readonly pendingPods?: number;
  /** Of the API server: `degraded` answers and is not ready, `away` does not answer. What is known of the cluster is then as old as its sources say. */
  readonly controlPlane?: 'ready' | 'degraded' | 'away';
  /** Of each thing the agent reads, how fresh it is. */
  readonly sources?: Readonly<Partial<Record<SourceName, SourceReport>>>;
  /** When the agent began to speak for its cluster, as milliseconds since 1970: of two agents the one with the higher epoch counts. Protocol 2. */
  readonly epoch?: number;
  /** Of the connection, as the hub named it in its greeting. Protocol 2. */
  readonly session?: string;
  /** What became of what the hub wishes for; absent: nothing was wished for on this connection. Protocol 2. */
  readonly wishes?: WishAnswers;
}

/** What a figure of use was measured at; the first that is known counts. */
export type UtilisationSource = 'application' | 'pods' | 'nodes' | 'host';

export interface ServiceReport {
  readonly service: string;
  /** Endpoints, each address and port once. `serving`: ready, or on the way out and still answering. */
  readonly ready: number;
  readonly serving: number;
  readonly total: number;
  /** Requests per second of one endpoint; null: neither declared nor learned. */
  readonly ratePerEndpoint: number | null;
  readonly rateOf: 'declared' | 'learned' | null;
  /** `ready` × `ratePerEndpoint` × scaler; 0: nothing is ready; null: no rate is known. */
  readonly capacityRps: number | null;
  readonly utilisation: number | null;
  readonly utilisationOf: UtilisationSource | null;
  /** A factor from 1, and one word for what bounds it. */
  readonly growth: number;
  readonly growthBound: GrowthBound;
}

/** What keeps a service from more: nothing scales it, its most replicas, room on nodes, pods that wait for room, or that not enough is known. */
export type GrowthBound = 'no_autoscaler' | 'max_replicas' | 'room' | 'pending_pods' | 'unknown';

export interface EndpointsReport {
  /** Of `list`: false when what it was read from is not fresh; the edge then keeps what it has. */
  readonly fresh: boolean;
  /** At most MOST_ENDPOINTS. */
  readonly list: readonly ReportedEndpoint[];
}

export interface ReportedEndpoint {
  /** An IP address without brackets, or a DNS name. */
  readonly host: string;
  readonly port: number;
  /** It leaves: nothing new, and what runs may finish. */
  readonly draining?: true;
}

export interface NodesReport {
  readonly ready: number;
  readonly total: number;
  /** Ready and under memory, disk or process pressure. */
  readonly pressed: number;
  /** Ready and open to new pods. */
  readonly schedulable: number;
}

export const SOURCES = ['nodes', 'pods', 'endpointSlices', 'services', 'autoscalers', 'podMetrics', 'nodeMetrics', 'application'] as const;
export type SourceName = (typeof SOURCES)[number];

export interface SourceReport {
  /** `absent`: it was never read, or is not to be had (not installed, not allowed). */
  readonly state: 'fresh' | 'stale' | 'absent';
  /** Since something was heard of it; null: never. */
  readonly ageMs: number | null;
}

export const MOST_SERVICES = 200;
export const MOST_ENDPOINTS = 500;

/** What the hub answers to each message, so that the agent sees a dead connection and learns why a report does not count. */
export interface HubReply {
  readonly protocol: AgentProtocol;
  /** Of the snapshot that is answered; null: it could not be read. */
  readonly sequence: number | null;
  readonly accepted: boolean;
  /** One word; empty when accepted. */
  readonly reason: string;
  /** What the edge sees of its own requests to the cluster, by service, from which an agent may learn rates; absent: it says nothing of it. */
  readonly observed?: Readonly<Record<string, ObservedService>>;
}

export interface ObservedService {
  readonly requestsPerSecond: number;
  /** Time to the first byte that 95 of 100 answers were within; null: too few to say. */
  readonly p95Ms: number | null;
}

/** WebSocket close codes of the hub (RFC 6455 section 7.4.2: 4000 to 4999 are the application's). */
export const HUB_CLOSE = {
  /** Another agent reports for the cluster now. */
  replaced: 4001,
  /** More messages than the hub takes. */
  tooFast: 4002,
  /** The cluster left the config, or the token is valid no more. */
  notWanted: 4003,
  /** An agent that began later speaks for the cluster. */
  superseded: 4004,
  /** Nothing was reported for too long. */
  unheard: 4005,
} as const;

/** Where the hub takes reports; the name of the cluster follows. */
export const AGENT_PATH = '/v1/agents/';
