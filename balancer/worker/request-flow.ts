// One request on its way through the worker: route filters, attempts, the response, and an end that is counted exactly once.
import type { Timer } from '../../health/clock.ts';
import { NOT_WATCHED, type Expiring } from '../../health/deadlines.ts';
import { ERRORS, WeirError, type ErrorCode } from '../errors.ts';
import { UNKNOWN_LENGTH, type DownstreamExchange, type DownstreamListener, type OutgoingRequest } from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
import { forwardedFields } from '../message/forwarded.ts';
import type { LocalReply, OwnResponse, ResponseHead, StoredReply } from '../message/response.ts';
import type { TunnelEnd } from '../message/tunnel.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { noteFailure, type Attempt, type AttemptOwner, type Failure, type Place } from './attempt.ts';
import { clientFields } from './client-fields.ts';
import { filteredRequestBody, filteredResponseBody, type FilteredBody } from './body-steps.ts';
import type { RouteRuntime } from './generation.ts';
import type { MirrorTry } from './mirror-try.ts';
import { OutgoingBody } from './outgoing-body.ts';
import { outgoingRequest, timeoutsOf } from './outgoing-request.ts';
import { changeableHead, RecalledBody } from './recalled-body.ts';
import { errorReplyTo, replyTo } from './respond.ts';
import { mayBeRepeated, mayGoTwice, Retrying, tryMsOf, type RetryOwner } from './retrying.ts';
import type { ServiceTarget } from './service-steering.ts';
import { isNotable, tellEnd, type RequestEnd } from './tell-end.ts';
import { openTunnel } from './tunnel.ts';
import { Untraced } from './untraced.ts';
import type { WorkerContext } from './worker-context.ts';

/** An HTTP/1.1 origin that keeps silent about Expect still gets its body after this (RFC 9110 section 10.1.1). */
const CONTINUE_AFTER_MS = 1000;

export class RequestFlow extends Untraced implements DownstreamListener, RetryOwner, Expiring {
  deadlineMs = Infinity;
  watchedAt = NOT_WATCHED;
  readonly exchange: DownstreamExchange;
  /** Null until a route matched. */
  route: RouteRuntime | null = null;
  readonly #context: WorkerContext;
  #attempt: Attempt | null = null;
  attempts = 0;
  #target: ServiceTarget | null = null;
  /** Null while the first attempt is all there was. */
  #retrying: Retrying | null = null;
  #steered = false;
  /** What chose the first place, and by which plan. */
  #chosenBy = '';
  #plan = 0;
  /** Of the request, as they go upstream. */
  #fields: Readonly<Fields> = NO_FIELDS;
  /** Null: the request has no body. */
  body: OutgoingBody | null = null;
  /** What filters make of the response's body; null: nothing. */
  #responseBody: FilteredBody | null = null;
  /** A stored answer in place of an endpoint's. */
  #recalled: RecalledBody | null = null;
  /** A copy of the request, if one was sent. */
  #mirror: MirrorTry | null = null;
  #bytesIn = 0;
  #bytesOut = 0;
  #status = 0;
  /** As it is counted: a call of gRPC gets 200 whatever became of it. */
  #result = 0;
  #headSent = false;
  #finished = false;
  #crashed = false;
  #error: ErrorCode | '' = '';
  #detail = '';
  #continueTimer: Timer | null = null;

  constructor(exchange: DownstreamExchange, context: WorkerContext) {
    super();
    this.exchange = exchange;
    this.#context = context;
    exchange.listener = this;
    context.inFlight += 1;
  }

  get finished(): boolean {
    return this.#finished;
  }

