// Changes that come little by little, on a real appliance: requests follow the share on its way, whichever controller runs, and it goes elsewhere, stops
// and goes back from where it is.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { StatusView } from '../../balancer/controller/api/views.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

/** Green's part of the split now, of a hundred. */
async function green(appliance: Appliance): Promise<number> {
  return greenIn(await appliance.status());
}

function greenIn({ services }: StatusView): number {
  return services[0]?.split['green'] ?? NaN;
}

/** Green's part as the plan has it, whatever its health is just now. */
async function planned(appliance: Appliance): Promise<number> {
  const targets = (await appliance.status()).services[0]?.targets ?? [];
  return targets.filter(({ version }) => version === 'green').reduce((sum, { desiredShare }) => sum + desiredShare, 0);
}

/** A probe that a busy machine answers late is no failure here, and none has a ramp behind it. */
async function startPatiently(t: TestContext): Promise<Appliance> {
  const { yaml } = await startTwoClusters(t);
  const patient = yaml
    .replaceAll('timeout: 150ms } }', 'timeout: 5s }, failback: { mode: auto } }')
    .replaceAll('interval: 200ms', 'interval: 5s');
  return startAppliance(t, { yaml: patient, untilProbed: true, workers: 1 });
}

/** A status has the moment that it is of: there green is where a straight line is then, but for the milliseconds that it took to make. */
function assertOnTheLine(status: StatusView): void {
  const glide = status.services[0]?.glides.find(({ name }) => name === 'green');
  assert.ok(glide !== undefined, 'it is on its way');
  const [since, end] = [Date.parse(glide.since), Date.parse(glide.until)];
  const line = 100 * (glide.from + ((glide.to - glide.from) * (Date.parse(status.at) - since)) / (end - since));
  assert.ok(Math.abs(greenIn(status) - line) < 1, `${greenIn(status)} is not ${line}`);
}

test('a shift over a time is seen on its way, goes on under another controller, and requests are where it is', async (t) => {
  const appliance = await startPatiently(t);
  const looked = await appliance.weir('shift', 'shop', 'green=90', '--over', '1m', '--dry-run');
  assert.equal(looked.code, 10, looked.stderr);
  assert.match(looked.stdout, /shop +green +two +10% → 90%/, 'what it comes to');
  assert.match(looked.stdout, /dry run: shop: blue 90 % → 10 %, green 10 % → 90 %, over 1m; nothing was changed/);

  const shifted = await appliance.weir('shift', 'shop', 'green=90', '--over', '1m', '--yes');
  assert.equal(shifted.code, 0, shifted.stderr);
  await until(async () => (await planned(appliance)) > 0.12, 'the plan follows');
  const [status, services, explained] = await Promise.all([
    appliance.weir('status'),
    appliance.weir('get', 'services'),
    appliance.weir('explain', 'http://example.test/'),
  ]);
  assert.match(status.stdout, /on its way: shop\.split: blue 90% → 10%, \S+ now; green 10% → 90%, \S+ now; \d+s left \(revision 2\)/);
  assert.match(services.stdout, /blue=\S+ green=\S+ → blue=10% green=90% \(\d+s\)/);
  assert.match(explained.stdout, /gliding/);
  assertOnTheLine(await appliance.status());

  const killed = appliance.pids().controller;
  process.kill(killed, 'SIGKILL');
  const serving = async (): Promise<boolean> =>
    ![0, killed].includes(appliance.pids().controller) && (await appliance.status().catch(() => null))?.workersReady === 1;
  await until(serving, 'another controller serves', 20_000);
  const after = await appliance.status();
  assertOnTheLine(after);
  assert.equal(after.revision, 2, 'nothing is written on the way');

  assert.equal((await appliance.weir('shift', 'shop', 'green=90', '--over', '1s', '--yes')).code, 0);
  await until(async () => (await planned(appliance)) === 0.9, 'it has arrived');
  const inTwo = async (): Promise<number> => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => appliance.get()));
    return answers.filter(({ body }) => body === 'two').length;
  };
  await until(async () => (await inTwo()) >= 45, 'requests are where it is: 93 of 100 in two', 20_000);
  const told = async (): Promise<boolean> => (await appliance.events()).some(({ code }) => code === 'revision.arrived');
  await until(told, 'an event says so');
  assert.match((await appliance.weir('history')).stdout, /shift shop green=90 --over 1s[^]*shift shop green=90 --over 1m/);
});

