// The cost of a match does not depend on the number of routes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouteConfig } from '../../../balancer/config/config.ts';
import { compileRouter, type RoutableRequest, type Router } from '../../../balancer/route/router.ts';

const MANY = 10_000;
/** Few enough that the caches of the processor hold what they touch: the algorithm is measured, not the memory of the machine. */
const ASKED = 16;
const MATCHES = 40_000;
const ROUNDS = 25;
const MOST_RATIO = 1.2;

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
  test(`among 10,000 routes ${what} a match costs at most 1.2 times what it costs with one`, () => {
    const [one, many] = [compileRouter(routes(1, hostOf), 'web'), compileRouter(routes(MANY, hostOf), 'web')];
    const asking = (index: number): RoutableRequest => ({
      host: hostOf(index),
      path: `${pathOf(index)}/items/42`,
      query: '',
      method: 'GET',
      fields: [],
    });
    const ofOne = Array.from({ length: ASKED }, () => asking(0));
    const ofMany = Array.from({ length: ASKED }, (_, index) => asking(Math.floor((index * MANY) / ASKED)));
    // Taken in turns, and the least of each: what other programs do meanwhile only ever adds.
    let [leastOfOne, leastOfMany] = [Infinity, Infinity];
    for (let round = 0; round < ROUNDS || (leastOfMany > leastOfOne * MOST_RATIO && round < ROUNDS * 8); round += 1) {
      leastOfOne = Math.min(leastOfOne, cpuMicroseconds(one, ofOne));
      leastOfMany = Math.min(leastOfMany, cpuMicroseconds(many, ofMany));
    }
    const ratio = leastOfMany / leastOfOne;
    assert.ok(ratio <= MOST_RATIO, `ratio ${ratio.toFixed(2)}: ${leastOfMany} µs for ${leastOfOne} µs`);
  });
}
