// An answer that is held back while a better one is looked for elsewhere: delivered after all, or dropped.
import type { ErrorCode } from '../errors.ts';
import type { Fields } from '../message/fields.ts';
import { noteFailure, type AnswerReceiver, type Attempt } from './attempt.ts';
import type { WorkerContext } from './worker-context.ts';

/** A body up to this is taken at once, so that its connection is free again; of a longer one the endpoint keeps the rest. */
const MAX_TAKEN_BYTES = 16 * 1024;

export interface AnswerHead {
  readonly status: number;
  readonly fields: Fields;
  readonly bodyLength: number;
}

/** The request flow, as an answer sees it. */
export interface AnswerTaker extends AnswerReceiver {
  readonly finished: boolean;
  /** This is the answer to the request. */
  deliver(attempt: Attempt, status: number, fields: Fields, bodyLength: number): void;
}

/** It costs memory up to the limit and one read beyond it, and there are as many as retries have room. */
export class HeldAnswer implements AnswerReceiver {
  readonly #attempt: Attempt;
  readonly #head: AnswerHead;
  readonly #flow: AnswerTaker;
  readonly #context: WorkerContext;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  /** Null: its end has not come. */
  #trailers: Fields | null = null;
  /** The endpoint broke off. */
  #lost = false;

  constructor(attempt: Attempt, head: AnswerHead, flow: AnswerTaker, context: WorkerContext) {
    this.#attempt = attempt;
    this.#head = head;
    this.#flow = flow;
    this.#context = context;
    attempt.receiver = this;
  }

  onResponseBody(chunk: Buffer): boolean {
    this.#chunks.push(Buffer.from(chunk));
    this.#bytes += chunk.length;
    return this.#bytes < MAX_TAKEN_BYTES;
  }

  onTurnEnd(): boolean {
    return true;
  }

  onResponseEnd(_attempt: Attempt, trailers: Fields): void {
    this.#trailers = trailers;
  }

  /** It was an answer, and no longer is one: the attempt that looks for a better one is all there is. */
  onFailure(attempt: Attempt, code: ErrorCode, detail: string): void {
    noteFailure(this.#context, attempt, { code, detail });
    this.#lost = true;
  }

  /** What has come of it, and the rest as it comes. False: it is lost. */
  deliver(): boolean {
    if (this.#lost) return false;
    const flow = this.#flow;
    const { status, fields, bodyLength } = this.#head;
    flow.deliver(this.#attempt, status, fields, bodyLength);
    let flowing = true;
    for (const chunk of this.#chunks) flowing = !flow.finished && flow.onResponseBody(chunk);
    if (flow.finished) return true;
    this.#attempt.receiver = flow;
    if (this.#trailers !== null) flow.onResponseEnd(this.#attempt, this.#trailers);
    else if (flow.onTurnEnd() && flowing) this.#attempt.resume();
    else this.#attempt.pause();
    return true;
  }

  discard(): void {
    this.#attempt.cancel();
  }
}