test('another shift goes on from where it is, an undo is where the one before would be, and the end of a time returns slowly', async (t) => {
  const appliance = await startPatiently(t);
  const weir = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await appliance.weir(...args, '--yes');
    assert.equal(code, 0, stderr);
    return stdout;
  };
  await weir('shift', 'shop', 'green=100', 'blue=0', '--over', '1m');
  await until(async () => (await green(appliance)) > 11, 'it is on its way');
  const onward = await weir('shift', 'shop', 'green=0', '--over', '1m');
  const from = Number(/green (\S+) % → 0 %/.exec(onward)?.[1]);
  const seen = await green(appliance);
  assert.ok(from > 11 && seen <= from && seen > 0, `${seen} after ${from}: no jump`);
  await weir('undo');
  assert.ok((await green(appliance)) > from, 'where the first one would be by now');

  await weir('shift', 'shop', 'green=90', '--for', '2s');
  await until(async () => (await appliance.status()).revision === 6, 'its time is over', 15_000);
  const { items } = JSON.parse((await appliance.weir('diff', '5', '6', '-o', 'json')).stdout) as {
    readonly items: readonly { readonly field: string; readonly after: { readonly overMs: number; readonly fields: readonly unknown[] } }[];
  };
  const returning = items.find(({ field }) => field === 'glides.6')?.after;
  assert.equal(returning?.overMs, 1000);
  const [held, asked] = [
    { blue: 100_000, green: 900_000 },
    { blue: 0, green: 1_000_000 },
  ];
  assert.deepEqual(returning.fields, [{ kind: 'split', service: 'shop', from: held, to: asked }]);
  await until(async () => (await planned(appliance)) === 1, 'it is back');

  await weir('drain', 'one', '--over', '1h', '--permanent', '--reason', 'upgrade');
  const [draining] = (await appliance.status()).clusters;
  assert.equal(draining?.admin, 'active');
  assert.ok(draining.dialPercent < 100 && draining.dialPercent > 0, `${draining.dialPercent}`);
  await weir('drain', 'one', '--permanent', '--reason', 'now');
  assert.equal((await appliance.status()).clusters[0]?.admin, 'drain', 'said without a time, it is there at once');
  assert.equal((await appliance.weir('audit', 'verify')).code, 0);
});

test('a switch over a time stops where it is, goes on from there, and is there at once when it is promoted', async (t) => {
  const appliance = await startPatiently(t);
  const weir = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await appliance.weir(...args, '--yes');
    assert.equal(code, 0, stderr);
    return stdout;
  };
  assert.match(await weir('switch', 'shop', '--to', 'green', '--over', '1m'), /rollout to green begins: 100 %, over 1m/);
  await until(async () => (await green(appliance)) > 12, 'it is on its way');
  await weir('canary', 'pause', 'shop');
  const paused = await appliance.status();
  assert.ok(greenIn(paused) > 12 && greenIn(paused) < 100, `${greenIn(paused)}`);
  assert.deepEqual(paused.services[0]?.glides, []);
  await weir('canary', 'resume', 'shop');
  const resumed = await appliance.status();
  assertOnTheLine(resumed);
  assert.ok(greenIn(resumed) >= greenIn(paused) && greenIn(resumed) < 100, 'from there');
  await weir('canary', 'promote', 'shop');
  assert.deepEqual((await appliance.status()).services[0]?.split, { blue: 0, green: 100 });
});
