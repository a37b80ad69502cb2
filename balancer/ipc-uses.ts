// What may be used once, as a worker asks whether it is used for the first time and the controller, which knows of all workers, decides it.
import type { OneTimeUse, UseOutcome } from './filter/authenticate/one-time-use.ts';

/** As many as came in one turn of the event loop. */
export interface UsesWantedMessage {
  readonly type: 'uses_wanted';
  /** Of the question, on this worker; 0: it is told what passed without the controller, and wants no answer. */
  readonly number: number;
  readonly uses: readonly OneTimeUse[];
}

export interface UsesDecidedMessage {
  readonly type: 'uses_decided';
  readonly number: number;
  /** In the order of the question. */
  readonly outcomes: readonly UseOutcome[];
}
