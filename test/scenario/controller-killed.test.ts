// The controller may die at any moment: requests go on, and a new one takes over where it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResultsView, StatusView } from '../../balancer/controller/api/views.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { Load } from '../support/load.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

test('killing the controller under load fails no request, and its successor knows what was asked', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true });
  const shifted = await appliance.weir('shift', 'shop', 'green=40', '--reason', 'before the kill');
  assert.equal(shifted.code, 0, shifted.stderr);
  const before = await appliance.status();
  const load = new Load(appliance, { clients: 8, keepAlive: true });
  const fresh = new Load(appliance, { clients: 2, keepAlive: false });
  await until(() => load.answered > 50 && fresh.answered > 10, 'the load runs');

  const killed = appliance.pids().controller;
  process.kill(killed, 'SIGKILL');
  const isBack = (): boolean => ![0, killed].includes(appliance.pids().controller);
  await until(isBack, 'another controller runs', 20_000);
  const answering = async (): Promise<boolean> => (await appliance.status().catch(() => null))?.workersReady === 2;
  await until(answering, 'it answers, and both workers have found it', 20_000);
  const answeredThen = load.answered;
  await until(() => load.answered > answeredThen + 50, 'the load still runs');
  await Promise.all([load.stop(), fresh.stop()]);

  assert.deepEqual([...load.failures, ...fresh.failures], []);
  const after = await appliance.status();
  assert.equal(after.revision, before.revision);
  assert.equal(after.generation, before.generation, 'the same config keeps its number');
  assert.ok(after.plan > before.plan, `plan numbers only rise: ${before.plan} then ${after.plan}`);
  assert.deepEqual(after.services[0]?.split, { blue: 60, green: 40 });
  const undone = await appliance.weir('undo');
  assert.equal(undone.code, 0, undone.stderr);
  assert.deepEqual((await appliance.status()).services[0]?.split, { blue: 90, green: 10 });
});

test('a controller that comes back knows at once which cluster was down', async (t) => {
  const { yaml, one } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true, workers: 1 });
  await one.kill();
  const status = await downStatus(appliance);
  // The health is stored once a second.
  await until(async () => Date.parse((await appliance.status()).at) > Date.parse(status.at) + 2000, 'two seconds later');

  const killed = appliance.pids().controller;
  process.kill(killed, 'SIGKILL');
  const answering = async (): Promise<boolean> =>
    appliance.pids().controller !== killed && (await appliance.status().catch(() => null)) !== null;
  await until(answering, 'another controller answers', 20_000);

  const line = appliance.log.slice(appliance.log.lastIndexOf('the controller is back'));
  assert.doesNotMatch(line, /cluster one is up/);
  const { clusters } = await appliance.status();
  assert.equal(clusters.find(({ name }) => name === 'one')?.health, 'down');
  for (let count = 0; count < 20; count += 1) assert.equal((await appliance.get()).body, 'two');
});

test('what versions have come to is kept through a kill, but for what is younger than six seconds', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true, workers: 1 });
  const asked = 60;
  for (let count = 0; count < asked; count += 1) assert.equal((await appliance.get()).status, 200);
  await until(async () => (await requestsOf(appliance)) === asked, 'all requests are among the results', 10_000);
  const countedAtMs = Date.parse((await appliance.status()).at);
  // Each service is written every five seconds at most, in a look that comes once a second.
  await until(async () => Date.parse((await appliance.status()).at) > countedAtMs + 6000, 'six seconds later', 20_000);
  for (let count = 0; count < 5; count += 1) assert.equal((await appliance.get()).status, 200);

  const killed = appliance.pids().controller;
  process.kill(killed, 'SIGKILL');
  const answering = async (): Promise<boolean> =>
    appliance.pids().controller !== killed && (await appliance.status().catch(() => null)) !== null;
  await until(answering, 'another controller answers', 20_000);
  const kept = await requestsOf(appliance);
  assert.ok(kept >= asked && kept <= asked + 5, `${kept} of ${asked + 5} requests are kept`);
});

/** Of all versions of the service, as the results count them. */
async function requestsOf(appliance: Appliance): Promise<number> {
  const { stdout } = await appliance.weir('describe', 'service', 'shop', '-o', 'json');
  const { items } = JSON.parse(stdout) as { readonly items: readonly { readonly results: ResultsView }[] };
  return (items[0]?.results.versions ?? []).reduce((sum, { requests }) => sum + requests, 0);
}

/** The first status that has cluster one down. */
async function downStatus(appliance: Appliance): Promise<StatusView> {
  let status = await appliance.status();
  const isDown = async (): Promise<boolean> => {
    status = await appliance.status();
    return status.clusters.some(({ name, health }) => name === 'one' && health === 'down');
  };
  await until(isDown, 'cluster one is down');
  return status;
}