  /** The filters let it pass: steer it. */
  proceed(route: RouteRuntime): void {
    if (this.#finished) return;
    this.#steered = true;
    route.service.budget.inFlight += 1;
    const { requestMs } = route.service.config.timeouts;
    if (requestMs > 0) {
      this.deadlineMs = this.#context.deadlines.nowMs + requestMs;
      this.#context.deadlines.add(this);
    }
    if (route.service.refuses(route.config.priorityClass, this.exchange.request.clientAddress))
      return this.fail('overloaded', 'the service has more requests than its places can take');
    if (this.exchange.bodyLength !== 0) {
      const filtered = filteredRequestBody(route, this.exchange.request, (error) => this.#unfit(error, 'request'));
      this.body = new OutgoingBody(this.#context.bodyMemory, filtered, route.ownFields);
    }
    this.#fields = forwardedFields(this.exchange.request);
    const target = route.service.chooseFor(this.exchange.request);
    this.#chosenBy = route.service.chosenBy;
    this.#plan = this.#context.recent.plan;
    if (target === null) this.fail('no_cluster', 'no version of the service has a place that can be used');
    else this.#begin(target, route);
    // After the request itself: it waits for no copy.
    if (target !== null && !this.finished) this.#mirror = route.service.mirror?.offer(this.exchange, this.#fields, target) ?? null;
  }

  /** Answers with an error of the catalogue, or breaks off when it is too late to answer. */
  fail(code: ErrorCode, detail: string, fields: Readonly<Fields> = NO_FIELDS): void {
    if (this.#finished) return;
    [this.#error, this.#detail] = [code, detail];
    if (this.#headSent || ERRORS[code].status === 0) {
      this.exchange.abort();
      return this.#finish();
    }
    this.#result = ERRORS[code].status;
    const kept = this.#crashed ? null : (this.route?.memory?.recallInstead?.(this.exchange.request, code) ?? null);
    if (kept !== null) return this.recall(kept);
    this.#context.counters.localReply(this.exchange.request.listener, code);
    this.reply(errorReplyTo(this.exchange.request, code, fields));
  }

  /** Code of a filter threw: a bug, of which this request dies and no other. It is counted, and no filter sees the request again. */
  crash(error: unknown, phase: 'request' | 'response'): void {
    this.#crashed = true;
    this.#context.counters.exception(this.exchange.request.listener, phase);
    this.#attempt?.cancel();
    this.fail('internal', String(error));
  }

  /** Answers with a response of weir's own. */
  reply(reply: LocalReply): void {
    if (this.#finished) return;
    const local = replyTo(this.exchange.request, reply);
    this.#result ||= reply.status;
    const own: OwnResponse = { body: local.body, code: this.#error };
    const head: ResponseHead = { status: local.status, fields: [...local.fields], own };
    if (!this.#filtered(head)) return;
    const body = Buffer.from(own.body);
    this.#sendHead(head, body.length);
    this.exchange.sendBody(body);
    this.#bytesOut += body.length;
    this.#end([]);
  }

  /** Answers with what an endpoint said before; filters take it for one of now. */
  recall(reply: StoredReply): void {
    if (this.#finished) return;
    const head = changeableHead(reply, this.route);
    if (head !== null && !this.#filtered(head)) return;
    this.#sendHead(head ?? reply, reply.bodyLength);
    (this.#recalled = new RecalledBody(reply.body, this)).resume();
  }

  // --- the client's side ---

  onBody(chunk: Buffer): void {
    this.#bytesIn += chunk.length;
    if (this.body?.push(chunk) === false) this.exchange.pauseBody();
  }

  onBodyEnd(trailers: Fields): void {
    this.body?.end(trailers);
  }

  onDownstreamDrain(): void {
    (this.#recalled ?? this.#attempt)?.resume();
  }

  onDownstreamFailed(code: ErrorCode, answerable: boolean): void {
    if (this.#finished) return;
    this.#attempt?.cancel();
    if (answerable && !this.#headSent) return this.fail(code, 'the client did not send what it announced');
    this.#error = code;
    if (!this.#headSent) this.#status = 0;
    this.#finish();
  }

  onDeadline(): void {
    this.#attempt?.cancel();
    this.fail('request_deadline', 'the whole-request time-out of the service passed');
  }

  // --- the endpoint's side ---

  outgoing(attempt: Attempt, tryMs: number): OutgoingRequest {
    const [fields, timeouts, traceparent] = [this.#fields, timeoutsOf(this.route), this.traceparentOf(attempt)];
    return outgoingRequest(this.exchange, { target: attempt.target, fields, body: this.body, timeouts, tryMs, traceparent });
  }

  onSent(attempt: Attempt): void {
    if (this.body === null || attempt !== this.#attempt) return;
    const next = this.body.goTo(attempt, mayBeRepeated(this.exchange, attempt, this.route));
    if (next === 'resume') this.exchange.resumeBody();
    if (next !== 'begin') return;
    if (this.exchange.expectsContinue)
      this.#continueTimer = this.#context.clock.after(CONTINUE_AFTER_MS, () => this.exchange.sendInformational(100, []), true);
    this.exchange.readBody();
  }

  onInformational(status: number, fields: Fields): void {
    if (status === 100) this.#continueTimer?.cancel();
    this.exchange.sendInformational(status, fields);
  }

  onHead(attempt: Attempt, status: number, fields: Fields, bodyLength: number): void {
    this.#retrying?.cameFrom(attempt);
    this.#context.evidence.answered(attempt, this.#context.deadlines.nowMs);
    const { route } = this;
    if (route !== null && route.service.retryOn?.has(attempt.result) === true)
      if (this.#retries(route).answered(attempt, { status, fields, bodyLength })) return;
    this.#retrying?.drop();
    this.deliver(attempt, status, fields, bodyLength);
  }

  deliver(attempt: Attempt, status: number, fields: Fields, bodyLength: number): void {
    this.#attempt = attempt;
    this.#target = attempt.target;
    this.#continueTimer?.cancel();
    this.body?.forget();
    this.#mirror?.original(attempt.target.version, status, fields);
    const head = { status, fields: clientFields(attempt, fields, this.route, this.exchange.request), bodyLength };
    if (this.#filtered(head)) this.#sendHead(head, bodyLength);
  }

  onResponseBody(chunk: Buffer): boolean {
    this.#mirror?.originalBody(chunk);
    const bytes = this.#responseBody === null ? chunk : this.#responseBody.push(chunk);
    if (bytes === null) return true;
    this.#bytesOut += bytes.length;
    return this.exchange.sendBody(bytes);
  }

  onTurnEnd(): boolean {
    return this.exchange.flush();
  }

  onResponseEnd(attempt: Attempt, trailers: Fields): void {
    this.#result = attempt.result;
    this.#mirror?.originalEnd();
    this.onRecalledEnd(trailers);
  }

  onRecalledEnd(trailers: Fields = []): void {
    if (this.#responseBody === null) return this.#end(trailers);
    const last = this.#responseBody.end(trailers);
    if (last === null) return;
    this.#bytesOut += last.bytes.length;
    this.exchange.sendBody(last.bytes);
    this.#end(last.trailers);
  }

  onRequestDrain(): void {
    this.exchange.resumeBody();
  }

  onUpgrade(attempt: Attempt, fields: Fields, upgrade: string, end: TunnelEnd): void {
    if (this.exchange.upgrade === '' || upgrade !== this.exchange.upgrade) {
      attempt.tunnelClosed();
      end.destroy();
      return this.onFailure(attempt, 'upgrade_refused', `101 to "${upgrade}", asked was "${this.exchange.upgrade}"`);
    }
    this.#status = this.#result = 101;
    this.#headSent = true;
    // The time-out of the request is met; a tunnel ends when it is idle.
    this.#context.deadlines.forget(this);
    const joint = { client: this.exchange.sendUpgrade(fields), upstream: end, cluster: attempt.target.cluster.name, upgrade };
    openTunnel(joint, timeoutsOf(this.route).tunnelIdleMs, this.#context, ({ totals }) => {
      this.#bytesIn += totals.bytesIn;
      this.#bytesOut += totals.bytesOut;
      attempt.tunnelClosed();
      this.#finish();
    });
  }

  onLate(attempt: Attempt): void {
    if (!this.#finished && this.route !== null) this.#retries(this.route).tooLate(attempt);
  }

  goOn(attempt: Attempt, failure: Failure, place: Place | null): void {
    this.#context.counters.upstreamFailure(attempt.target.cluster.name, failure.code);
    attempt.failed = { code: failure.code, atMs: this.#context.nowMs() };
    attempt.cancel();
    if (place === null) this.#giveUp(failure.code, failure.detail);
    else this.begin(place);
  }

  onFailure(attempt: Attempt, code: ErrorCode, detail: string): void {
    noteFailure(this.#context, attempt, { code, detail });
    if (this.#finished || this.route === null) return;
    this.#retries(this.route).follow(attempt, { code, detail: `${attempt.target.cluster.name} ${detail}` });
  }

  followUp(place: Place | null, { code, detail }: Failure): void {
    if (place === null) return this.#giveUp(code, detail);
    if (this.body?.interrupt() === true) this.exchange.pauseBody();
    this.begin(place);
  }

  begin(place: Place, to: AttemptOwner = this): Attempt {
    const { target } = place;
    this.attempts += 1;
    this.#target = target;
    const fresh = this.#retrying?.isStale(place.endpoint) === true;
    const attempt = (this.#attempt = this.attemptAt(place, to, this, this.#context));
    const service = this.route?.service;
    const tryMs = service === undefined ? 0 : tryMsOf(this.exchange, { target, service }, this.#retrying, this.#context.deadlines.nowMs);
    attempt.start({ fresh, upgrade: this.exchange.upgrade !== '', tryMs });
    return attempt;
  }

  /** How it ended. */
  protected told(durationMs: number, notable: boolean): RequestEnd {
    const way = { route: this.route, target: this.#target, attempt: this.#attempt, attempts: this.attempts };
    const counts = { status: this.#status, result: this.#result, bytesIn: this.#bytesIn, bytesOut: this.#bytesOut, durationMs };
    const said = { chosenBy: this.#chosenBy, plan: this.#plan, error: this.#error, detail: this.#detail, notable };
    return { way, counts, said, failed: this.#retrying?.failed ?? null, traceId: this.traceId };
  }

  /** No attempt can follow: an answer that was held back is still better than an error. */
  #giveUp(code: ErrorCode, detail: string): void {
    if (this.#retrying?.deliverHeld() !== true) this.fail(code, detail);
  }

  #retries(route: RouteRuntime): Retrying {
    return (this.#retrying ??= new Retrying(this, route.service, this.#context));
  }

  #begin(target: ServiceTarget, route: RouteRuntime): void {
    const endpoint = target.cluster.pick(NONE_TRIED, this.exchange.request);
    const place = endpoint?.canConnect === true ? { target, endpoint } : this.#retries(route).from(target);
    const { hedgeAfter } = route.service.config.retries;
    if (place === null) this.fail('no_endpoint', 'no endpoint can be used');
    else if (hedgeAfter !== null && mayGoTwice(this.exchange)) this.#retries(route).hedge(place, hedgeAfter);
    else this.begin(place);
  }

  /** Takes a head past the filters, and with it the body of an endpoint. False: one of them threw, and that was answered in its place. */
  #filtered(head: ResponseHead): boolean {
    const { route } = this;
    if (route === null || this.#crashed) return true;
    try {
      for (const filter of route.onResponse) filter.onResponse?.(this.exchange.request, head);
      if (head.own === undefined && route.onResponseBody.length > 0)
        this.#responseBody = filteredResponseBody(route, this.exchange.request, head, (error) => this.#unfit(error, 'response'));
      return true;
    } catch (error) {
      this.#unfit(error, 'response');
      return false;
    }
  }

  /** A filter cannot go on with a message: for what it is, or because of a bug. */
  #unfit(error: unknown, phase: 'request' | 'response'): void {
    if (error instanceof WeirError) {
      this.#attempt?.cancel();
      this.fail(error.code, error.detail);
    } else this.crash(error, phase);
  }

  #sendHead({ status, fields }: Pick<StoredReply, 'status' | 'fields'>, bodyLength: number): void {
    this.#headSent = true;
    this.#status = status;
    this.#result ||= status;
    this.exchange.sendHead(status, fields, this.#responseBody?.isOther === true ? UNKNOWN_LENGTH : Math.max(bodyLength, UNKNOWN_LENGTH));
  }

  /** Counted before the last byte leaves: the next request of the connection may begin within sendEnd. */
  #end(trailers: Fields): void {
    this.#finish();
    this.exchange.sendEnd(trailers);
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#continueTimer?.cancel();
    this.body?.close();
    this.#mirror?.close();
    const context = this.#context;
    context.deadlines.forget(this);
    context.inFlight -= 1;
    const nowMs = context.clock.nowMs();
    const [durationMs, route] = [nowMs - this.exchange.startedMs, this.route];
    if (route !== null) {
      if (this.#steered) route.service.budget.inFlight -= 1;
      this.#retrying?.close();
      if (route.onEnd.length > 0) route.tellEnd(this.exchange.request, { status: this.#status, durationMs }, context.counters);
    }
    (route === null ? context.unrouted : route.statsOf(this.#target)).record(this.#result, durationMs);
    route?.countBytes(this.#bytesIn, this.#bytesOut);
    if (this.#chosenBy === 'assign') route?.service.countAssigned(this.#target);
    const notable = isNotable(this.#recalled === null ? this.attempts : 1, this.#result, this.#error);
    const kept = context.recent.takes(notable, nowMs);
    const logged = context.accessLog?.takes(notable, route?.config.logged ?? 1) === true;
    if (kept || logged) tellEnd(context, this.exchange.request, this.told(durationMs, notable), { kept, logged });
    this.trace(durationMs, nowMs, this.#result, this.#error);
  }
}

const NONE_TRIED: readonly Endpoint[] = [];
const NO_FIELDS: Readonly<Fields> = [];
