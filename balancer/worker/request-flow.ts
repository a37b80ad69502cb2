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
import type { ServiceTarget } from './service-steering.ts';
import { blamesPath } from './stats.ts';
import { Tunnel } from './tunnel.ts';
import type { WorkerContext } from './worker-context.ts';

/** Methods that may be sent again when it is not known whether the first one arrived (RFC 9110 section 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
/** An HTTP/1.1 origin that keeps silent about Expect still gets its body after this (RFC 9110 section 10.1.1). */
const CONTINUE_AFTER_MS = 1000;
/** So often an endpoint may refuse a request unseen before that counts as an attempt. */
const MAX_REFUSED = 8;
/** Statuses by which a version says that it is out of order. */
const OUT_OF_ORDER = new Set([502, 503, 504]);

export class RequestFlow implements DownstreamListener, AttemptOwner, Expiring {
  deadlineMs = Infinity;
  readonly exchange: DownstreamExchange;
  /** Null until a route matched. */
  route: RouteRuntime | null = null;
  readonly #context: WorkerContext;
  #attempt: Attempt | null = null;
  #attempts = 0;
  /** Attempts that an endpoint told not to have seen. */
  #refused = 0;
  #target: ServiceTarget | null = null;
  readonly #triedTargets: ServiceTarget[] = [];
  readonly #triedEndpoints: Endpoint[] = [];
  #staleAt: Endpoint | null = null;
  #retrying = false;
  #steered = false;
  /** Of the request, as they go upstream. */
  #fields: Readonly<Fields> = [];
  #bodyBegun = false;
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
    const target = route.service.chooseFor(this.exchange.request);
    if (target === null) this.fail('no_cluster', 'no version of the service has a place that can be used');
    else this.#try(target, route);
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

  outgoing(target: ServiceTarget): OutgoingRequest {
    const { request, bodyLength, expectsContinue, upgrade } = this.exchange;
    const host = target.host ?? request.authority;
    return { request, fields: this.#fields, host, bodyLength, expectsContinue, upgrade, timeouts: this.#timeouts() };
  }

  onSent(attempt: Attempt): void {
    if (this.exchange.bodyLength === 0 || attempt !== this.#attempt) return;
    this.#bodyBegun = true;
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
    attempt.endpoint.detector.success(nowMs);
    if (OUT_OF_ORDER.has(status)) this.#context.evidence.answerFailed(attempt.target, nowMs, status);
    else attempt.target.detector.success(nowMs);
    this.#continueTimer?.cancel();
    // Equal responses share their fields.
    const filtered = this.route !== null && this.route.onResponse.length > 0;
    const cookie = status < 500 ? (this.route?.service.cookieFor(attempt.target, this.exchange.request) ?? null) : null;
    const own = cookie === null ? fields : [...fields, 'set-cookie', cookie];
    this.#sendHead({ status, fields: filtered && own === fields ? fields.slice() : own }, bodyLength);
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

  onFailure(attempt: Attempt, code: ErrorCode, detail: string): void {
    const context = this.#context;
    const route = this.route;
    const { cluster } = attempt.target;
    context.counters.upstreamFailure(cluster.name, code);
    // A kept connection that the endpoint closed meanwhile says nothing about the endpoint.
    if (blamesPath(code) && code !== 'stale_connection')
      context.evidence.pathFailed(cluster, attempt.endpoint, context.deadlines.nowMs, `${code}: ${detail}`);
    if (this.#finished || route === null) return;
    // A connection that says goodbye refuses all that is on its way to it; that is no failed attempt of the request.
    if (code === 'stream_refused' && this.#refused < MAX_REFUSED) this.#refused += 1;
    if (attempt.headSeen || !this.#mayRetry(code, route)) return this.fail(code, `${cluster.name} ${detail}`);
    // Where one kept connection was closed the others most likely are too: all attempts could be lost on them.
    if (code === 'stale_connection' || code === 'stream_refused') this.#staleAt = attempt.endpoint;
    else if (cluster.isFull) this.#triedEndpoints.push(...cluster.endpoints);
    else this.#triedEndpoints.push(attempt.endpoint);
    this.#try(attempt.target, route, { code, detail: `${cluster.name} ${detail}` });
  }

  // --- inside ---

  #timeouts(): AttemptTimeouts & { readonly tunnelIdleMs: number } {
    return this.route?.service.config.timeouts ?? NO_TIMEOUTS;
  }

  #mayRetry(code: ErrorCode, route: RouteRuntime): boolean {
    const { retry } = ERRORS[code];
    const { config, budget } = route.service;
    const safe = retry === 'unsent' || (retry === 'idempotent' && IDEMPOTENT.has(this.exchange.request.method));
    if (!safe || this.#bodyBegun || this.#attempts - this.#refused > config.retries.attempts) return false;
    // The budget keeps trouble from being answered with more load; what no origin has seen is no load, it only goes elsewhere.
    const free = retry === 'unsent' || code === 'stale_connection';
    const allowed = free || this.#retrying || (this.#retrying = budget.take());
    this.#context.counters.retry(config.name, allowed ? 'retried' : 'refused');
    return allowed;
  }

  /** An endpoint of `target` not tried yet, else of the next best target; `failure` is what to tell when there is none. */
  #try(target: ServiceTarget, route: RouteRuntime, failure: { readonly code: ErrorCode; readonly detail: string } = NO_ENDPOINT): void {
    let place: ServiceTarget | null = target;
    while (place !== null) {
      const endpoint = place.cluster.pick(this.#triedEndpoints, this.exchange.request);
      if (endpoint !== null) return this.#start(place, endpoint);
      this.#triedTargets.push(place);
      place = route.service.alternative(target, this.#triedTargets);
    }
    this.fail(failure.code, failure.detail);
  }

  #start(target: ServiceTarget, endpoint: Endpoint): void {
    this.#attempts += 1;
    this.#target = target;
    this.#attempt = new Attempt(target, endpoint, this, this.#context.nowMs);
    this.#attempt.start({ fresh: endpoint === this.#staleAt, upgrade: this.exchange.upgrade !== '' });
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
      if (this.#retrying) route.service.budget.giveBack();
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
      attempts: this.#attempts,
      error: this.#error,
      detail: this.#detail,
    });
  }
}

const NO_TIMEOUTS = { firstByteMs: 0, betweenBytesMs: 0, tunnelIdleMs: 0 };
const NO_ENDPOINT = { code: 'no_endpoint', detail: 'no endpoint can be used' } as const;
