// What was used and may not be used again, as it is kept on disk and by all hosts of a fleet together.

export interface StoredUse {
  readonly key: string;
  /** Until when it is remembered, in milliseconds since 1970. */
  readonly untilMs: number;
}

/** Knows what all hosts of a fleet have used. */
export interface SharedUses {
  /** Whether it is the first time; remembered for so long. One step; throws `LedgerAwayError`. */
  use(key: string, keepMs: number): Promise<boolean>;
  close(): void;
}
