// Micro bench of the router: what finding the route costs with one route and with ten thousand.
import type { RouteConfig, RouteMatch } from '../../balancer/config/config.ts';
import { compileRouter, type RoutableRequest } from '../../balancer/route/router.ts';
import type { MicroCase, MicroSubject } from './harness.ts';

const ROUTES = 10_000;
/** Different requests that are asked in turn; a power of two. */
const REQUESTS = 1_024;
/** Coprime to the number of routes: the requests are spread over all of them. */
const STRIDE = 7_919;

function routesFor(count: number, matchOf: (index: number) => Partial<RouteMatch>): readonly RouteConfig[] {
  const anything: RouteMatch = { hosts: [], path: { kind: 'prefix', value: '/' }, methods: [], headers: [], query: [] };
  return Array.from({ length: count }, (_, index) => ({
    name: `route-${index}`,
    listeners: [],
    match: { ...anything, ...matchOf(index) },
    paths: { escapedSlashes: 'keep', mergeSlashes: true, parameters: 'keep' },
    service: 'shop',
    priorityClass: 'normal',
    clientCertificate: 'none',
    filters: [],
  }));
}

/** The same requests for every case; each is for another host and another path. */
function requests(): readonly RoutableRequest[] {
  return Array.from({ length: REQUESTS }, (_, index) => {
    const place = (index * STRIDE) % ROUTES;
    return { host: `shop-${place}.example.com`, path: `/shop-${place}/items/42`, query: '', method: 'GET', fields: [] };
  });
}

function finding(name: string, routes: readonly RouteConfig[]): MicroCase {
  const router = compileRouter(routes, 'web');
  const asked = requests();
  const stranger = asked.find((request) => router.match(request) < 0);
  if (stranger !== undefined) throw new Error(`${name}: no route for ${stranger.host}${stranger.path}`);
  return {
    name,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) {
        const request = asked[turn & (REQUESTS - 1)];
        if (request !== undefined) total += router.match(request);
      }
      return total;
    },
  };
}

export const router: MicroSubject = {
  name: 'router',
  summary: 'finding the route of a request',
  cases: () => [
    finding(
      '1 route',
      routesFor(1, () => ({})),
    ),
    finding(
      `${ROUTES} hosts`,
      routesFor(ROUTES, (index) => ({ hosts: [`shop-${index}.example.com`] })),
    ),
    finding(
      `${ROUTES} path prefixes`,
      routesFor(ROUTES, (index) => ({ path: { kind: 'prefix', value: `/shop-${index}` } })),
    ),
  ],
};
