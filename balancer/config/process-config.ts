// How the processes of a host come and go: a part of the config.
export interface ProcessConfig {
  readonly workers: number;
  /** How long a stopping worker lets requests finish. */
  readonly drainDeadlineMs: number;
  /** How long a stopping host serves on and says that it goes. */
  readonly lameDuckMs: number;
  /** How long a process may give no sign of life; 0: for ever. */
  readonly hangMs: number;
}
