// What of a request on its way is otherwise where it is traced (traced-flow.ts): here, where it is not, it is nothing and costs nothing.
import type { ErrorCode } from '../errors.ts';
import { Attempt, type AnswerReceiver, type AttemptOwner, type Place } from './attempt.ts';
import type { WorkerContext } from './worker-context.ts';

export class Untraced {
  /** Empty: none. */
  get traceId(): string {
    return '';
  }

  protected attemptAt(place: Place, owner: AttemptOwner, receiver: AnswerReceiver, context: WorkerContext): Attempt {
    return new Attempt(place, owner, receiver, context);
  }

  /** What its endpoint is told; empty: nothing. */
  protected traceparentOf(attempt: Attempt): string;
  protected traceparentOf(): string {
    return '';
  }

  /** The request is over: what is counted, and the code of the error catalogue. */
  protected trace(durationMs: number, nowMs: number, result: number, error: ErrorCode | ''): void;
  protected trace(): void {
    return undefined;
  }
}
