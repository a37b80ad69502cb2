// When a version is cut off in a cluster because too much fails there, and how it is tried again.
import type { StatusRange } from './config.ts';

export interface CircuitConfig {
  readonly windowMs: number;
  /** 0 to 1: the part of the requests of a window that must fail to open. */
  readonly ratio: number;
  readonly minRequests: number;
  /** The n-th time in a row lasts n times this. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** Requests in a second while it is tried again, and successes in a row that close. */
  readonly trials: number;
  /** Answers that count as failed, besides those that did not come. */
  readonly statuses: readonly StatusRange[];
}
