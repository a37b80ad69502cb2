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
  const crowded = samePaths(routes);
  const owners = new Map<string, T>();
  const found: { readonly shadowed: T; readonly by: T }[] = [];
  for (const candidate of routes) {
    if (!candidate.comparable || !crowded.has(candidate.route.match.path.value)) continue;
    const claims = claimsOf(candidate.route, httpListeners);
    const above = claims.map((claim) => owners.get(claim));
    const [by] = above;
    if (by !== undefined && above.every((owner) => owner !== undefined)) found.push({ shadowed: candidate, by });
    for (const claim of claims) if (!owners.has(claim)) owners.set(claim, candidate);
  }
  return found;
}

/** Paths that more than one route has: only such routes can shadow each other, and most have a path of their own. */
function samePaths(routes: readonly RankedRoute[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { route } of routes) {
    const key = route.match.path.value;
    if (seen.has(key)) twice.add(key);
    seen.add(key);
  }
  return twice;
}

const pathKey = ({ match }: Pick<RouteConfig, 'match'>): string => `${match.path.kind} ${match.path.value}`;

function claimsOf({ listeners, match }: RouteConfig, allListeners: readonly string[]): readonly string[] {
  const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);
  const asks = match.headers.length + match.query.length > 0;
  const rest = pathKey({ match }) + (asks ? `\n${JSON.stringify([match.headers.toSorted(byName), match.query.toSorted(byName)])}` : '');
  const any = (values: readonly string[], otherwise: readonly string[]): readonly string[] => (values.length === 0 ? otherwise : values);
  return any(listeners, allListeners).flatMap((listener) =>
    any(match.hosts, ['']).flatMap((host) => any(match.methods, ['']).map((method) => `${listener}\n${host}\n${method}\n${rest}`)),
  );
}
