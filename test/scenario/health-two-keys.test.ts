// Health has two keys: a version that answers 503 in one cluster is taken out there, and neither the cluster nor another version with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { failuresOf, keepClients, tally } from '../support/kept-clients.ts';
import { startOrigin, type Answer } from '../support/origin.ts';
import { until } from '../support/until.ts';

const WORKERS = 2;
/** Failures in a row that eject. */
const CONSECUTIVE = 5;

test('a version out of order in one cluster goes there alone', async (t) => {
  let broken = false;
  const answer =
    (cluster: string): Answer =>
    (request, response) => {
      const version = request.headers.host?.split('.')[0] ?? '?';
      if (broken && version === 'green' && cluster === 'east') response.writeHead(503).end('out of order');
      else response.end(`${version} in ${cluster}`);
    };
  const east = await startOrigin(t, answer('east'));
  const west = await startOrigin(t, answer('west'));
  const appliance = await startAppliance(t, { yaml: config(east.endpoint, west.endpoint), workers: WORKERS, untilProbed: true });
  const clients = keepClients(t, appliance.url(), 16);
  assert.deepEqual(Object.keys(tally(await clients.ask(100))).sort(), ['blue in east', 'blue in west', 'green in east', 'green in west']);

  broken = true;
  // Never two at once, so each worker passes on exactly the failures that make it eject, or fewer if it heard of them from the other.
  const during = await clients.askInTurn(16);
  const failures = failuresOf(during);
  assert.ok(failures.length >= CONSECUTIVE && failures.length <= CONSECUTIVE * WORKERS, `${failures.length} answers of 503`);
  assert.ok(failures.every(({ status, body }) => status === 503 && body === 'out of order'));
  t.diagnostic(`${failures.length} answers of 503 reached clients`);

  await until(
    async () => (await appliance.status()).services[0]?.targets.some(({ effectiveShare }) => effectiveShare === 0) === true,
    'it is in the plan',
  );
  const status = await appliance.status();
  const shares = Object.fromEntries(status.services[0]?.targets.map((at) => [`${at.version} in ${at.cluster}`, at.effectiveShare]) ?? []);
  assert.deepEqual(shares, { 'blue in east': 0.25, 'blue in west': 0.25, 'green in east': 0, 'green in west': 0.5 });
  assert.deepEqual(status.services[0]?.targets.find(({ effectiveShare }) => effectiveShare === 0)?.reasons, ['target_ejected']);
  assert.deepEqual(
    status.clusters.map(({ name, health, endpoints }) => [name, health, endpoints.map((endpoint) => endpoint.health)]),
    [
      ['east', 'up', ['up']],
      ['west', 'up', ['up']],
    ],
  );
  assert.deepEqual(failuresOf(await clients.ask(200)), []);
  assert.deepEqual(Object.keys(tally(await clients.ask(100))).sort(), ['blue in east', 'blue in west', 'green in west']);
  assert.doesNotMatch(await appliance.metrics(), /^weir_ejections_total\{[^}]*reason="path"[^}]*\} [1-9]/m);
});

test('a version that heals gets its share back when its ejection ends', async (t) => {
  let broken = true;
  const origin = await startOrigin(t, (request, response) => {
    const version = request.headers.host?.split('.')[0] ?? '?';
    response.writeHead(broken && version === 'green' ? 503 : 200).end(version);
  });
  const yaml = config(origin.endpoint, origin.endpoint).replaceAll('baseEjection: 60s', 'baseEjection: 500ms');
  const appliance = await startAppliance(t, { yaml, untilProbed: true });
  const clients = keepClients(t, appliance.url(), 16);
  const isOut = async (): Promise<boolean> =>
    (await appliance.events()).some(({ kind, text }) => kind === 'ejection' && /demo\/green\/\w+ is ejected: answered 503/.test(text));
  const load = clients.load(5);
  await until(isOut, 'it is ejected');
  broken = false;
  await until(
    async () => (await appliance.status()).services[0]?.targets.every(({ effectiveShare }) => effectiveShare === 0.25) === true,
    'all have their shares again',
    10_000,
  );
  await load.stop();
  assert.deepEqual(failuresOf(await clients.ask(100)), []);
  const { green } = tally(await clients.ask(100));
  // Half of 100, within 2 for each of the two targets and two workers.
  assert.ok(Math.abs((green ?? 0) - 50) < 8, `${green} went to green`);
});

function config(east: string, west: string): string {
  const rest = `health: { http: { path: /healthz }, interval: 200ms }, outlier: { consecutive: ${CONSECUTIVE}, baseEjection: 60s }, failback: { mode: auto }`;
  return `clusters:
  east: { endpoints: ["${east}"], ${rest} }
  west: { endpoints: ["${west}"], ${rest} }
services:
  demo:
    versions:
      blue: { clusters: { east: { host: blue.internal }, west: { host: blue.internal } } }
      green: { clusters: { east: { host: green.internal }, west: { host: green.internal } } }
    split: { blue: 50, green: 50 }
routes:
  - { service: demo }
`;
}
