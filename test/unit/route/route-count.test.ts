// The cost of a match does not depend on the number of routes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouteConfig } from '../../../balancer/config/config.ts';
import { compileRouter, type RoutableRequest, type Router } from '../../../balancer/route/router.ts';

const MANY = 10_000;
/** Few enough that the caches of the processor hold what they touch: the algorithm is measured, not the memory of the machine. */
const ASKED = 16;
const MATCHES = 40_000;
const ROUNDS = 61;
const MOST_RATIO = 1.1;

const pathOf = (index: number): string => `/tenant-${String(index).padStart(5, '0')}/api`;

function routes(count: number, hostOf: (index: number) => string): readonly RouteConfig[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `r${index}`,
    listeners: [],
    paths: { escapedSlashes: 'keep', mergeSlashes: true, parameters: 'keep' },
    service: 'shop',
    priorityClass: 'normal',
    clientCertificate: 'none',
    filters: [],
    match: { hosts: [hostOf(index)], path: { kind: 'prefix', value: pathOf(index) }, methods: [], headers: [], query: [] },
  }));
}

function cpuMicroseconds(router: Router, requests: readonly RoutableRequest[]): number {
  const before = process.cpuUsage();
  let found = 0;
  for (let round = 0; round < MATCHES / ASKED; round += 1) for (const request of requests) if (router.match(request) >= 0) found += 1;
  const used = process.cpuUsage(before);
  assert.equal(found, MATCHES);
  return used.user + used.system;
}

const HOSTS: readonly (readonly [what: string, hostOf: (index: number) => string])[] = [
  ['on one host', () => 'shop.example.com'],
  ['on a host each', (index) => `tenant-${String(index).padStart(5, '0')}.example.com`],
];

for (const [what, hostOf] of HOSTS) {
  test(`among 10,000 routes ${what} a match costs at most 1.1 times what it costs among 16`, () => {
    const all = routes(MANY, hostOf);
    const asked = all.map((_, index) => index).filter((index) => index % (MANY / ASKED) === 0);
    const [few, many] = [
      compileRouter(
        asked.flatMap((index) => all[index] ?? []),
        'web',
      ),
      compileRouter(all, 'web'),
    ];
    // The same requests to both: only the routes that are not asked for make the difference.
    const requests = asked.map((index) => ({
      host: hostOf(index),
      path: `${pathOf(index)}/items/42`,
      query: '',
      method: 'GET',
      fields: [],
    }));
    // Pairs of one moment each, and their median: a machine that slows down for a while slows both of a pair.
    const ratios = Array.from({ length: ROUNDS }, () => {
      const ofFew = cpuMicroseconds(few, requests);
      return cpuMicroseconds(many, requests) / ofFew;
    }).sort((a, b) => a - b);
    const ratio = ratios[ROUNDS >> 1] ?? Infinity;
    assert.ok(ratio <= MOST_RATIO, `ratio ${ratio.toFixed(2)}, of rounds from ${ratios[0]?.toFixed(2)} to ${ratios.at(-1)?.toFixed(2)}`);
  });
}
