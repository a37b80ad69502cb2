// One attempt to have a request answered by one endpoint: connection, request, response, and who is to blame when it fails.
import { NOT_WATCHED, type Expiring } from '../../health/deadlines.ts';
import type { ErrorCode } from '../errors.ts';
import type { OutgoingRequest, ResponseListener, UpstreamConnection, UpstreamExchange } from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
import { grpcResult, grpcResultAtEnd, isGrpcAnswer } from '../message/grpc-status.ts';
import { ANSWERED_BY_ALL } from '../message/methods.ts';
import type { TunnelEnd } from '../message/tunnel.ts';
import type { Admission, AdmittedWaiter } from '../upstream/admission.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { ServiceTarget } from './service-steering.ts';
import { blamesPath } from './stats.ts';
import type { WorkerContext } from './worker-context.ts';

/** The request flow, as an attempt sees it. */
export interface AttemptOwner {
  /** Called when a connection is there: head and framing of the request; `tryMs` as the exchange takes it. */
  outgoing(attempt: Attempt, tryMs: number): OutgoingRequest;
  /** The request is on its way; the body may follow. */
  onSent(attempt: Attempt): void;
  onInformational(status: number, fields: Fields): void;
  onHead(attempt: Attempt, status: number, fields: Fields, bodyLength: number): void;
  onUpgrade(attempt: Attempt, fields: Fields, upgrade: string, end: TunnelEnd): void;
  onRequestDrain(): void;
  /** It takes longer than its limit: cancelled, or waited for all the same. */
  onLate(attempt: Attempt): void;
  /** Before its head. */
  onFailure(attempt: Attempt, code: ErrorCode, detail: string): void;
}

/** Who gets what follows the head of an answer. */
export interface AnswerReceiver {
  /** False: hold the endpoint back until `resume`. */
  onResponseBody(chunk: Buffer): boolean;
  onTurnEnd(): boolean;
  onResponseEnd(attempt: Attempt, trailers: Fields): void;
  onFailure(attempt: Attempt, code: ErrorCode, detail: string): void;
}

/** What became of an attempt, or of the search for a place. */
export interface Failure {
  readonly code: ErrorCode;
  /** For the log. */
  readonly detail: string;
}

/** Counts a failed attempt, as evidence too where the way to the endpoint is to blame. */
export function noteFailure({ counters, evidence, deadlines, nowMs }: WorkerContext, attempt: Attempt, { code, detail }: Failure): void {
  attempt.failed = { code, atMs: nowMs() };
  const { cluster, tries } = attempt.target;
  counters.upstreamFailure(cluster.name, code);
  // A kept connection that the endpoint closed meanwhile says nothing about the endpoint.
  if (!blamesPath(code) || code === 'stale_connection') return;
  // Nor does one that it closes for a method of which it never heard: whoever asks so on purpose must not take it away from others.
  if (code === 'connection_reset' && !ANSWERED_BY_ALL.has(attempt.method)) return;
  tries.lost();
  evidence.attemptFailed(attempt.target, deadlines.nowMs, code);
  evidence.pathFailed(cluster, attempt.endpoint, deadlines.nowMs, `${code}: ${detail}`);
}

export interface Place {
  readonly target: ServiceTarget;
  readonly endpoint: Endpoint;
}

/** How an attempt is begun. */
export interface Start {
  /** On a connection that was never used before. */
  readonly fresh: boolean;
  /** On one that can become a tunnel. */
  readonly upgrade: boolean;
  /** Up to the head of the answer; 0: no limit. */
  readonly tryMs: number;
}

export class Attempt implements AdmittedWaiter, ResponseListener, Expiring {
  /** Only while it waits for a connection. */
  deadlineMs = Infinity;
  watchedAt = NOT_WATCHED;
  admittedBy: Admission | null = null;
  readonly target: ServiceTarget;
  readonly endpoint: Endpoint;
  headSeen = false;
  /** Of the request; empty: it was not sent. */
  method = '';
  /** When its endpoint had been sent all of it, and when its head came; 0: not yet. */
  sentMs = 0;
  headMs = 0;
  /** The status by which the answer is judged; 0: there is none yet, or a call of gRPC has not come to its own. */
  result = 0;
  /** Whether the endpoint can tell that it has not seen a request which was on its way already. */
  tellsUnseen = false;
  /** Its limit passed before its head came. */
  late = false;
  /** Why nothing came of it, and when that was known; null: something did, or nobody waited for it any more. */
  failed: { readonly code: ErrorCode; readonly atMs: number } | null = null;
  readonly #owner: AttemptOwner;
  /** Another one while its answer is held back. */
  receiver: AnswerReceiver;
  readonly #context: WorkerContext;
  /** Its limit; 0: none. */
  tryMs = 0;
  #startedAtMs = 0;
  #exchange: UpstreamExchange | null = null;
  #over = false;

