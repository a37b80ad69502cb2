// Request → route, at a cost that does not depend on the number of routes.
import type { ListenerProtocol, RouteConfig } from '../config/config.ts';
import { SuffixTable } from './boundary-table.ts';
import { compileCandidate, type RoutableRequest } from './conditions.ts';
import { PathTable, type PlacedCandidate } from './path-table.ts';
import { finish, isStep } from './steps.ts';

export type { RoutableRequest } from './conditions.ts';

export interface Router {
  /** Index into the routes it was compiled from, or -1. Not re-entrant, and needs not be: it waits for nothing. */
  match(request: RoutableRequest): number;
}

const ANY_HOST = '';
const WILDCARD = '*.';

/**
 * Precedence as of HTTPRoute in the Kubernetes Gateway API: an exact host before a wildcard, a longer wildcard before a shorter
 * one, a wildcard before any host; then an exact path, a pattern (where the API leaves the place open), a longer prefix; then a
 * method, the number of header fields, the number of query parameters; then the order of the file. When no route of a host
 * fits, the routes of the next wider host are asked. A route that names no listeners is for those that speak HTTP.
 */
export function compileRouter(routes: readonly RouteConfig[], listener: string, protocol: ListenerProtocol = 'http'): Router {
  return finish(routerInSteps(routes, listener, protocol));
}

/** As `compileRouter`, for who has requests to serve meanwhile. */
export function* routerInSteps(routes: readonly RouteConfig[], listener: string, protocol: ListenerProtocol): Generator<undefined, Router> {
  const isFor = ({ listeners }: RouteConfig): boolean => (listeners.length === 0 ? protocol === 'http' : listeners.includes(listener));
  const byHost = yield* placedByHost(routes, isFor);
  const hosts = [...byHost.keys()];
  const wildcards = hosts.filter((host) => host.startsWith(WILDCARD)).map((host) => host.slice(WILDCARD.length));
  const suffixes = wildcards.length === 0 ? null : yield* SuffixTable.of(wildcards);
  return new HostRouter(hosts, yield* PathTable.of(byHost.values()), suffixes);
}

function* placedByHost(
  routes: readonly RouteConfig[],
  isFor: (route: RouteConfig) => boolean,
): Generator<undefined, ReadonlyMap<string, readonly PlacedCandidate[]>> {
  const byHost = new Map<string, PlacedCandidate[]>();
  for (const [index, route] of routes.entries()) {
    if (isStep(index)) yield;
    if (!isFor(route)) continue;
    const placed = { path: route.match.path, candidate: compileCandidate(index, route.match) };
    for (const host of route.match.hosts.length === 0 ? [ANY_HOST] : route.match.hosts) {
      const others = byHost.get(host);
      if (others === undefined) byHost.set(host, [placed]);
      else others.push(placed);
    }
  }
  return byHost;
}

class HostRouter implements Router {
  readonly #paths: PathTable;
  /** Host → its number in the table. */
  readonly #exact: ReadonlyMap<string, number>;
  readonly #suffixes: SuffixTable | null;
  readonly #bySuffix: readonly number[];
  readonly #anyHost: number | null;

  /** `suffixes`: of the hosts that are wildcards, in their order; null: there are none. */
  constructor(hosts: readonly string[], paths: PathTable, suffixes: SuffixTable | null) {
    const numbers = new Map(hosts.map((host, number) => [host, number]));
    const wildcards = hosts.filter((host) => host.startsWith(WILDCARD));
    this.#paths = paths;
    // No host is empty or begins with `*`: neither the wildcards nor the routes for any host are met in here.
    this.#exact = numbers;
    this.#suffixes = suffixes;
    this.#bySuffix = wildcards.flatMap((host) => numbers.get(host) ?? []);
    this.#anyHost = numbers.get(ANY_HOST) ?? null;
  }

  match(request: RoutableRequest): number {
    const host = this.#exact.get(request.host);
    if (host !== undefined) {
      const index = this.#paths.match(host, request);
      if (index >= 0) return index;
    }
    if (this.#suffixes !== null) {
      const index = this.#matchWildcards(this.#suffixes, request);
      if (index >= 0) return index;
    }
    return this.#anyHost === null ? -1 : this.#paths.match(this.#anyHost, request);
  }

  #matchWildcards(suffixes: SuffixTable, request: RoutableRequest): number {
    for (let found = suffixes.collect(request.host) - 1; found >= 0; found -= 1) {
      const host = this.#bySuffix[suffixes.at(found)];
      const index = host === undefined ? -1 : this.#paths.match(host, request);
      if (index >= 0) return index;
    }
    return -1;
  }
}
