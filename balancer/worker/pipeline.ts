// The request path, on one screen: parsed request → route → route filters → split → cluster → endpoint → attempts → response → end.
import type { ErrorCode } from '../errors.ts';
import type { Recalled, RequestVerdict } from '../filter/filter.ts';
import type { ConnectionFacts, DownstreamConnection, DownstreamHandler } from '../message/connection.ts';
import type { DownstreamExchange } from '../message/exchange.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { LocalReply } from '../message/response.ts';
import { answerAtOnce } from './answer-at-once.ts';
import type { Generation, RouteRuntime } from './generation.ts';
import { RequestFlow } from './request-flow.ts';
import { errorReply, errorReplyTo } from './respond.ts';
import { ERRORS } from '../errors.ts';
import { TracedFlow } from './traced-flow.ts';
import { sendUnheard } from './unheard-exchange.ts';
import { readWanted } from './wanted-body.ts';
import type { WorkerContext } from './worker-context.ts';

/** What is known of a request that was refused before its route. */
type Refused = Pick<ConnectionFacts, 'listener' | 'peerAddress'> & Pick<CanonicalRequest, 'requestId'> & Partial<CanonicalRequest>;

export class Pipeline implements DownstreamHandler {
  /** Swapped by one assignment; a request goes on with the one it began with. */
  generation: Generation;
  readonly connections = new Set<DownstreamConnection>();
  readonly #context: WorkerContext;

  constructor(generation: Generation, context: WorkerContext) {
    this.generation = generation;
    this.#context = context;
  }

  onRequest(exchange: DownstreamExchange): void {
    const { overload, tracer } = this.#context;
    overload.arrived += 1;
    if (overload.active && this.#sheds(exchange)) return;
    const flow = tracer === null ? new RequestFlow(exchange, this.#context) : new TracedFlow(exchange, this.#context, tracer);
    try {
      if (exchange.request.pathDoubts !== 0) return this.#settle(flow);
      this.#enter(flow, this.generation.match(exchange.request));
    } catch (error) {
      flow.crash(error, 'request');
    }
  }

  /** A request that could not be read never reaches a route; it is counted like every other. */
  onBadRequest(code: ErrorCode, facts: ConnectionFacts, request?: CanonicalRequest): LocalReply {
    this.#context.counters.localReply(facts.listener, code);
    this.#context.unrouted.record(ERRORS[code].status, 0);
    const requestId = request?.requestId ?? facts.nextRequestId();
    this.#logBadRequest(code, { ...facts, ...request, requestId });
    return request === undefined ? errorReply(code, undefined, requestId) : errorReplyTo(request, code);
  }

  onConnectionCut(code: ErrorCode, facts: ConnectionFacts): void {
    this.#context.counters.cutConnection(facts.listener, code);
  }

  /** Tells clients how many requests they may have open. */
  limitStreams(streams: number): void {
    for (const connection of this.connections) connection.limitStreams?.(streams);
  }

  onConnectionClosed(connection: DownstreamConnection): void {
    this.connections.delete(connection);
  }

  /** Refuses a request that this process has no time for. What is done for it must cost little, or refusing would be work like any other. */
  #sheds(exchange: DownstreamExchange): boolean {
    const { request } = exchange;
    const { overload, counters, unrouted, accessLog } = this.#context;
    const priorityClass = this.generation.onlyClass ?? this.generation.match(request)?.config.priorityClass ?? 'normal';
    if (!overload.refuses(priorityClass)) return false;
    counters.localReply(request.listener, 'overloaded');
    unrouted.record(ERRORS.overloaded.status, 0);
    if (accessLog !== null) this.#logBadRequest('overloaded', { ...request, peerAddress: request.clientAddress });
    answerAtOnce(exchange, errorReplyTo(request, 'overloaded'));
    return true;
  }

  /** The path has several readings: one of them goes on, or none (route/settle-path.ts). */
  #settle(flow: RequestFlow): void {
    const { request } = flow.exchange;
    const { settled, route } = this.generation.settle(request);
    if (settled.kind === 'ambiguous') return flow.fail('ambiguous_path', '');
    if (settled.kind === 'route') return this.#enter(flow, route);
    flow.route = route;
    const location = request.hasQuery ? `${settled.path}?${request.query}` : settled.path;
    flow.reply({ status: 307, fields: ['location', location], body: '' });
  }

