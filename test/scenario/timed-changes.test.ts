// Changes for a time on a real appliance: they return by themselves, whichever controller runs then, and never over what somebody set since. And the
// rules of the config, which a change has to keep or to overrule for all to see.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

test('a drain for a time returns under another controller, as a revision that names what it takes back', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true, workers: 1 });
  const drained = await appliance.weir('drain', 'one', '--for', '6s', '--yes');
  assert.equal(drained.code, 0, drained.stderr);
  assert.match(drained.stdout, /one: active → draining, until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/);
  const shown = (await appliance.weir('status')).stdout;
  assert.match(shown, /returns by itself in \ds: one\.admin drain → active \(revision 2\)[^]*\none +drain \(\ds\)/);
  const deadline = (await appliance.status()).timed[0]?.until;

  const killed = appliance.pids().controller;
  process.kill(killed, 'SIGKILL');
  const answering = async (): Promise<boolean> =>
    ![0, killed].includes(appliance.pids().controller) && (await appliance.status().catch(() => null)) !== null;
  await until(answering, 'another controller answers', 20_000);
  const returned = async (): Promise<boolean> => (await appliance.status()).revision === 3;
  await until(returned, 'the cluster is back', 20_000);

  const status = await appliance.status();
  assert.deepEqual([status.timed, status.clusters[0]?.admin], [[], 'active']);
  const { items } = JSON.parse((await appliance.weir('history', '-o', 'json')).stdout) as {
    readonly items: readonly { readonly at: string; readonly source: string; readonly undoes: number | null }[];
  };
  assert.deepEqual([items[0]?.source, items[0]?.undoes], ['expiry', 2]);
  assert.ok(Date.parse(items[0]?.at ?? '') >= Date.parse(deadline ?? ''), 'not before its time');
  assert.match((await appliance.weir('history')).stdout, /expiry +return from 2 +its time is over[^]*drain one --for 6s/);
  assert.equal((await appliance.weir('audit', 'verify')).code, 0);
  const ramped = async (): Promise<boolean> => (await appliance.status()).clusters[0]?.failback === 'ramping';
  await until(ramped, 'it comes back in a ramp');
});

test('what somebody sets since stays, and an event tells that nothing returns any more', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true, workers: 1 });
  assert.equal((await appliance.weir('dial', 'one', '60', '--for', '1h')).code, 0);
  assert.equal((await appliance.weir('dial', 'one', '80')).code, 0);
  const status = await appliance.status();
  assert.deepEqual([status.timed, status.clusters[0]?.dialPercent], [[], 80]);
  const events = (await appliance.weir('events')).stdout;
  assert.match(events, /revision 2 does not return by itself any more: revision 3 changed what it holds/);
  const both = await appliance.weir('drain', 'one', '--for', '1h', '--permanent');
  assert.deepEqual([both.code, both.stderr.includes('say one of the two')], [2, true]);
});

test('a rule of the config refuses with its name, and broken glass overrules it for all to see', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const safety = 'safety: { requireExpiry: [drain], maxShift: 25% }';
  const appliance = await startAppliance(t, { yaml: `${safety}\n${yaml}`, untilProbed: true, workers: 1 });
  const codeOf = async (...args: readonly string[]): Promise<number | null> => (await appliance.weir(...args)).code;
  const refused = await appliance.weir('drain', 'one', '--yes');
  assert.equal(refused.code, 7);
  assert.match(refused.stderr, /a drain needs a time here: say --for 2h.*rule safety\.requireExpiry/);
  assert.equal(await codeOf('drain', 'one', '--permanent', '--yes'), 2, 'it says no reason');
  assert.equal(await codeOf('drain', 'one', '--permanent', '--yes', '--reason', 'it is sold'), 0);
  assert.equal(await codeOf('undo', '--yes'), 0);

  assert.equal(await codeOf('shift', 'shop', 'green=60'), 7);
  const looked = await appliance.weir('shift', 'shop', 'green=60', '--dry-run');
  assert.equal(looked.code, 7);
  assert.match(looked.stdout, /shop +green +\S+ +\d+% → \d+%/, 'what it would come to is shown all the same');
  assert.match(looked.stdout, /it would be refused: .*one step may move 25 %.*rule safety\.maxShift/);
  const overruled = await appliance.weir('shift', 'shop', 'green=60', '--dry-run', '--break-glass', '--reason', 'look');
  assert.deepEqual([overruled.code, overruled.stdout.includes('would be refused')], [10, false]);
  assert.equal(await codeOf('shift', 'shop', 'green=60', '--break-glass', '--yes'), 2, 'it says no reason');
  assert.equal(await codeOf('shift', 'shop', 'green=60', '--break-glass', '--yes', '--reason', 'blue loses orders'), 0);
  assert.match((await appliance.weir('history')).stdout, /GLASS BROKEN \(safety\.maxShift\): blue loses orders/);
  assert.match((await appliance.weir('events')).stdout, /GLASS BROKEN: revision 4 by \S+ overrules safety\.maxShift: blue loses orders/);
  assert.equal(await codeOf('undo', '--yes'), 7, 'an undo keeps the rules too');
  assert.equal(await codeOf('audit', 'verify'), 0);

  await t.test('diff shows the fields that differ, redo brings back what was undone, and the audit is exported whole', async () => {
    const json = async (...args: readonly string[]): Promise<unknown> =>
      (JSON.parse((await appliance.weir(...args, '-o', 'json')).stdout) as { readonly items: unknown }).items;
    const before = { blue: 900_000, green: 100_000 };
    const after = { blue: 400_000, green: 600_000 };
    assert.deepEqual(await json('diff', '3', '4'), [{ field: 'services.shop.split', before, after }]);
    assert.deepEqual(await json('diff', '4'), []);
    assert.equal(await codeOf('diff', '99'), 5);
    assert.equal(await codeOf('redo', '--yes'), 5, 'nothing was undone last');
    assert.equal(await codeOf('dial', 'two', '80'), 0);
    assert.equal(await codeOf('undo'), 0);
    assert.equal(await codeOf('redo'), 0);
    assert.equal((await appliance.status()).clusters[1]?.dialPercent, 80);
    const lines = (await appliance.weir('audit', 'export')).stdout.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { readonly revision: number }).revision),
      [7, 6, 5, 4, 3, 2, 1],
    );
  });
});
