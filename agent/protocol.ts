// What an agent says to the hub: full snapshots only, so that a lost message never leaves a wrong state behind.

export const AGENT_PROTOCOL = 1;

export interface CapacitySnapshot {
  readonly protocol: typeof AGENT_PROTOCOL;
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
}

/** What the hub answers to each message, so that the agent sees a dead connection and learns why a report does not count. */
export interface HubReply {
  readonly protocol: typeof AGENT_PROTOCOL;
  /** Of the snapshot that is answered; null: it could not be read. */
  readonly sequence: number | null;
  readonly accepted: boolean;
  /** One word; empty when accepted. */
  readonly reason: string;
}

/** WebSocket close codes of the hub (RFC 6455 section 7.4.2: 4000 to 4999 are the application's). */
export const HUB_CLOSE = {
  /** Another agent reports for the cluster now. */
  replaced: 4001,
  /** More messages than the hub takes. */
  tooFast: 4002,
  /** The cluster left the config, or the token is valid no more. */
  notWanted: 4003,
} as const;

/** Where the hub takes reports; the name of the cluster follows. */
export const AGENT_PATH = '/v1/agents/';
