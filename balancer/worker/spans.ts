// The spans of a request that is over: one for the request, one for each attempt; attributes by OpenTelemetry's conventions for HTTP.
import type { CanonicalRequest } from '../message/request.ts';
import { fieldValue } from '../message/fields.ts';
import { SPAN_CLIENT, SPAN_SERVER, type AttributeValue, type Span } from '../telemetry/otlp.ts';
import type { TraceIds } from '../telemetry/trace-ids.ts';
import { spanIdOf } from '../telemetry/trace-context.ts';
import { Attempt } from './attempt.ts';
import type { RouteRuntime } from './generation.ts';
import type { RequestEnd } from './tell-end.ts';
import type { BroughtTrace } from './tracer.ts';

/** An attempt, and the one that was begun before it. */
export class TracedAttempt extends Attempt {
  /** When it began, if it waited for a connection, and else when it was sent. */
  beganMs = 0;
  /** By which its endpoint hears of it; empty: it never did. */
  traceparent = '';
  before: TracedAttempt | null = null;
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

/** Without the query, which may carry secrets. */
function requestAttributes(request: CanonicalRequest, end: RequestEnd, sampled: boolean): AttributeValue[] {
  const { route, target, attempts } = end.way;
  const { status, result, bytesIn, bytesOut } = end.counts;
  const { error, chosenBy } = end.said;
  const attributes: AttributeValue[] = [
    ...methodAttributes(request),
    ...['url.scheme', request.scheme, 'url.path', cut(request.path), 'server.address', request.host],
    ...['client.address', request.clientAddress, 'network.peer.address', request.peerAddress],
    ...['network.protocol.name', 'http', 'network.protocol.version', request.version],
    ...['http.response.body.size', bytesOut, 'weir.listener', request.listener, 'weir.request_id', request.requestId],
    ...['weir.attempts', attempts, 'weir.kept_by', sampled ? 'sample' : result >= 500 || error !== '' ? 'error' : 'time'],
  ];
  const port = portOf(request.authority);
  if (port !== null) attributes.push('server.port', port);
  if (status > 0) attributes.push('http.response.status_code', status);
  const errorType = error !== '' ? error : result >= 500 ? String(result) : '';
  if (errorType !== '') attributes.push('error.type', errorType);
  const agent = fieldValue(request.fields, 'user-agent');
  if (agent !== undefined) attributes.push('user_agent.original', cut(agent));
  if (bytesIn > 0) attributes.push('http.request.body.size', bytesIn);
  if (route !== null)
    attributes.push('http.route', routeTemplate(route), 'weir.route', route.config.name, 'weir.service', route.service.config.name);
  if (target !== null) attributes.push('weir.version', target.version, 'weir.cluster', target.cluster.name, 'weir.chosen_by', chosenBy);
  if (request.identity !== null) attributes.push('weir.consumer', request.identity.consumer);
  return attributes;
}

function attemptAttributes(
  request: CanonicalRequest,
  { endpoint, target, result, beganMs, sentMs, headMs }: TracedAttempt,
  { resend, failure }: { readonly resend: number; readonly failure: string },
): AttributeValue[] {
  const colon = endpoint.id.lastIndexOf(':');
  const scheme = endpoint.scheme === 'h2c' ? 'http' : endpoint.scheme;
  const attributes: AttributeValue[] = [
    ...methodAttributes(request),
    ...['server.address', endpoint.id.slice(0, colon), 'server.port', Number(endpoint.id.slice(colon + 1))],
    ...['url.full', cut(`${scheme}://${endpoint.id}${request.path}`), 'weir.cluster', target.cluster.name, 'weir.version', target.version],
  ];
  if (resend > 0) attributes.push('http.request.resend_count', resend);
  if (result > 0) attributes.push('http.response.status_code', result);
  const errorType = failure !== '' ? failure : result >= 400 ? String(result) : '';
  if (errorType !== '') attributes.push('error.type', errorType);
  // A kept connection is there at once; a new one takes its round trips first.
  if (sentMs > 0) attributes.push('weir.sent_after_ms', thousandths(sentMs - beganMs));
  if (headMs > 0) attributes.push('weir.head_after_ms', thousandths(headMs - beganMs));
  return attributes;
}

function methodAttributes({ method }: CanonicalRequest): readonly AttributeValue[] {
  if (METHODS.has(method)) return ['http.request.method', method];
  return ['http.request.method', '_OTHER', 'http.request.method_original', cut(method)];
}

/** Null: the client named none. */
function portOf(authority: string): number | null {
  const port = /:(\d{1,5})$/.exec(authority)?.[1];
  return port === undefined ? null : Number(port);
}

const thousandths = (ms: number): number => Math.round(ms * 1000) / 1000;
const cut = (text: string): string => (text.length <= MAX_TEXT ? text : text.slice(0, MAX_TEXT));
