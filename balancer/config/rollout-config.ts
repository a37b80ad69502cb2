// How rollouts of a service go unless the command that begins one says otherwise.

export type OnFail = 'rollback' | 'step-back' | 'freeze';

export interface RolloutConfig {
  /** Millionths of the growing version in each step, rising. */
  readonly steps: readonly number[];
  /** A step lasts at least so long; the last one is for all steps behind it too. */
  readonly holdMs: readonly number[];
  /** A step has at least so many requests to the version. */
  readonly minRequests: number;
  /** As people write them: `errors<1%`. */
  readonly gates: readonly string[];
  readonly onFail: OnFail;
  /** Clusters that take all steps together, wave after wave; absent: all at once. */
  readonly waves?: readonly (readonly string[])[];
}

/** Everything in one step, whatever comes of it. */
export const AT_ONCE: RolloutConfig = { steps: [1_000_000], holdMs: [0], minRequests: 0, gates: [], onFail: 'rollback' };
