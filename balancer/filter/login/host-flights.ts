// What only one worker of a host may do at a time: the others that want the same wait for it, and get what came of it.

export interface Landing {
  /** What came of it, for all that wait; it passes through the controller, which must not be able to read it. */
  readonly text: string;
  /** How long the host remembers it for those that come later; 0: not at all. */
  readonly keepMs: number;
}

export interface HostFlights {
  /**
   * Does `work` here, or waits for the worker that does it for the same key. Resolves with the text of the landing; empty: it came down somewhere else and
   * left nothing. While there is no controller each worker flies for itself.
   */
  fly(key: string, work: () => Promise<Landing>): Promise<string>;
}
