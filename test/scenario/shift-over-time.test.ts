// Changes that come little by little, on a real appliance: requests follow the share on its way, whichever controller runs, and it goes elsewhere, stops
// and goes back from where it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { Load } from '../support/load.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

/** Green's part of the split, as a part of a hundred. */
async function green(appliance: Appliance): Promise<number> {
  return (await appliance.status()).services[0]?.split['green'] ?? NaN;
}

/** Green's part as workers are told it, in millionths. */
async function planned(appliance: Appliance): Promise<number> {
  const targets = (await appliance.status()).services[0]?.targets ?? [];
  return targets.filter(({ version }) => version === 'green').reduce((sum, { effectiveShare }) => sum + effectiveShare, 0);
}

test('a shift over a time goes through the middle, survives its controller, and goes elsewhere without a jump', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true, workers: 1 });
  const looked = await appliance.weir('shift', 'shop', 'green=90', '--over', '4s', '--dry-run');
  assert.equal(looked.code, 10, looked.stderr);
  assert.match(looked.stdout, /shop +green +two +10% → 90%/, 'what it comes to');
  assert.match(looked.stdout, /dry run: shop: blue 90 % → 10 %, green 10 % → 90 %, over 4s; nothing was changed/);

  const shifted = await appliance.weir('shift', 'shop', 'green=90', '--over', '4s', '--yes');
  assert.equal(shifted.code, 0, shifted.stderr);
  const shown = (await appliance.weir('status')).stdout;
  assert.match(shown, /on its way: shop\.split: blue 90% → 10%, \S+ now; green 10% → 90%, \S+ now; \ds left \(revision 2\)/);
  assert.match((await appliance.weir('get', 'services')).stdout, /blue=\S+ green=\S+ → blue=10% green=90% \(\ds\)/);
  assert.match((await appliance.weir('explain', 'http://example.test/')).stdout, /gliding/);
  await until(async () => (await planned(appliance)) > 0.3, 'it is on its way');

  const killed = appliance.pids().controller;
  const atKill = await green(appliance);
  process.kill(killed, 'SIGKILL');
  const answering = async (): Promise<boolean> =>
    ![0, killed].includes(appliance.pids().controller) && (await appliance.status().catch(() => null)) !== null;
  await until(answering, 'another controller answers', 20_000);
  assert.ok((await green(appliance)) >= atKill, 'it did not begin anew');
  await until(async () => (await planned(appliance)) === 0.9, 'it has arrived');
  const { revision, services } = await appliance.status();
  assert.deepEqual([revision, services[0]?.glides, services[0]?.split], [2, [], { blue: 10, green: 90 }]);
  const inTwo = async (): Promise<number> => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => appliance.get()));
    return answers.filter(({ body }) => body === 'two').length;
  };
  await until(async () => (await inTwo()) >= 45, 'requests are where it is: 93 of 100 in two', 20_000);
  assert.match((await appliance.weir('history')).stdout, /shift shop green=90 --over 4s/);
  assert.equal((await appliance.weir('audit', 'verify')).code, 0);
});

test('another shift goes on from where it is, an undo is where the one before would be, and the end of a time returns slowly', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true, workers: 1 });
  const weir = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await appliance.weir(...args, '--yes');
    assert.equal(code, 0, stderr);
    return stdout;
  };
  await weir('shift', 'shop', 'green=100', 'blue=0', '--over', '20s');
  await until(async () => (await green(appliance)) > 13, 'it is on its way');
  const onward = await weir('shift', 'shop', 'green=0', '--over', '20s');
  const from = Number(/green (\S+) % → 0 %/.exec(onward)?.[1]);
  assert.ok(from > 13 && from < 60, `from where it was, ${from}`);
  const seen = await green(appliance);
  assert.ok(seen <= from && seen > 0, `${seen} after ${from}: no jump`);
  await weir('undo');
  assert.ok((await green(appliance)) > from, 'where the first one would be by now');

  await weir('shift', 'shop', 'green=90', '--for', '4s');
  assert.equal(await green(appliance), 90);
  await until(async () => (await appliance.status()).revision === 6, 'its time is over', 15_000);
  const returning = (await appliance.status()).services[0]?.glides.find(({ name }) => name === 'green');
  assert.deepEqual([returning?.from, returning?.to], [0.9, 1], 'to what was there before it');
  await until(async () => (await planned(appliance)) === 1, 'it is back');

  await weir('drain', 'one', '--over', '2s', '--permanent', '--reason', 'upgrade');
  const draining = (await appliance.status()).clusters[0];
  assert.equal(draining?.admin, 'active');
  assert.ok(draining.dialPercent < 100 && draining.dialPercent > 0, `${draining.dialPercent}`);
  await until(async () => (await appliance.status()).clusters[0]?.admin === 'drain', 'it is drained');
  assert.equal((await appliance.weir('audit', 'verify')).code, 0);
});

test('a switch over a time is watched by its gates, stops where it is, and goes on from there', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true, workers: 1 });
  const load = new Load(appliance, { clients: 2, keepAlive: true });
  t.after(() => load.stop());
  const begun = await appliance.weir('switch', 'shop', '--to', 'green', '--over', '3s', '--keep-old', '1s', '--min-requests', '0', '--yes');
  assert.equal(begun.code, 0, begun.stderr);
  assert.match(begun.stdout, /rollout to green begins: 100 %, over 3s/);
  await until(async () => (await green(appliance)) > 20, 'it is on its way');
  assert.equal((await appliance.weir('canary', 'pause', 'shop', '--yes')).code, 0);
  const paused = await green(appliance);
  assert.ok(paused > 20 && paused < 100, `${paused}`);
  assert.deepEqual((await appliance.status()).services[0]?.glides, []);
  assert.equal((await appliance.weir('canary', 'resume', 'shop', '--yes')).code, 0);
  assert.ok((await green(appliance)) < 100, 'it goes on from there');
  const resumed = load.answered;
  const isOver = async (): Promise<boolean> => (await appliance.status()).rollouts.length === 0;
  await until(isOver, 'it is done', 15_000);
  assert.deepEqual((await appliance.status()).services[0]?.split, { blue: 0, green: 100 });
  assert.ok(load.answered > resumed);
  assert.deepEqual(load.failures, []);
  assert.equal((await appliance.weir('undo', '--to', '1', '--yes')).code, 0);
  assert.equal(await green(appliance), 10);
});
