// Rollouts on a real appliance: a good version goes all the way, a bad one is back at once, and the controller may die in between.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { rolloutOf } from '../support/rollout-of.ts';
import { named, startOrigin } from '../support/origin.ts';
import { PacedLoad } from '../support/paced-load.ts';
import { until } from '../support/until.ts';

test('rollouts go on, go back and are taken back', async (t) => {
  const appliance = await startFleet(t);
  const load = new PacedLoad(t, appliance.url(), 200);

  await t.test('a good version goes through its steps to all requests, each step a revision of the rollout', async () => {
    const { code, stderr } = await start(
      appliance,
      'green',
      '--steps',
      '10,50,100',
      '--hold',
      '1s',
      '--gate',
      'errors<1%',
      '--gate',
      'p95<20x',
      '--wait',
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /green 10% \(step 1 of 3\), running[^]*green 50%[^]*green 100% \(step 3 of 3\), promoted/);
    const history = (await appliance.weir('history')).stdout;
    assert.match(
      history,
      /rollout +canary end shop[^]*rollout +canary step shop[^]*rollout +canary step shop[^]*canary start shop --to green/,
    );
    assert.deepEqual(await split(appliance), { blue: 0, green: 100, bad: 0 });
  });

  await t.test('undo takes the whole of it back', async () => {
    const { code, stdout, stderr } = await appliance.weir('undo', '--yes');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /rollout to green is taken back/);
    assert.deepEqual(await split(appliance), { blue: 100, green: 0, bad: 0 });
  });

  await t.test('a version that fails is back at 0 by itself, the command ends with 9, and the record says by which figures', async () => {
    const { code, stderr } = await start(appliance, 'bad', '--steps', '20,100', '--wait');
    assert.equal(code, 9, stderr);
    assert.match(stderr, /is rolled back: (gate errors<5x: .* % of \d+ requests|\d+ of the last \d+ requests failed)/);
    assert.deepEqual(await split(appliance), { blue: 100, green: 0, bad: 0 });
    assert.match((await appliance.weir('history')).stdout, /rollout +canary fail shop +(gate errors|\d+ of the last)/);
  });

  await t.test('a shift while it runs is asked about, and ends it', async () => {
    await start(appliance, 'green', '--steps', '10,100', '--hold', '1h');
    const asked = await appliance.weir('shift', 'shop', 'green=30');
    assert.equal(asked.code, 7);
    assert.match(asked.stderr, /a rollout of shop to green is running, and this would end it/);
    assert.equal((await appliance.weir('shift', 'shop', 'green=30', '--yes')).code, 0);
    assert.deepEqual([(await rolloutOf(appliance)).phase, await split(appliance)], ['aborted', { blue: 70, green: 30, bad: 0 }]);
    assert.equal((await appliance.weir('shift', 'shop', 'blue=100', 'green=0', 'bad=0', '--yes')).code, 0);
  });

  await t.test('a switch gives everything at once, keeps the way back open, and goes back by itself', async () => {
    const { code, stderr } = await appliance.weir('switch', 'shop', '--to', 'bad', '--keep-old', '1h', '--wait', '--yes');
    assert.equal(code, 9, stderr);
    assert.deepEqual(await split(appliance), { blue: 100, green: 0, bad: 0 });
  });

  await load.stop();
});

test('a controller that is killed within a step goes on with the same step, and the chain of records is whole', async (t) => {
  const appliance = await startFleet(t);
  const load = new PacedLoad(t, appliance.url(), 200);
  await start(appliance, 'green', '--steps', '5,20,100', '--hold', '2s');
  await until(async () => (await rolloutOf(appliance)).step === 1, 'it is in its second step');
  const killed = appliance.pids().controller;
  process.kill(killed, 'SIGKILL');
  const isBack = async (): Promise<boolean> =>
    ![0, killed].includes(appliance.pids().controller) && (await appliance.weir('canary', 'status', 'shop')).code === 0;
  await until(isBack, 'another controller answers', 20_000);
  await until(async () => (await rolloutOf(appliance)).phase === 'promoted', 'the rollout is at its end', 30_000);
  const answers = await load.stop();

  assert.deepEqual(
    answers.filter(({ status }) => status !== 200),
    [],
  );
  const steps = [...(await appliance.weir('history')).stdout.matchAll(/canary (start|step|end) shop/g)].map(([, what]) => what);
  assert.deepEqual(steps, ['end', 'step', 'step', 'start'], 'nothing is skipped, and nothing comes twice');
  const audit = await appliance.weir('audit', 'verify');
  assert.equal(audit.code, 0, audit.stderr);
});

async function startFleet(t: TestContext): Promise<Appliance> {
  const blue = await startOrigin(t, named('blue'));
  const green = await startOrigin(t, named('green'));
  let asked = 0;
  const bad = await startOrigin(t, (_request, response) => {
    asked += 1;
    response.writeHead(asked % 4 === 0 ? 500 : 200).end('bad');
  });
  const yaml = `clusters:
  one: { endpoints: ["${blue.endpoint}"], health: { http: { path: /healthz }, interval: 200ms } }
  two: { endpoints: ["${green.endpoint}"], health: { http: { path: /healthz }, interval: 200ms } }
  three: { endpoints: ["${bad.endpoint}"], health: { http: { path: /healthz }, interval: 200ms } }
services:
  shop:
    versions: { blue: { clusters: { one: {} } }, green: { clusters: { two: {} } }, bad: { clusters: { three: {} } } }
    split: { blue: 100, green: 0, bad: 0 }
routes: [ { name: all, service: shop } ]
`;
  return startAppliance(t, { yaml, workers: 2, untilProbed: true });
}

function start(appliance: Appliance, to: string, ...options: readonly string[]): ReturnType<Appliance['weir']> {
  return appliance.weir('canary', 'start', 'shop', '--to', to, '--min-requests', '20', '--yes', ...options);
}

async function split(appliance: Appliance): Promise<Readonly<Record<string, number>>> {
  return (await appliance.status()).services[0]?.split ?? {};
}
