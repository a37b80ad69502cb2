// The end of a request as the access log has it, and as the worker remembers it.
import type { ErrorCode } from '../errors.ts';
import type { FailedAttempt } from '../ipc-recent.ts';
import type { CanonicalRequest } from '../message/request.ts';
import { askedPart, placePart } from './access-entry.ts';
import type { Attempt } from './attempt.ts';
import type { RouteRuntime } from './generation.ts';
import type { ServiceTarget } from './service-steering.ts';
import type { WorkerContext } from './worker-context.ts';

export interface RequestEnd {
  readonly route: RouteRuntime | null;
  readonly target: ServiceTarget | null;
  /** The last one. */
  readonly attempt: Attempt | null;
  readonly attempts: number;
  /** Null: none failed before the last. */
  readonly failed: readonly FailedAttempt[] | null;
  readonly chosenBy: string;
  readonly plan: number;
  readonly status: number;
  /** What is counted: the same, or what the status of a gRPC call stands for. */
  readonly result: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
  readonly error: ErrorCode | '';
  readonly detail: string;
  readonly notable: boolean;
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
  const { route, target, attempt, attempts, status, result, bytesIn, bytesOut, error, detail } = end;
  const entry = {
    ...askedPart(request, clock.wallMs()),
    status,
    ...(result === status ? {} : { result }),
    bytesIn,
    bytesOut,
    durationMs: Math.round(end.durationMs * 1000) / 1000,
    ...placePart(route, target, attempt),
    attempts,
    error,
    detail,
    ...(end.traceId === '' ? {} : { traceId: end.traceId }),
    ...(request.identity === null ? {} : { consumer: request.identity.consumer, authenticatedBy: request.identity.method }),
  };
  if (logged) accessLog?.write(entry, request.fields);
  if (!kept) return;
  const failed = end.failed?.slice(0, Math.max(0, attempts - 1)) ?? [];
  const reasons = route === null || target === null ? [] : route.service.reasonsOf(target, request.clientAddress);
  recent.keep({ ...entry, failed, chosenBy: end.chosenBy, plan: end.plan, reasons }, end.notable);
}
