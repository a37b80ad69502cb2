// Where a share goes when its place is gone, as the service declares: redistribute, fail, hold, seen by requests.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { keepClients, tally } from '../support/kept-clients.ts';
import { startOrigin, type Answer } from '../support/origin.ts';
import { until } from '../support/until.ts';

const WORKERS = 2;
/**
 * How far a count may be from its share. A worker owes every target less than 1 request before and after. When a place goes, what it was
 * owed passes to others, which is less than 1 more for each place that went.
 */
const BOUND = 3 * WORKERS;

test('a cluster dies under services of every kind', async (t) => {
  const east = await startOrigin(t, versionAt('east'));
  const west = await startOrigin(t, versionAt('west'));
  const appliance = await startAppliance(t, { yaml: config(east.endpoint, west.endpoint), workers: WORKERS, untilProbed: true });
  const clients = keepClients(t, appliance.url(), 8);
  const ask = async (service: string) => tally(await clients.ask(200, { path: `/${service}` }));
  await east.kill();
  await until(() => isDown(appliance, 'east'), 'east is down', 10_000);

  await t.test('redistribute: the same version elsewhere has it all', async () => {
    assert.deepEqual(await ask('moves'), { 'blue in west': 200 });
  });

  await t.test('redistribute: another version has it when its own is nowhere', async () => {
    assert.deepEqual(await ask('crosses'), { 'blue in west': 200 });
  });

  await t.test('redistribute: a version with another place keeps its share there, and the others theirs', async () => {
    const counts = await ask('stays');
    assertNear(counts, { 'blue in west': 120, 'green in west': 80 });
  });

  await t.test('redistribute: a version of weight 0 receives nothing, so what is left is asked in spite of its health', async () => {
    assert.deepEqual(await ask('alone'), { 502: 200 });
  });

  await t.test('fail: the share is lost and answered 503, the rest goes on', async () => {
    assertNear(await ask('fails'), { 503: 100, 'blue in west': 100 });
    const { lostShare } = (await appliance.status()).services.find(({ name }) => name === 'fails') ?? {};
    assert.equal(lostShare, 0.5);
    const refused = (await clients.ask(20, { path: '/fails' })).find(({ status }) => status === 503);
    assert.match(refused?.body ?? '', /"code":"no_cluster"/);
  });

  await t.test('hold: the share stays where it was, whatever comes of it', async () => {
    assertNear(await ask('holds'), { 502: 100, 'blue in west': 100 });
  });

  await t.test('all have their places again when the cluster is back', async () => {
    await east.revive();
    await until(async () => !(await isDown(appliance, 'east')), 'east is back', 15_000);
    const settled = async (): Promise<boolean> => (await appliance.status()).services.every(({ lostShare }) => lostShare === 0);
    await until(settled, 'nothing is lost any more');
    // The workers eject on their own and let it back on their own, within the half second configured.
    await until(async () => (await ask('holds'))['502'] === undefined, 'the workers ask it again', 10_000);
    for (const service of ['moves', 'fails', 'holds']) assertNear(await ask(service), { 'blue in east': 100, 'blue in west': 100 });
  });
});

function assertNear(counts: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>): void {
  assert.deepEqual(Object.keys(counts).sort(), Object.keys(expected).sort());
  for (const [key, exact] of Object.entries(expected))
    assert.ok(Math.abs((counts[key] ?? 0) - exact) < BOUND, `${key}: ${counts[key] ?? 0}, exact is ${exact}, the bound ${BOUND}`);
}

async function isDown(appliance: Appliance, cluster: string): Promise<boolean> {
  return (await appliance.status()).clusters.some(({ name, health }) => name === cluster && health === 'down');
}

function versionAt(cluster: string): Answer {
  return (request, response) => response.end(`${request.headers.host?.split('.')[0] ?? '?'} in ${cluster}`);
}

function config(east: string, west: string): string {
  const both = '{ clusters: { east: { host: VERSION.internal }, west: { host: VERSION.internal } } }';
  const blue = both.replaceAll('VERSION', 'blue');
  const rest =
    'health: { http: { path: /healthz }, interval: 200ms }, outlier: { baseEjection: 500ms, maxEjection: 500ms }, failback: { mode: auto }';
  return `clusters:
  east: { endpoints: ["${east}"], ${rest} }
  west: { endpoints: ["${west}"], ${rest} }
services:
  moves: { versions: { blue: ${blue} } }
  fails: { versions: { blue: ${blue} }, onUnavailable: fail }
  holds: { versions: { blue: ${blue} }, onUnavailable: hold }
  crosses:
    versions:
      blue: { clusters: { west: { host: blue.internal } } }
      green: { clusters: { east: { host: green.internal } } }
    split: { blue: 30, green: 70 }
  stays:
    versions:
      blue: ${blue}
      green: { clusters: { west: { host: green.internal } } }
    split: { blue: 60, green: 40 }
  alone:
    versions:
      blue: { clusters: { east: { host: blue.internal } } }
      green: { clusters: { west: { host: green.internal } } }
    split: { blue: 100, green: 0 }
routes:
  - { match: { path: /moves }, service: moves }
  - { match: { path: /fails }, service: fails }
  - { match: { path: /holds }, service: holds }
  - { match: { path: /crosses }, service: crosses }
  - { match: { path: /stays }, service: stays }
  - { match: { path: /alone }, service: alone }
`;
}
