// Drain, maintenance and dial: they move shares at once, cut nothing that runs, and keep what was closed on purpose closed.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { failuresOf, keepClients, tally } from '../support/kept-clients.ts';
import { startOrigin, type Answer } from '../support/origin.ts';
import { until } from '../support/until.ts';

const WORKERS = 2;

test('operators close clusters and open them again', async (t) => {
  const slow: { readonly cluster: string; readonly response: ServerResponse }[] = [];
  const at =
    (cluster: string): Answer =>
    (request, response) => {
      if (request.url === '/slow') slow.push({ cluster, response });
      else response.end(cluster);
    };
  const [east, west, spare] = [await startOrigin(t, at('east')), await startOrigin(t, at('west')), await startOrigin(t, at('spare'))];
  const yaml = config(east.endpoint, west.endpoint, spare.endpoint);
  const appliance = await startAppliance(t, { yaml, workers: WORKERS, untilProbed: true });
  const clients = keepClients(t, appliance.url(), 8);

  await t.test('a drain moves the share while requests that run there go on to their end', async () => {
    const running = Array.from({ length: 6 }, () => appliance.get('/slow'));
    await until(() => slow.length === running.length, 'the slow requests are at their origins');
    // However the workers divide six requests, one of them has at least two, and of these one goes to east.
    assert.ok(slow.some(({ cluster }) => cluster === 'east'));
    const load = clients.load(2);
    await change(appliance, 'drain', 'east');
    const drained = east.requests.length;
    await until(() => load.asked.length > 100, 'a load goes on');
    assert.deepEqual(failuresOf(await load.stop()), []);
    assert.deepEqual(tally(await clients.ask(100)), { west: 100 });
    // Applied means served by every worker; only what was on its way then may still have arrived.
    assert.ok(east.requests.length - drained <= 8, `${east.requests.length - drained} requests reached the drained cluster`);
    for (const { response } of slow) response.end('after the drain');
    for (const answer of await Promise.all(running)) assert.deepEqual([answer.status, answer.body], [200, 'after the drain']);
  });

  await t.test('a drained cluster is not a refuge when the others die', async () => {
    const before = east.requests.length;
    await west.kill();
    await until(() => isDown(appliance, 'west'), 'west is down', 10_000);
    const asked = await clients.ask(50);
    assert.deepEqual(tally(asked), { 502: 50 });
    assert.equal(east.requests.length, before);
    await west.revive();
    await until(async () => !(await isDown(appliance, 'west')), 'west is back', 15_000);
    await change(appliance, 'restore', 'east');
  });

  await t.test('dial 25 leaves a quarter of the weight', async () => {
    await until(
      async () =>
        Object.keys(tally(await clients.ask(20)))
          .sort()
          .join() === 'east,west',
      'both clusters serve',
      // A busy machine misses probes too: a cluster that fell twice is held for 15 s.
      30_000,
    );
    await change(appliance, 'dial', 'east', '25');
    // Weights 25 and 100: a fifth and four fifths, within 2 per worker.
    const { east: count = 0 } = tally(await clients.ask(500));
    assert.ok(Math.abs(count - 100) < 2 * WORKERS, `${count} of 500 went to east`);
    await change(appliance, 'dial', 'east', '0');
    assert.deepEqual(tally(await clients.ask(100)), { west: 100 });
    await change(appliance, 'dial', 'east', '100');
  });

  await t.test('maintenance gets nothing', async () => {
    await change(appliance, 'maintenance', 'east');
    assert.deepEqual(tally(await clients.ask(100)), { west: 100 });
    await change(appliance, 'restore', 'east');
    assert.deepEqual(Object.keys(tally(await clients.ask(100))).sort(), ['east', 'west']);
  });

  await t.test('a last resort that is dialled to 0 serves when nothing else is left', async () => {
    const { code, stderr } = await appliance.weir('dial', 'spare', '0', '--yes');
    assert.equal(code, 0, stderr);
    assert.deepEqual(tally(await clients.ask(100, { headers: { host: 'resort.example' } })), { west: 100 });
    await west.kill();
    await until(() => isDown(appliance, 'west'), 'west is down', 10_000);
    assert.deepEqual(tally(await clients.ask(100, { headers: { host: 'resort.example' } })), { spare: 100 });
  });
});

async function change(appliance: Appliance, ...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await appliance.weir(...args, '--yes');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /applied on 2\/2 workers/);
}

async function isDown(appliance: Appliance, cluster: string): Promise<boolean> {
  return (await appliance.status()).clusters.some(({ name, health }) => name === cluster && health === 'down');
}

function config(east: string, west: string, spare: string): string {
  const rest =
    'health: { http: { path: /healthz }, interval: 200ms }, outlier: { baseEjection: 500ms, maxEjection: 500ms }, failback: { mode: auto }';
  return `clusters:
  east: { endpoints: ["${east}"], ${rest} }
  west: { endpoints: ["${west}"], ${rest} }
  spare: { endpoints: ["${spare}"], ${rest}, lastResort: true }
services:
  demo: { versions: { blue: { clusters: { east: {}, west: {} } } } }
  resort: { versions: { blue: { clusters: { west: {}, spare: {} } } } }
routes:
  - { match: { hosts: [resort.example] }, service: resort }
  - { service: demo }
`;
}
