// How the processes of a host come and go: a part of the config.
export interface SessionTicketsConfig {
  /** How long tickets are made with one key. Those of the key before are not taken any more. */
  readonly rotateMs: number;
}

export interface ProcessConfig {
  readonly sessionTickets: SessionTicketsConfig;
  readonly workers: number;
  /** How long a stopping worker lets requests finish. */
  readonly drainDeadlineMs: number;
  /** How long a stopping host serves on and says that it goes. */
  readonly lameDuckMs: number;
  /** Mean length of a turn of a worker's event loop above which requests are refused; 0: none are. */
  readonly overloadDelayMs: number;
  /** How long a process may give no sign of life; 0: for ever. */
  readonly hangMs: number;
}
