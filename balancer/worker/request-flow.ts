// One request on its way through the worker: route filters, attempts, the response, and an end that is counted exactly once.
import type { Timer } from '../../health/clock.ts';
import type { Expiring } from '../../health/deadlines.ts';
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { AttemptTimeouts, DownstreamExchange, DownstreamListener, OutgoingRequest } from '../message/exchange.ts';
import { fieldValue, type Fields } from '../message/fields.ts';
import { forwardedFields } from '../message/forwarded.ts';
import type { LocalReply, ResponseHead } from '../message/response.ts';
import type { TunnelEnd } from '../message/tunnel.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import type { RouteRuntime } from './generation.ts';
import { errorReply } from './respond.ts';
import { mayGoTwice, Retrying, type Failure, type Place, type RetryOwner } from './retrying.ts';
import type { ServiceTarget } from './service-steering.ts';
import { blamesPath } from './stats.ts';
import { Tunnel } from './tunnel.ts';
import type { WorkerContext } from './worker-context.ts';

/** An HTTP/1.1 origin that keeps silent about Expect still gets its body after this (RFC 9110 section 10.1.1). */
const CONTINUE_AFTER_MS = 1000;
/** Statuses by which a version says that it is out of order. */
const OUT_OF_ORDER = new Set([502, 503, 504]);

export class RequestFlow implements DownstreamListener, AttemptOwner, RetryOwner, Expiring {
  deadlineMs = Infinity;
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
  /** Of the request, as they go upstream. */
  #fields: Readonly<Fields> = [];
  bodyBegun = false;
  #bytesIn = 0;
  #bytesOut = 0;
  #status = 0;
  #headSent = false;
  #finished = false;
  #crashed = false;
  #error: ErrorCode | '' = '';
  #detail = '';
  #continueTimer: Timer | null = null;

  constructor(exchange: DownstreamExchange, context: WorkerContext) {
    this.exchange = exchange;
    this.#context = context;
    exchange.listener = this;
    context.inFlight += 1;
  }

