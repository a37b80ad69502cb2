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
  readonly agentVersion: string;
}