  constructor({ target, endpoint }: Place, owner: AttemptOwner, receiver: AnswerReceiver, context: WorkerContext) {
    this.target = target;
    this.endpoint = endpoint;
    this.#owner = owner;
    this.receiver = receiver;
    this.#context = context;
  }

  /** It had a limit, and kept to it. */
  get timely(): boolean {
    return this.tryMs > 0 && !this.late;
  }

  start(want: Start): void {
    this.endpoint.inFlight += 1;
    this.target.work.attempts += 1;
    this.tryMs = want.tryMs;
    // In line its time has not begun: the endpoint is not to blame for what waits here.
    const comes = this.endpoint.acquire(this, want);
    if (!comes || want.tryMs === 0 || this.#over || this.#exchange !== null) return;
    const { deadlines, nowMs } = this.#context;
    this.#startedAtMs = nowMs();
    this.deadlineMs = this.#startedAtMs + want.tryMs;
    deadlines.add(this);
  }

  onDeadline(): void {
    this.#stopWaiting();
    this.onLate();
  }

  /** The request flow lost interest. */
  cancel(): void {
    if (this.#over) return;
    this.#finish();
    if (this.#exchange === null) this.endpoint.cancel(this);
    else this.#exchange.cancel();
  }

  sendBody(chunk: Buffer): boolean {
    return this.#over || (this.#exchange?.sendBody(chunk) ?? true);
  }

  endBody(trailers: Fields): void {
    if (this.#over) return;
    // The endpoint is as fast as it answers, not as the client sends.
    this.sentMs = this.#context.nowMs();
    this.#exchange?.endBody(trailers);
  }

  /** Holds the endpoint back until `resume`. */
  pause(): void {
    if (!this.#over) this.#exchange?.pause();
  }

  resume(): void {
    if (!this.#over) this.#exchange?.resume();
  }

  onConnection(connection: UpstreamConnection): void {
    this.sentMs = this.#context.nowMs();
    this.tellsUnseen = connection.tellsUnseen;
    const outgoing = this.#owner.outgoing(this, this.#leftOfTry());
    this.method = outgoing.request.method;
    this.#exchange = connection.send(outgoing, this);
    this.#owner.onSent(this);
  }

  onConnectionFailed(code: ErrorCode, detail: string): void {
    this.#finish();
    this.#owner.onFailure(this, code, detail);
  }

  onInformational(status: number, fields: Fields): void {
    this.#owner.onInformational(status, fields);
  }

  onHead(status: number, fields: Fields, bodyLength: number): void {
    this.headSeen = true;
    this.headMs = this.#context.nowMs();
    const tookMs = this.headMs - this.sentMs;
    this.endpoint.observeLatency(tookMs);
    this.target.tryLimit.answered(tookMs);
    this.result = this.method === 'POST' && isGrpcAnswer(status, fields) ? (grpcResult(fields) ?? 0) : status;
    this.target.tries.answered(this.result, tookMs);
    this.#owner.onHead(this, status, fields, bodyLength);
  }

  onBody(chunk: Buffer): void {
    if (!this.receiver.onResponseBody(chunk)) this.#exchange?.pause();
  }

  onTurnEnd(): void {
    if (!this.#over && this.headSeen && !this.receiver.onTurnEnd()) this.#exchange?.pause();
  }

  onBodyEnd(trailers: Fields): void {
    if (this.result === 0) this.#judge(grpcResultAtEnd(trailers));
    this.#finish();
    this.receiver.onResponseEnd(this, trailers);
  }

  onUpgrade(fields: Fields, upgrade: string, end: TunnelEnd): void {
    this.#owner.onUpgrade(this, fields, upgrade, end);
  }

  /** The tunnel is closed; until then it counts as a request in flight. */
  tunnelClosed(): void {
    this.#finish();
  }

  onUpstreamDrain(): void {
    this.#owner.onRequestDrain();
  }

  onLate(): void {
    this.late = true;
    this.#owner.onLate(this);
  }

  onUpstreamFailure(code: ErrorCode, detail: string): void {
    this.#finish();
    (this.headSeen ? this.receiver : this.#owner).onFailure(this, code, detail);
  }

  /** The head said nothing of how the call went. */
  #judge(result: number): void {
    this.result = result;
    this.target.tries.ended(result);
    this.#context.evidence.ended(this.target, this.#context.deadlines.nowMs, result);
  }

  /** Connections count from the last sweep, which was a little earlier; so no try ends before its time. */
  #leftOfTry(): number {
    if (this.tryMs === 0 || this.late) return 0;
    const waitedMs = this.deadlineMs === Infinity ? 0 : this.sentMs - this.#startedAtMs;
    this.#stopWaiting();
    return Math.max(1, this.tryMs - waitedMs + this.sentMs - this.#context.deadlines.nowMs);
  }

  #stopWaiting(): void {
    this.#context.deadlines.forget(this);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopWaiting();
    this.target.work.attempts -= 1;
    this.endpoint.release(this);
  }
}
