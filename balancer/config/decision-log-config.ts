// How much is kept of what decisions were made from.

export interface DecisionLogConfig {
  /** Of all files together; 0: nothing is kept. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}
