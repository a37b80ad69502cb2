// The spans of a request that is over: one for the request, one for each attempt; attributes by OpenTelemetry's conventions for HTTP.
import type { CanonicalRequest } from '../message/request.ts';
import { fieldValue } from '../message/fields.ts';
import { flat } from '../message/shared-fields.ts';
import { attribute, first, numberAttribute, numberKey, SPAN_CLIENT, SPAN_SERVER, textKey, type Span } from '../telemetry/otlp.ts';
import type { TraceIds } from '../telemetry/trace-ids.ts';
import { spanIdOf } from '../telemetry/trace-context.ts';
import { Attempt } from './attempt.ts';
import type { RouteRuntime } from './generation.ts';
import type { ServiceTarget } from './service-steering.ts';
import type { RequestEnd } from './tell-end.ts';
import type { BroughtTrace } from './tracer.ts';

/** An attempt, and the one that was begun before it. */
export class TracedAttempt extends Attempt {
  /** When it began, if it waited for a connection; 0: it was sent at once. */
  waitsSinceMs = 0;
  /** By which its endpoint hears of it; empty: it never did. */
  traceparent = '';
  before: TracedAttempt | null = null;

  get beganMs(): number {
    return this.waitsSinceMs === 0 ? this.sentMs : this.waitsSinceMs;
  }
}

/** A request that is traced, as far as its spans go by it. */
export interface Traced {
  readonly traceId: string;
  readonly brought: BroughtTrace;
  readonly sampled: boolean;
  readonly last: TracedAttempt | null;
}

export interface SpanTimes {
  /** The end, on the monotonic clock. */
  readonly nowMs: number;
  /** What makes a time of day of a time of that clock. */
  readonly wallAheadMs: number;
  readonly ids: TraceIds;
}

/** Methods that every one knows; others are told apart only in an attribute, as clients can invent any number of them. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']);
const MAX_TEXT = 1024;

export function spansOf(traced: Traced, request: CanonicalRequest, end: RequestEnd, times: SpanTimes): readonly Span[] {
  const { traceId, brought, sampled } = traced;
  const spanId = times.ids.span();
  const { way, counts } = end;
  const { durationMs, result } = counts;
  const method = methodOf(request);
  const template = routeTemplate(way.route);
  const spans: Span[] = [
    {
      ...{ traceId, spanId, parentId: brought.parent?.parentId ?? '', state: brought.state, sampled },
      name: template === '' ? method : `${method} ${template}`,
      kind: SPAN_SERVER,
      startMs: times.nowMs - durationMs + times.wallAheadMs,
      endMs: times.nowMs + times.wallAheadMs,
      attributes: requestAttributes(request, end, sampled),
      failed: result >= 500 || result === 0,
      link: brought.link === null ? null : { traceId: brought.link.traceId, spanId: brought.link.parentId },
    },
  ];
  let resend = way.attempts;
  for (let one = traced.last; one !== null; one = one.before) {
    resend -= 1;
    const failure = failureOf(one, end);
    spans.push({
      ...{
        traceId,
        spanId: one.traceparent === '' ? times.ids.span() : spanIdOf(one.traceparent),
        parentId: spanId,
        state: brought.state,
        sampled,
      },
      name: method,
      kind: SPAN_CLIENT,
      startMs: one.beganMs + times.wallAheadMs,
      endMs: (one.failed?.atMs ?? times.nowMs) + times.wallAheadMs,
      attributes: attemptAttributes(request, one, { resend, failure }),
      failed: one.result >= 400 || (failure !== '' && failure !== 'cancelled'),
      link: null,
    });
  }
  return spans;
}

/** One that neither failed nor is the one whose answer the client got was given up for another one, or with the request. */
function failureOf(attempt: Attempt, end: RequestEnd): string {
  if (attempt.failed !== null) return attempt.failed.code;
  return attempt === end.way.attempt && attempt.headSeen ? '' : 'cancelled';
}

function methodOf({ method }: CanonicalRequest): string {
  return METHODS.has(method) ? method : 'HTTP';
}

/** By what the route matches, as it is in the config: never what the client sent. */
function routeTemplate(route: RouteRuntime | null): string {
  if (route === null) return '';
  const { kind, value } = route.config.match.path;
  return kind === 'prefix' && value !== '/' ? `${value}/*` : value;
}

const METHOD = first(textKey('http.request.method'));
const ORIGINAL_METHOD = textKey('http.request.method_original');
const SCHEME = textKey('url.scheme');
const PATH = textKey('url.path');
const FULL_URL = textKey('url.full');
const SERVER_ADDRESS = textKey('server.address');
const SERVER_PORT = numberKey('server.port');
const CLIENT_ADDRESS = textKey('client.address');
const PEER_ADDRESS = textKey('network.peer.address');
const PROTOCOL = attribute(textKey('network.protocol.name'), 'http') + textKey('network.protocol.version');
const STATUS = numberKey('http.response.status_code');
const REQUEST_SIZE = numberKey('http.request.body.size');
const RESPONSE_SIZE = numberKey('http.response.body.size');
const RESEND_COUNT = numberKey('http.request.resend_count');
const ERROR_TYPE = textKey('error.type');
const USER_AGENT = textKey('user_agent.original');
const ROUTE_TEMPLATE = textKey('http.route');
const LISTENER = textKey('weir.listener');
const REQUEST_ID = textKey('weir.request_id');
const ATTEMPTS = numberKey('weir.attempts');
const KEPT_BY = textKey('weir.kept_by');
const ROUTE = textKey('weir.route');
const SERVICE = textKey('weir.service');
const VERSION = textKey('weir.version');
const CLUSTER = textKey('weir.cluster');
const CHOSEN_BY = textKey('weir.chosen_by');
const CONSUMER = textKey('weir.consumer');
const SENT_AFTER = numberKey('weir.sent_after_ms');
const HEAD_AFTER = numberKey('weir.head_after_ms');

