// A rollout in waves on a real appliance: cluster after cluster, through the death of the controller, and back with all of them.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { RolloutView } from '../../balancer/controller/api/views.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { rolloutOf } from '../support/rollout-of.ts';
import { PATIENT_PROBES, startOrigin } from '../support/origin.ts';
import { PacedLoad } from '../support/paced-load.ts';
import { until } from '../support/until.ts';

test('waves follow each other, a controller that is killed goes on in the same wave, and a failed gate takes all back', async (t) => {
  const { appliance, fail } = await startFleet(t);
  const load = new PacedLoad(t, appliance.url(), 200);
  const started = await start(appliance, '--dry-run');
  assert.equal(started.code, 10, started.stderr);
  assert.match(started.stdout, /dry run: shop: rollout to green begins in eu \(wave 1 of 2\): 50 %/);
  assert.equal((await start(appliance)).code, 0);
  assert.deepEqual(await shares(appliance), { 'blue/eu': 25, 'blue/us': 50, 'green/eu': 25 });

  await until(async () => at(await rolloutOf(appliance)) === 'running 0/1', 'the first wave is at its last step', 30_000);
  assert.match((await appliance.weir('status')).stdout, /rollout of shop: green 100% in eu \(wave 1 of 2, step 2 of 2\), running/);
  const explained = await appliance.weir('explain', 'http://shop.example/');
  assert.match(explained.stdout, /^rollout: +shop: green 100% in eu \(wave 1 of 2, step 2 of 2\), running$/m);
  const killed = appliance.pids().controller;
  process.kill(killed, 'SIGKILL');
  const isBack = async (): Promise<boolean> =>
    ![0, killed].includes(appliance.pids().controller) && (await appliance.weir('canary', 'status', 'shop')).code === 0;
  await until(isBack, 'another controller answers', 20_000);
  await until(async () => (await rolloutOf(appliance)).wave === 1, 'the second wave has begun', 30_000);
  assert.equal((await shares(appliance))['green/eu'], 50, 'what has passed stays');

  fail('us');
  await until(async () => (await rolloutOf(appliance)).phase === 'rolled_back', 'a gate has failed', 30_000);
  assert.deepEqual(await shares(appliance), { 'blue/eu': 50, 'blue/us': 50 });
  await load.stop();
  const acts = [...(await appliance.weir('history')).stdout.matchAll(/canary (start|step|end|fail) shop/g)].map(([, what]) => what);
  assert.deepEqual([acts.at(0), acts.at(-1)], ['fail', 'start']);
  assert.equal((await appliance.weir('audit', 'verify')).code, 0);
});

test('a version that turns bad in a wave that has passed is taken back everywhere', async (t) => {
  const { appliance, fail } = await startFleet(t);
  const load = new PacedLoad(t, appliance.url(), 200);
  assert.equal((await start(appliance)).code, 0);
  await until(async () => (await rolloutOf(appliance)).wave === 1, 'the second wave has begun', 30_000);
  assert.equal((await appliance.weir('canary', 'pause', 'shop')).code, 0);
  fail('eu');
  await until(async () => (await rolloutOf(appliance)).phase === 'rolled_back', 'a gate has failed', 30_000);
  assert.match((await rolloutOf(appliance)).note, /in a wave that had passed$/);
  assert.deepEqual((await appliance.status()).services[0]?.split, { blue: 100, green: 0 });
  await load.stop();
});

async function startFleet(t: TestContext): Promise<{ readonly appliance: Appliance; readonly fail: (cluster: string) => void }> {
  let failing = '';
  // Versions of a cluster are told apart by the host that they are asked for.
  const origin = (name: string) =>
    startOrigin(t, (request, response) => {
      response.writeHead(failing === name && request.headers.host === 'green.internal' ? 500 : 200).end(name);
    });
  const [eu, us] = await Promise.all([origin('eu'), origin('us')]);
  const yaml = `clusters:
  eu: { endpoints: ["${eu.endpoint}"], health: ${PATIENT_PROBES} }
  us: { endpoints: ["${us.endpoint}"], health: ${PATIENT_PROBES} }
services:
  shop:
    versions:
      blue: { clusters: { eu: {}, us: {} } }
      green: { clusters: { eu: { host: green.internal }, us: { host: green.internal } } }
    rollout: { steps: [50, 100], hold: 2s, minRequests: 20, waves: [eu, us] }
routes: [ { name: all, service: shop } ]
`;
  return { appliance: await startAppliance(t, { yaml, workers: 2, untilProbed: true }), fail: (cluster) => void (failing = cluster) };
}

function start(appliance: Appliance, ...options: readonly string[]): ReturnType<Appliance['weir']> {
  return appliance.weir('canary', 'start', 'shop', '--to', 'green', '--yes', ...options);
}

/** Percent of the service that the rollout asks for, without what has nothing. The plan may give a place less that a busy machine slows down. */
async function shares(appliance: Appliance): Promise<Readonly<Record<string, number>>> {
  const targets = (await appliance.status()).services[0]?.targets ?? [];
  const some = targets.filter(({ desiredShare }) => desiredShare > 0);
  return Object.fromEntries(some.map(({ version, cluster, desiredShare }) => [`${version}/${cluster}`, Math.round(desiredShare * 100)]));
}

function at({ phase, wave, step }: RolloutView): string {
  return `${phase} ${wave}/${step}`;
}