  #enter(flow: RequestFlow, route: RouteRuntime | null): void {
    const { request } = flow.exchange;
    if (request.otherMethods.length > 0 && !this.generation.agrees(request, route)) return flow.fail('ambiguous_method', '');
    if (route === null) return flow.fail('route_not_found', '');
    flow.route = route;
    if (route.onRequest.length > 0) {
      request.fields = request.fields.slice();
      request.bodyLength = flow.exchange.bodyLength;
    }
    if (route.needsCertificate && request.clientCertificate === null) return flow.fail(withoutCertificate(request), '');
    this.#filter(flow, route, 0);
  }

  /** Runs the filters from `index` on; waits only for one that returns a promise. */
  #filter(flow: RequestFlow, route: RouteRuntime, index: number): void {
    for (let i = index; i < route.onRequest.length; i += 1) {
      const verdict = route.onRequest[i]?.onRequest?.(flow.exchange.request);
      if (verdict instanceof Promise) {
        verdict
          .then((later) => {
            if (later !== undefined) this.#answer(flow, later);
            else if (!flow.finished) this.#filter(flow, route, i + 1);
          })
          .catch((error: unknown) => flow.crash(error, 'request'));
        return;
      }
      if (verdict !== undefined) return this.#answer(flow, verdict);
    }
    const recalled = route.memory?.recall?.(flow.exchange.request, flow.exchange) ?? null;
    if (!(recalled instanceof Promise)) return this.#goOn(flow, route, recalled);
    recalled.then((later) => this.#goOn(flow, route, later)).catch((error: unknown) => flow.crash(error, 'request'));
  }

  /** What a filter says in place of the service. */
  #answer(flow: RequestFlow, verdict: NonNullable<RequestVerdict>): void {
    if ('code' in verdict) flow.fail(verdict.code, verdict.detail, verdict.fields);
    else if ('status' in verdict) flow.reply(verdict);
    else
      readWanted(flow, verdict, this.#context.bodyMemory, (body) => {
        verdict.answer(body).then(
          (later) => this.#answer(flow, later),
          (error: unknown) => flow.crash(error, 'request'),
        );
      });
  }

  #goOn(flow: RequestFlow, route: RouteRuntime, recalled: Recalled): void {
    if (recalled === null) return flow.proceed(route);
    if ('code' in recalled) return flow.fail(recalled.code, recalled.detail, recalled.fields);
    flow.recall(recalled);
    // Behind the answer, which waits for nothing.
    if (recalled.behind !== undefined) sendUnheard(recalled.behind, route, this.#context);
  }

  #logBadRequest(code: ErrorCode, known: Refused): void {
    const { accessLog, clock, recent } = this.#context;
    const entry = {
      at: new Date(clock.wallMs()).toISOString(),
      requestId: known.requestId,
      listener: known.listener,
      client: known.clientAddress ?? known.peerAddress,
      method: known.method ?? '',
      host: known.host ?? '',
      path: known.path ?? '',
      status: ERRORS[code].status,
      bytesIn: 0,
      bytesOut: 0,
      durationMs: 0,
      route: '',
      service: '',
      version: '',
      cluster: '',
      endpoint: '',
      attempts: 0,
      error: code,
      detail: '',
    };
    if (accessLog?.takes(true, 1) === true) accessLog.write(entry, known.fields);
    recent.keep({ ...entry, failed: [], chosenBy: '', plan: recent.plan, reasons: [] }, true);
  }
}

/**
 * A client that reuses the connection of another host could not know that this one asks for a certificate: it may try again on a
 * connection of its own (RFC 9110 section 15.5.20).
 */
function withoutCertificate({ serverName, host }: CanonicalRequest): ErrorCode {
  return serverName !== '' && serverName !== host ? 'misdirected_request' : 'client_certificate_required';
}