/** Without the query, which may carry secrets. */
function requestAttributes(request: CanonicalRequest, end: RequestEnd, sampled: boolean): string {
  const { route, target, attempts } = end.way;
  const { status, result, bytesIn, bytesOut } = end.counts;
  const { error, chosenBy } = end.said;
  let text = `${methodAttributes(request)}${attribute(SCHEME, request.scheme)}${attribute(PATH, cut(request.path))}`;
  text += attribute(SERVER_ADDRESS, request.host);
  text += attribute(CLIENT_ADDRESS, request.clientAddress) + attribute(PEER_ADDRESS, request.peerAddress);
  text += attribute(PROTOCOL, request.version) + numberAttribute(RESPONSE_SIZE, bytesOut);
  text += attribute(LISTENER, request.listener) + attribute(REQUEST_ID, request.requestId) + numberAttribute(ATTEMPTS, attempts);
  text += attribute(KEPT_BY, sampled ? 'sample' : result >= 500 || error !== '' ? 'error' : 'time');
  const port = portOf(request.authority);
  if (port !== null) text += numberAttribute(SERVER_PORT, port);
  if (status > 0) text += numberAttribute(STATUS, status);
  const errorType = error !== '' ? error : result >= 500 ? String(result) : '';
  if (errorType !== '') text += attribute(ERROR_TYPE, errorType);
  const agent = fieldValue(request.fields, 'user-agent');
  if (agent !== undefined) text += attribute(USER_AGENT, cut(agent));
  if (bytesIn > 0) text += numberAttribute(REQUEST_SIZE, bytesIn);
  if (route !== null) text += routeAttributes(route);
  if (target !== null) text += targetAttributes(target) + attribute(CHOSEN_BY, chosenBy);
  return request.identity === null ? text : text + attribute(CONSUMER, request.identity.consumer);
}

function attemptAttributes(
  request: CanonicalRequest,
  { endpoint, target, result, beganMs, sentMs, headMs }: TracedAttempt,
  { resend, failure }: { readonly resend: number; readonly failure: string },
): string {
  const scheme = endpoint.scheme === 'h2c' ? 'http' : endpoint.scheme;
  let text = methodAttributes(request) + endpointAttributes(endpoint.id);
  text += attribute(FULL_URL, cut(`${scheme}://${endpoint.id}${request.path}`)) + targetAttributes(target);
  if (resend > 0) text += numberAttribute(RESEND_COUNT, resend);
  if (result > 0) text += numberAttribute(STATUS, result);
  const errorType = failure !== '' ? failure : result >= 400 ? String(result) : '';
  if (errorType !== '') text += attribute(ERROR_TYPE, errorType);
  // A kept connection is there at once; a new one takes its round trips first.
  if (sentMs > 0) text += numberAttribute(SENT_AFTER, thousandths(sentMs - beganMs));
  return headMs > 0 ? text + numberAttribute(HEAD_AFTER, thousandths(headMs - beganMs)) : text;
}

function methodAttributes({ method }: CanonicalRequest): string {
  return METHODS.has(method) ? attribute(METHOD, method) : attribute(METHOD, '_OTHER') + attribute(ORIGINAL_METHOD, cut(method));
}

/** What is always said of the same thing in the same words. */
function remembered<T extends WeakKey>(make: (of: T) => string): (of: T) => string {
  const known = new WeakMap<T, string>();
  return (of) => {
    let text = known.get(of);
    if (text === undefined) known.set(of, (text = flat(make(of))));
    return text;
  };
}

const routeAttributes = remembered(
  (route: RouteRuntime) =>
    attribute(ROUTE_TEMPLATE, routeTemplate(route)) + attribute(ROUTE, route.config.name) + attribute(SERVICE, route.service.config.name),
);

const targetAttributes = remembered(
  ({ version, cluster }: ServiceTarget) => attribute(VERSION, version) + attribute(CLUSTER, cluster.name),
);

/** `id`: address and port. */
function endpointAttributes(id: string): string {
  const colon = id.lastIndexOf(':');
  return attribute(SERVER_ADDRESS, id.slice(0, colon)) + numberAttribute(SERVER_PORT, Number(id.slice(colon + 1)));
}

/** Null: the client named none. */
function portOf(authority: string): number | null {
  const port = /:(\d{1,5})$/.exec(authority)?.[1];
  return port === undefined ? null : Number(port);
}

const thousandths = (ms: number): number => Math.round(ms * 1000) / 1000;
const cut = (text: string): string => (text.length <= MAX_TEXT ? text : text.slice(0, MAX_TEXT));
