// A cluster that dies under load: its share goes at once, requests go on, and it gets its share back when it has been good twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { failuresOf, keepClients } from '../support/kept-clients.ts';
import { named, startOrigin } from '../support/origin.ts';
import { until } from '../support/until.ts';

/** What the appliance promises: no GET fails later than this after a cluster died. */
const SETTLED_MS = 2000;

test('a cluster dies under a steady load of GETs and comes back', async (t) => {
  const names = ['east', 'west', 'north'];
  const [east, west, north] = [
    await startOrigin(t, named('east')),
    await startOrigin(t, named('west')),
    await startOrigin(t, named('north')),
  ];
  const appliance = await startAppliance(t, { yaml: config([east.endpoint, west.endpoint, north.endpoint]), untilProbed: true });
  const load = keepClients(t, appliance.url(), 8).load(5);
  await until(() => names.every((name) => load.asked.some(({ body }) => body === name)), 'all three clusters answer');

  await east.kill();
  const killedMs = performance.now();
  await until(async () => (await health(appliance, 'east')) === 'down', 'east is seen to be down');
  const seenMs = performance.now() - killedMs;
  await until(() => performance.now() > killedMs + SETTLED_MS + 1000, 'a second of load more than was promised');
  const failures = failuresOf(load.asked);
  const late = failures.filter(({ atMs }) => atMs > killedMs + SETTLED_MS);
  assert.deepEqual(late, []);
  const afterwards = load.asked.filter(({ atMs }) => atMs > killedMs + SETTLED_MS);
  assert.ok(afterwards.length > 50, `${afterwards.length} answers`);
  const times = failures.map(({ atMs }) => Math.round(atMs - killedMs));
  t.diagnostic(`seen down after ${Math.round(seenMs)} ms; ${failures.length} GETs failed, ms after the kill: ${times.join(' ') || 'none'}`);

  const target = (await appliance.status()).services[0]?.targets.find(({ cluster }) => cluster === 'east');
  assert.equal(target?.effectiveShare, 0);
  assert.deepEqual(target.reasons, ['cluster_down']);

  await east.revive();
  const before = east.requests.length;
  await until(async () => (await health(appliance, 'east')) === 'up', 'east is up again', 15_000);
  await until(() => east.requests.length > before, 'east gets requests again');
  assert.deepEqual(
    failuresOf(await load.stop()).filter(({ atMs }) => atMs > killedMs + SETTLED_MS),
    [],
  );
});

async function health(appliance: Appliance, cluster: string): Promise<string | undefined> {
  return (await appliance.status()).clusters.find(({ name }) => name === cluster)?.health;
}

function config([east, west, north]: readonly string[]): string {
  const check = 'health: { http: { path: /healthz }, interval: 200ms, timeout: 500ms, rise: 2, fall: 3 }';
  return `clusters:
  east: { endpoints: ["${east}"], ${check}, outlier: { baseEjection: 500ms } }
  west: { endpoints: ["${west}"], ${check} }
  north: { endpoints: ["${north}"], ${check} }
services:
  demo:
    versions: { blue: { clusters: { east: {}, west: {}, north: {} } } }
routes:
  - { service: demo }
`;
}
