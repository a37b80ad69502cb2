// The part of a report that tells of a Kubernetes cluster: every field bounded, and one that cannot be makes the whole not count.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MOST_ENDPOINTS, MOST_SERVICES, type ServiceReport } from '../../../../agent/protocol.ts';
import { decodeCluster } from '../../../../balancer/controller/hub/decode-cluster.ts';

const SHOP: ServiceReport = {
  ...{ service: 'shop', ready: 3, serving: 4, total: 5, ratePerEndpoint: 50, rateOf: 'declared', capacityRps: 150 },
  ...{ utilisation: 0.5, utilisationOf: 'pods', growth: 2, growthBound: 'room' },
};

const WHOLE = {
  ...{ utilisation: 0.5, utilisationOf: 'pods', growth: 1.5, services: [SHOP], pendingPods: 0, controlPlane: 'ready' },
  endpoints: {
    fresh: true,
    list: [
      { host: '10.0.0.1', port: 443 },
      { host: '2001:db8::1', port: 443, draining: true },
      { host: 'a.example.com', port: 80 },
    ],
  },
  nodes: { ready: 2, total: 3, pressed: 0, schedulable: 2 },
  sources: { nodes: { state: 'fresh', ageMs: 12 }, podMetrics: { state: 'absent', ageMs: null } },
};

test('a report in order is taken as it is, in parts or as a whole, without what is not known', () => {
  assert.deepEqual(decodeCluster({ ...WHOLE, weather: 'fine', sources: { ...WHOLE.sources, moon: {} } }), WHOLE);
  assert.deepEqual(decodeCluster({}), {});
  assert.deepEqual(decodeCluster({ growth: 2 }), { growth: 2 });
});

test('a name of a host is compared in small letters', () => {
  assert.deepEqual(decodeCluster({ endpoints: { fresh: true, list: [{ host: 'A.Example.COM', port: 80 }] } })?.endpoints?.list, [
    { host: 'a.example.com', port: 80 },
  ]);
});

test('a field that cannot be makes nothing of it count', () => {
  const broken: readonly object[] = [
    { utilisation: -1 },
    { utilisation: '0.5' },
    { utilisation: 101 },
    { utilisationOf: 'dreams' },
    { growth: 0.5 },
    { growth: 1e9 },
    { pendingPods: 1.5 },
    { controlPlane: 'fine' },
    { nodes: { ready: 1, total: 2, pressed: 0 } },
    { services: [{ ...SHOP, service: 'Shop!' }] },
    { services: [{ ...SHOP, ready: -1 }] },
    { services: [{ ...SHOP, capacityRps: Infinity }] },
    { services: Array(MOST_SERVICES + 1).fill(SHOP) },
    { endpoints: { list: [] } },
    { endpoints: { fresh: true, list: [{ host: '10.0.0.1', port: 0 }] } },
    { endpoints: { fresh: true, list: [{ host: '10.0.0.1', port: 70_000 }] } },
    { endpoints: { fresh: true, list: [{ host: '10.0.0.1/evil', port: 80 }] } },
    { endpoints: { fresh: true, list: [{ host: 'a b', port: 80 }] } },
    { endpoints: { fresh: true, list: [{ host: '10.0.0.1', port: 80, draining: 'yes' }] } },
    { endpoints: { fresh: true, list: Array(MOST_ENDPOINTS + 1).fill({ host: '10.0.0.1', port: 80 }) } },
    { sources: { nodes: { state: 'rotten', ageMs: 1 } } },
    { sources: { nodes: { state: 'fresh', ageMs: -1 } } },
  ];
  for (const one of broken) assert.equal(decodeCluster({ ...WHOLE, ...one }), null, JSON.stringify(one).slice(0, 100));
});

test('whatever comes, it is refused or within the bounds, and never thrown at', () => {
  const field = fc.constantFrom(...Object.keys(WHOLE));
  fc.assert(
    fc.property(field, fc.jsonValue(), (name, value) => {
      const decoded = decodeCluster({ ...WHOLE, [name]: value });
      assert.ok(decoded === null || decoded.growth === undefined || decoded.growth >= 1);
    }),
    { seed: 9, numRuns: 500 },
  );
});
