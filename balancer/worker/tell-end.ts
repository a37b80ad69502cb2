// The end of a request as the access log has it, and as the worker remembers it.
import type { ErrorCode } from '../errors.ts';
import type { FailedAttempt } from '../ipc-recent.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { AccessLogEntry } from '../telemetry/access-log.ts';
import { isoTime } from '../telemetry/iso-time.ts';
import type { Attempt } from './attempt.ts';
import type { RouteRuntime } from './generation.ts';
import type { ServiceTarget } from './service-steering.ts';
import type { WorkerContext } from './worker-context.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** In groups that are made once and not copied: it is made for most requests. */
export interface RequestEnd {
  readonly way: {
    readonly route: RouteRuntime | null;
    readonly target: ServiceTarget | null;
    /** The last one. */
    readonly attempt: Attempt | null;
    readonly attempts: number;
  };
  readonly counts: {
    readonly status: number;
    /** What is counted: the same, or what the status of a gRPC call stands for. */
    readonly result: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
    readonly durationMs: number;
  };
  readonly said: {
    readonly chosenBy: string;
    readonly plan: number;
    readonly error: ErrorCode | '';
    readonly detail: string;
    readonly notable: boolean;
  };
  /** Null: none failed before the last. */
  readonly failed: readonly FailedAttempt[] | null;
  /** Empty: it is not traced. */
  readonly traceId: string;
}

/** Failed, shed, retried, or answered by weir itself. */
export function isNotable(attempts: number, status: number, error: ErrorCode | ''): boolean {
  return attempts !== 1 || status >= 500 || error !== '';
}

/** `kept`: the worker is to remember it; `logged`: it has a line in the access log. */
export function tellEnd(
  { accessLog, clock, recent }: WorkerContext,
  request: CanonicalRequest,
  end: RequestEnd,
  { kept, logged }: { readonly kept: boolean; readonly logged: boolean },
): void {
  const { way, counts, said, traceId } = end;
  const { route, target, attempt, attempts } = way;
  const { identity } = request;
  const entry: Mutable<AccessLogEntry> = {
    at: isoTime(clock.wallMs()),
    requestId: request.requestId,
    listener: request.listener,
    client: request.clientAddress,
    method: request.method,
    host: request.host,
    path: request.path,
    status: counts.status,
    bytesIn: counts.bytesIn,
    bytesOut: counts.bytesOut,
    durationMs: Math.round(counts.durationMs * 1000) / 1000,
    route: route?.config.name ?? '',
    service: route?.service.config.name ?? '',
    version: target?.version ?? '',
    cluster: target?.cluster.name ?? '',
    endpoint: attempt?.endpoint.id ?? '',
    attempts,
    error: said.error,
    detail: said.detail,
  };
  if (counts.result !== counts.status) entry.result = counts.result;
  if (traceId !== '') entry.traceId = traceId;
  if (identity !== null) {
    entry.consumer = identity.consumer;
    entry.authenticatedBy = identity.method;
  }
  if (logged) accessLog?.write(entry, request.fields);
  if (!kept) return;
  const failed = end.failed?.slice(0, Math.max(0, attempts - 1)) ?? [];
  const reasons = route === null || target === null ? [] : route.service.reasonsOf(target, request.clientAddress);
  recent.keep({ ...entry, failed, chosenBy: said.chosenBy, plan: said.plan, reasons }, said.notable);
}
