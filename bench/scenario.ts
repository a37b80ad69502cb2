// What a scenario is: a name for the command line and something that runs and prints.

export interface Scenario {
  readonly name: string;
  readonly summary: string;
  /** Option lines for `--help`. */
  readonly options: readonly string[];
  /** Runs with the arguments behind its name; tells the exit code. Ends early, with everything stopped, when `signal` aborts. */
  run(args: readonly string[], signal: AbortSignal): Promise<number>;
}

/** The command line was wrong: the message says what was expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
