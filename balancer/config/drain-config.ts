// What becomes of the tunnels to a cluster that is drained, unless the command that drains it says otherwise.

export interface DrainConfig {
  /** They are closed, one by one, when it has been drained for so long; null: they stay until their ends close them. */
  readonly deadlineMs: number | null;
  /** How many a second, over all workers of the host; null: as many as the places that take them over can bear. */
  readonly tunnelsPerSecond: number | null;
}
