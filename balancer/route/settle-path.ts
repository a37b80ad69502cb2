// A path, or a method, that origins read in more than one way → the one path and the one route it gets, or a refusal.
import type { PathPolicy } from '../config/config.ts';
import { ALL_DOUBTS, Doubt, openDoubtsOf, readAs, readingsOf } from '../message/path-readings.ts';

/** What settling needs of a request; the path is written. */
export interface UnsettledRequest {
  path: string;
  readonly pathDoubts: number;
}

export type Settled =
  /** Index of the route, or -1; the request has the path that goes on. */
  | { readonly kind: 'route'; readonly index: number }
  | { readonly kind: 'redirect'; readonly index: number; readonly path: string }
  | { readonly kind: 'ambiguous' };

/**
 * The route is the one for the most daring reading, with all slashes and no parameters; its policy says what of the path is kept. Whatever is
 * kept, an origin may act on or not: so every reading that is left must lead to the same route, and then no reading escapes its rules.
 */
export function settlePath<R extends UnsettledRequest>(
  request: R,
  match: (request: R) => number,
  policyOf: (index: number) => PathPolicy | undefined,
): Settled {
  const { path, pathDoubts } = request;
  const matching = (reading: string): number => {
    request.path = reading;
    return match(request);
  };
  const index = matching(readAs(path, ALL_DOUBTS));
  const policy = policyOf(index);
  if (policy === undefined) {
    request.path = path;
    return { kind: 'route', index: -1 };
  }
  if ((pathDoubts & refusedBy(policy)) !== 0) return { kind: 'ambiguous' };
  const kept = readAs(path, resolvedBy(policy));
  // Merged in any case: a location that begins with two slashes names another host.
  if (policy.escapedSlashes === 'redirect' && (pathDoubts & Doubt.EscapedSlash) !== 0)
    return { kind: 'redirect', index, path: readAs(kept, Doubt.EscapedSlash | Doubt.DoubleSlash) };
  const open = openDoubtsOf(kept);
  // All subsets of the doubts that are open, down to none.
  for (let acted = open; acted > 0; acted = (acted - 1) & open) if (matching(readAs(kept, acted)) !== index) return { kind: 'ambiguous' };
  return matching(kept) === index ? { kind: 'route', index } : { kind: 'ambiguous' };
}

/** Whether something holds of a request by every other method that some origin takes it for, in every reading of its path. */
export function agreesOn<R extends { readonly path: string; readonly method: string; readonly otherMethods: readonly string[] }>(
  request: R,
  holds: (reading: R) => boolean,
): boolean {
  const paths = readingsOf(request.path);
  return request.otherMethods.every((method) => paths.every((path) => holds({ ...request, method, path })));
}

function refusedBy({ escapedSlashes, parameters }: PathPolicy): number {
  return (escapedSlashes === 'reject' ? Doubt.EscapedSlash : 0) | (parameters === 'reject' ? Doubt.Parameters : 0);
}

function resolvedBy({ mergeSlashes, parameters }: PathPolicy): number {
  return (mergeSlashes ? Doubt.DoubleSlash : 0) | (parameters === 'strip' ? Doubt.Parameters : 0);
}