  /** Answered or given up. */
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
    if (route.service.refuses(route.config.priorityClass))
      return this.fail('overloaded', 'the service has more requests than its places can take');
    this.#fields = forwardedFields(this.exchange.request);
    const target = route.service.choose();
    if (target === null) this.fail('no_cluster', 'no version of the service has a place that can be used');
    else this.#begin(target, route);
  }

  /** Answers with an error of the catalogue, or breaks off when it is too late to answer. */
  fail(code: ErrorCode, detail: string): void {
    if (this.#finished) return;
    this.#error = code;
    this.#detail = detail;
    if (this.#headSent || ERRORS[code].status === 0) {
      this.exchange.abort();
      return this.#finish();
    }
    const { fields, requestId, listener } = this.exchange.request;
    this.#context.counters.localReply(listener, code);
    this.reply(errorReply(code, fieldValue(fields, 'accept'), requestId));
  }

  /** Code of a filter threw: a bug, of which this request dies and no other. It is counted, and no filter sees the request again. */
  crash(error: unknown, phase: 'request' | 'response'): void {
    this.#crashed = true;
    this.#context.counters.exception(this.exchange.request.listener, phase);
    this.#attempt?.cancel();
    this.fail('internal', String(error));
  }

  /** Answers with a response of weir's own. */
  reply(local: LocalReply): void {
    if (this.#finished) return;
    const body = Buffer.from(local.body);
    const head: ResponseHead = { status: local.status, fields: [...local.fields] };
    this.#sendHead(head, body.length);
    // A filter may have thrown meanwhile; then it is answered.
    if (this.finished) return;
    this.exchange.sendBody(body);
    this.#bytesOut += body.length;
    this.#end([]);
  }

  // --- the client's side ---

  onBody(chunk: Buffer): void {
    this.#bytesIn += chunk.length;
    if (this.#attempt?.sendBody(chunk) === false) this.exchange.pauseBody();
  }

  onBodyEnd(trailers: Fields): void {
    this.#attempt?.endBody(trailers);
  }

  onDownstreamDrain(): void {
    this.#attempt?.resume();
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

  outgoing(target: ServiceTarget, tryMs: number): OutgoingRequest {
    const { request, bodyLength, expectsContinue, upgrade } = this.exchange;
    const host = target.host ?? request.authority;
    return { request, fields: this.#fields, host, bodyLength, expectsContinue, upgrade, timeouts: this.#timeouts(), tryMs };
  }

  onSent(attempt: Attempt): void {
    if (this.exchange.bodyLength === 0 || attempt !== this.#attempt) return;
    this.bodyBegun = true;
    if (this.exchange.expectsContinue)
      this.#continueTimer = this.#context.clock.after(CONTINUE_AFTER_MS, () => this.exchange.sendInformational(100, []), true);
    this.exchange.readBody();
  }

  onInformational(status: number, fields: Fields): void {
    if (status === 100) this.#continueTimer?.cancel();
    this.exchange.sendInformational(status, fields);
  }

  onHead(attempt: Attempt, status: number, fields: Fields, bodyLength: number): void {
    const nowMs = this.#context.deadlines.nowMs;
    this.#retrying?.settle();
    attempt.endpoint.detector.success(nowMs);
    if (attempt.timely) {
      attempt.endpoint.lateness.timely(nowMs);
      attempt.target.lateness.timely(nowMs);
    }
    if (OUT_OF_ORDER.has(status)) this.#context.evidence.answerFailed(attempt.target, nowMs, status);
    else attempt.target.detector.success(nowMs);
    this.#continueTimer?.cancel();
    // Equal responses share their fields.
    const filtered = this.route !== null && this.route.onResponse.length > 0;
    this.#sendHead({ status, fields: filtered ? fields.slice() : fields }, bodyLength);
  }

  onResponseBody(chunk: Buffer): boolean {
    this.#bytesOut += chunk.length;
    return this.exchange.sendBody(chunk);
  }

  onTurnEnd(): boolean {
    return this.exchange.flush();
  }

  onResponseEnd(_attempt: Attempt, trailers: Fields): void {
    this.#end(trailers);
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
    this.#status = 101;
    this.#headSent = true;
    // The time-out of the request is met; a tunnel ends when it is idle.
    this.#forgetDeadline();
    const client = this.exchange.sendUpgrade(fields);
    const { tunnelIdleMs } = this.#timeouts();
    const tunnel = new Tunnel({ client, upstream: end }, tunnelIdleMs, this.#context.deadlines, ({ totals }) => {
      this.#context.tunnels.delete(tunnel);
      this.#bytesIn += totals.bytesIn;
      this.#bytesOut += totals.bytesOut;
      attempt.tunnelClosed();
      this.#finish();
    });
    this.#context.tunnels.add(tunnel);
    tunnel.start();
  }

  onLate(attempt: Attempt): void {
    if (this.#finished || this.route === null || attempt !== this.#attempt) return;
    this.#retries(this.route).tooLate(attempt);
  }

  goOn(attempt: Attempt, failure: Failure, place: Place | null): void {
    this.#context.counters.upstreamFailure(attempt.target.cluster.name, failure.code);
    attempt.cancel();
    if (place === null || this.route === null) this.fail(failure.code, failure.detail);
    else this.#start(place, this.route);
  }

  onFailure(attempt: Attempt, code: ErrorCode, detail: string): void {
    const context = this.#context;
    const route = this.route;
    const { cluster } = attempt.target;
    context.counters.upstreamFailure(cluster.name, code);
    // A kept connection that the endpoint closed meanwhile says nothing about the endpoint.
    if (blamesPath(code) && code !== 'stale_connection')
      context.evidence.pathFailed(cluster, attempt.endpoint, context.deadlines.nowMs, `${code}: ${detail}`);
    if (this.#finished || route === null) return;
    const retrying = this.#retries(route);
    const place = retrying.mayFollow(attempt, code) ? retrying.after(attempt, code) : null;
    if (place === null) this.fail(code, `${cluster.name} ${detail}`);
    else this.#start(place, route);
  }

  // --- inside ---

  #timeouts(): AttemptTimeouts & { readonly tunnelIdleMs: number } {
    return this.route?.service.config.timeouts ?? NO_TIMEOUTS;
  }

  #retries(route: RouteRuntime): Retrying {
    return (this.#retrying ??= new Retrying(this, route.service, this.#context));
  }

  #begin(target: ServiceTarget, route: RouteRuntime): void {
    const endpoint = target.cluster.pick(NONE_TRIED);
    const place = endpoint === null ? this.#retries(route).from(target) : { target, endpoint };
    if (place === null) this.fail('no_endpoint', 'no endpoint can be used');
    else this.#start(place, route);
  }

  #start({ target, endpoint }: Place, route: RouteRuntime): void {
    this.attempts += 1;
    this.#target = target;
    const fresh = this.#retrying?.isStale(endpoint) === true;
    this.#attempt = new Attempt(target, endpoint, this, this.#context);
    this.#attempt.start({ fresh, upgrade: this.exchange.upgrade !== '', tryMs: this.#tryMs(target, route) });
  }

  /** Each try gets twice the time of the one before, and the last one all there is. 0: no limit of its own. */
  #tryMs(target: ServiceTarget, route: RouteRuntime): number {
    const { tryMs, firstByteMs } = route.service.config.timeouts;
    const limitMs = tryMs === 'adaptive' ? this.#adaptiveMs(target, route) : tryMs;
    return limitMs < firstByteMs ? limitMs : 0;
  }

  #adaptiveMs({ tryLimit }: ServiceTarget, { service }: RouteRuntime): number {
    if (!mayGoTwice(this.exchange)) return 0;
    const { late, attemptsLeft } = this.#retrying ?? { late: 0, attemptsLeft: service.config.retries.attempts > 0 };
    return attemptsLeft ? tryLimit.limitMs(this.#context.deadlines.nowMs) * 2 ** late : 0;
  }

  #sendHead(head: ResponseHead, bodyLength: number): void {
    if (this.route !== null && !this.#crashed) {
      try {
        for (const filter of this.route.onResponse) filter.onResponse?.(this.exchange.request, head);
      } catch (error) {
        return this.crash(error, 'response');
      }
    }
    this.#headSent = true;
    this.#status = head.status;
    this.exchange.sendHead(head.status, head.fields, bodyLength);
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
    const context = this.#context;
    this.#forgetDeadline();
    context.inFlight -= 1;
    const durationMs = context.clock.nowMs() - this.exchange.startedMs;
    const route = this.route;
    if (route !== null) {
      if (this.#steered) route.service.budget.inFlight -= 1;
      this.#retrying?.close();
      this.#tellFilters(route, durationMs);
    }
    const stats = route === null ? context.unrouted : route.statsOf(this.#target);
    stats.record(this.#status, durationMs);
    route?.countBytes(this.#bytesIn, this.#bytesOut);
    if (context.accessLog !== null) this.#log(durationMs);
  }

  #tellFilters(route: RouteRuntime, durationMs: number): void {
    const { request } = this.exchange;
    for (const filter of route.onEnd) {
      try {
        filter.onEnd?.(request, { status: this.#status, durationMs });
      } catch {
        this.#context.counters.exception(request.listener, 'end');
      }
    }
  }

  #forgetDeadline(): void {
    if (this.deadlineMs === Infinity) return;
    this.deadlineMs = Infinity;
    this.#context.deadlines.remove(this);
  }

  #log(durationMs: number): void {
    const { request } = this.exchange;
    this.#context.accessLog?.write({
      at: new Date(this.#context.clock.wallMs()).toISOString(),
      requestId: request.requestId,
      listener: request.listener,
      client: request.clientAddress,
      method: request.method,
      host: request.host,
      path: request.path,
      status: this.#status,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      durationMs: Math.round(durationMs * 1000) / 1000,
      route: this.route?.config.name ?? '',
      service: this.route?.service.config.name ?? '',
      version: this.#target?.version ?? '',
      cluster: this.#target?.cluster.name ?? '',
      endpoint: this.#attempt?.endpoint.id ?? '',
      attempts: this.attempts,
      error: this.#error,
      detail: this.#detail,
    });
  }
}

const NO_TIMEOUTS = { firstByteMs: 0, betweenBytesMs: 0, tunnelIdleMs: 0 };
const NONE_TRIED: readonly Endpoint[] = [];
