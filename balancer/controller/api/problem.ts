// Failures of the admin API: an ApiProblem each, with the HTTP status that tells a program the same as its code tells the command.
import { StoreTakesNothingError, nothingChanged } from '../../store/store.ts';
import type { ApiProblem } from './views.ts';

/** A failure with the status it is answered with. */
export interface Failure {
  readonly status: number;
  readonly problem: ApiProblem;
  /** Seconds, for `retry-after`. */
  readonly retryAfterSeconds?: number;
}

const STATUS: Readonly<Record<ApiProblem['code'], number>> = {
  usage: 422,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  unreachable: 503,
  conflict: 409,
  unsafe: 422,
  confirm: 422,
  approval: 422,
  timeout: 504,
  internal: 500,
};

/** `status` only where the transport knows better than the code does (400, 413, 415, 429). */
export function failure(problem: ApiProblem, status: number = STATUS[problem.code]): Failure {
  return { status, problem };
}

export function usageFailure(message: string, status?: number): Failure {
  return failure({ code: 'usage', message }, status);
}

/** Messages of the framework quote the request; this much of one says enough. */
const MAX_ECHO = 200;

/**
 * What fastify threw before or around a handler: its own client errors (a body that is no JSON, too large, of another type) keep
 * their status; a disk that takes nothing is told of, whatever was asked; anything else is a defect of ours and says nothing about the inside.
 */
export function failureOfError(error: unknown): Failure {
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number') {
    const { statusCode } = error;
    if (statusCode === 413) return usageFailure('the body is too large: at most 64 KiB, or 4 MiB for a config', statusCode);
    if (statusCode === 415)
      return usageFailure('the content type is not accepted: send application/json, or application/yaml for a config', statusCode);
    if (statusCode >= 400 && statusCode < 500)
      return usageFailure(`the request cannot be read: ${error.message.slice(0, MAX_ECHO)}`, statusCode);
  }
  if (error instanceof StoreTakesNothingError) return failure({ code: 'unreachable', message: nothingChanged(error) });
  return failure({ code: 'internal', message: 'an error inside weir; its log has the details' });
}
