// What goes to an endpoint for one attempt.
import { UNKNOWN_LENGTH, type AttemptTimeouts, type DownstreamExchange, type OutgoingRequest } from '../message/exchange.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { Fields } from '../message/fields.ts';
import type { RouteRuntime } from './generation.ts';
import type { OutgoingBody } from './outgoing-body.ts';
import type { ServiceTarget } from './service-steering.ts';

export interface Outgoing {
  readonly target: ServiceTarget;
  /** Of the request, as they go upstream. */
  readonly fields: Readonly<Fields>;
  /** Null: the request has none. */
  readonly body: OutgoingBody | null;
  readonly timeouts: AttemptTimeouts;
  readonly tryMs: number;
  readonly traceparent: string;
}

export function outgoingRequest(
  { request, bodyLength, expectsContinue, upgrade }: DownstreamExchange,
  { target, fields, body, timeouts, tryMs, traceparent }: Outgoing,
): OutgoingRequest {
  return {
    request,
    fields,
    host: target.host ?? hostOf(request),
    bodyLength: body?.isFiltered === true ? UNKNOWN_LENGTH : bodyLength,
    // A client that has sent of its body waits for nothing.
    expectsContinue: expectsContinue && body?.hasCome !== true,
    upgrade,
    timeouts,
    tryMs,
    traceparent,
  };
}

const NO_TIMEOUTS = { firstByteMs: 0, betweenBytesMs: 0, tunnelIdleMs: 0 };

/** Of the service of a route; null: no route matched. */
export function timeoutsOf(route: RouteRuntime | null): AttemptTimeouts & { readonly tunnelIdleMs: number } {
  return route?.service.config.timeouts ?? NO_TIMEOUTS;
}

function hostOf({ rewritten, authority }: CanonicalRequest): string {
  return rewritten === null || rewritten.host === '' ? authority : rewritten.host;
}
