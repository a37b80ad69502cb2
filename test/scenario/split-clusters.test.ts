// A split over versions and clusters together, and a shift among clusters.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { keepClients, tally, type Asked } from '../support/kept-clients.ts';
import { startOrigin, type Answer } from '../support/origin.ts';

const WORKERS = 2;

test('the weights of clusters divide the share of each version', async (t) => {
  const east = await startOrigin(t, versionAt('east'));
  const west = await startOrigin(t, versionAt('west'));
  const appliance = await startAppliance(t, { yaml: config(east.endpoint, west.endpoint), workers: WORKERS, untilProbed: true });
  const clients = keepClients(t, appliance.url(), 16);

  // Every (version, cluster) is one target of a worker's choice, so each is within 1 per worker of its exact count.
  assertWithin(WORKERS, await clients.ask(1000), { 'blue in east': 560, 'blue in west': 240, 'green in west': 200 });

  const { code, stderr } = await appliance.weir('shift', 'demo', '--clusters', 'east=20', 'west=80', '--yes');
  assert.equal(code, 0, stderr);
  // The same targets have weight as before: what was owed is carried over, which is 1 more per worker.
  assertWithin(2 * WORKERS, await clients.ask(1000), { 'blue in east': 160, 'blue in west': 640, 'green in west': 200 });
});

function assertWithin(bound: number, asked: readonly Asked[], expected: Readonly<Record<string, number>>): void {
  const counts = tally(asked);
  assert.deepEqual(Object.keys(counts).sort(), Object.keys(expected).sort());
  for (const [target, exact] of Object.entries(expected)) {
    const count = counts[target] ?? 0;
    assert.ok(Math.abs(count - exact) < bound, `${target} got ${count}, exact is ${exact}, the bound is ${bound}`);
  }
}

/** The host field names the version, as an ingress would see it. */
function versionAt(cluster: string): Answer {
  return (request, response) => response.end(`${request.headers.host?.split('.')[0] ?? '?'} in ${cluster}`);
}

function config(east: string, west: string): string {
  return `clusters:
  east: { endpoints: ["${east}"], health: { http: { path: /healthz }, interval: 200ms } }
  west: { endpoints: ["${west}"], health: { http: { path: /healthz }, interval: 200ms } }
services:
  demo:
    versions:
      blue: { clusters: { east: { weight: 70, host: blue.internal }, west: { weight: 30, host: blue.internal } } }
      green: { clusters: { west: { host: green.internal } } }
    split: { blue: 80, green: 20 }
routes:
  - { service: demo }
`;
}
