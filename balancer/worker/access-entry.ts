// Parts of a line of the access log: what was asked, and where it went.
import type { CanonicalRequest } from '../message/request.ts';
import { isoTime } from '../telemetry/iso-time.ts';
import type { AccessLogEntry } from '../telemetry/access-log.ts';
import type { Attempt } from './attempt.ts';
import type { RouteRuntime } from './generation.ts';
import type { ServiceTarget } from './service-steering.ts';

export type AskedPart = Pick<AccessLogEntry, 'at' | 'requestId' | 'listener' | 'client' | 'method' | 'host' | 'path'>;
export type PlacePart = Pick<AccessLogEntry, 'route' | 'service' | 'version' | 'cluster' | 'endpoint'>;

/** `wallMs`: the time of day when it is written. */
export function askedPart({ requestId, listener, clientAddress, method, host, path }: CanonicalRequest, wallMs: number): AskedPart {
  return { at: isoTime(wallMs), requestId, listener, client: clientAddress, method, host, path };
}

/** Empty where the request never came to. */
export function placePart(route: RouteRuntime | null, target: ServiceTarget | null, attempt: Attempt | null): PlacePart {
  return {
    route: route?.config.name ?? '',
    service: route?.service.config.name ?? '',
    version: target?.version ?? '',
    cluster: target?.cluster.name ?? '',
    endpoint: attempt?.endpoint.id ?? '',
  };
}
