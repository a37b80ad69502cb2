// Requests that a limit lets pass, as a worker asks for them and the controller, which counts for the host, gives them.

/** Of one counter. */
export interface AllowanceWish {
  readonly limit: string;
  readonly key: string;
  /** Requests that wait. */
  readonly need: number;
}

/** As many as asked in one turn of the event loop. */
export interface AllowanceWantedMessage {
  readonly type: 'allowance_wanted';
  readonly wishes: readonly AllowanceWish[];
}

export interface AllowanceGrant {
  readonly limit: string;
  readonly key: string;
  readonly granted: number;
  /** Still to be had by whoever asks. */
  readonly remaining: number;
  /** What is granted counts for nothing after this; where nothing is, it is of no use to ask before. */
  readonly resetMs: number;
}

export interface AllowanceMessage {
  readonly type: 'allowance';
  readonly grants: readonly AllowanceGrant[];
}
