// When a version is cut off in a cluster because too much fails there, and how it is tried again.
import type { CircuitSettings } from '../../health/circuit.ts';
import type { StatusRange } from './config.ts';

export interface CircuitConfig extends CircuitSettings {
  /** Answers that count as failed, besides those that did not come. */
  readonly statuses: readonly StatusRange[];
}
