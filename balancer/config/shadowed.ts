// Routes that can never match because routes above them, of the same rank, take every request they are for.
import type { RouteConfig } from './config.ts';

export interface RankedRoute {
  readonly route: RouteConfig;
  /** False: its match is not as written; it neither shadows nor is shadowed. */
  readonly comparable: boolean;
}

/**
 * Between routes of the same rank the first in the file wins. A route is taken apart into (listener, host, method) with the rest
 * of its conditions; when routes above have all of these, no request is left for it.
 */
export function shadowingRoutes<T extends RankedRoute>(
  routes: readonly T[],
  httpListeners: readonly string[],
): readonly { readonly shadowed: T; readonly by: T }[] {
  const owners = new Map<string, T>();
  const found: { readonly shadowed: T; readonly by: T }[] = [];
  for (const candidate of routes) {
    if (!candidate.comparable) continue;
    const claims = claimsOf(candidate.route, httpListeners);
    const above = claims.map((claim) => owners.get(claim));
    const [by] = above;
    if (by !== undefined && above.every((owner) => owner !== undefined)) found.push({ shadowed: candidate, by });
    for (const claim of claims) if (!owners.has(claim)) owners.set(claim, candidate);
  }
  return found;
}

function claimsOf({ listeners, match }: RouteConfig, allListeners: readonly string[]): readonly string[] {
  const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);
  const rest = JSON.stringify([match.path, match.headers.toSorted(byName), match.query.toSorted(byName)]);
  const any = (values: readonly string[], otherwise: readonly string[]): readonly string[] => (values.length === 0 ? otherwise : values);
  return any(listeners, allListeners).flatMap((listener) =>
    any(match.hosts, ['']).flatMap((host) => any(match.methods, ['']).map((method) => `${listener}\n${host}\n${method}\n${rest}`)),
  );
}
