// Rollouts and their gates, as the API shows them.

export interface GateView {
  readonly gate: string;
  readonly verdict: 'pass' | 'fail' | 'insufficient';
  /** For people. */
  readonly says: string;
}

export interface RolloutView {
  readonly service: string;
  readonly to: string;
  readonly phase: 'running' | 'paused' | 'frozen' | 'promoted' | 'rolled_back' | 'aborted';
  /** The revision that began it. */
  readonly begunAt: number;
  /** Percent of `to` in each step. */
  readonly steps: readonly number[];
  /** Index of the present one. */
  readonly step: number;
  /** Clusters that take the steps together; null: all at once. */
  readonly waves: readonly (readonly string[])[] | null;
  /** Index of the present one; 0 without waves. */
  readonly wave: number;
  /** Percent of `to` now, by intent; with waves, in the clusters of the present one. */
  readonly percent: number;
  /** Seconds since the step began, and those it lasts at least; 0 for what is at its end. */
  readonly heldSeconds: number;
  readonly holdSeconds: number;
  /** To the version, in this step. */
  readonly requests: number;
  readonly minRequests: number;
  readonly onFail: string;
  /** Empty when the rollout is at its end. */
  readonly gates: readonly GateView[];
  /** Why it is in this phase. */
  readonly note: string;
}
