// Changes that take two people, on a real appliance: kept, over a controller that is killed too, made when somebody else says yes, by the rules and on the
// state that they were asked for; and everything that could go around it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ApprovalView, RevisionView } from '../../balancer/controller/api/views.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { runWeir, type CommandResult } from '../support/command.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

type Weir = (...args: readonly string[]) => Promise<CommandResult>;

interface Office {
  readonly appliance: Appliance;
  /** Operators, each with a token of their own. */
  readonly alice: Weir;
  readonly bob: Weir;
  readonly green: () => Promise<number | undefined>;
}

async function startOffice(t: TestContext, approval = 'services: [shop]'): Promise<Office> {
  const { yaml } = await startTwoClusters(t);
  const text = `safety: { maxCapacityOut: 100%, approval: { ${approval} } }\n${yaml}`;
  const appliance = await startAppliance(t, { yaml: text, untilProbed: true, workers: 1 });
  const holder = async (owner: string): Promise<Weir> => {
    const made = await appliance.weir('token', 'create', `${owner}-laptop`, '--owner', owner, '--role', 'operate');
    assert.equal(made.code, 0, made.stderr);
    return (...args) => runWeir(args, { server: appliance.url('admin'), env: { WEIR_TOKEN: made.stdout.trim() } });
  };
  const green = async (): Promise<number | undefined> => (await appliance.status()).services[0]?.split['green'];
  return { appliance, alice: await holder('alice'), bob: await holder('bob'), green };
}

async function newest(appliance: Appliance): Promise<RevisionView | undefined> {
  return (JSON.parse((await appliance.weir('history', '-o', 'json')).stdout) as { readonly items: readonly RevisionView[] }).items[0];
}

test('a shift waits, over a killed controller, and is made when somebody else with a token says yes', async (t) => {
  const { appliance, alice, bob, green } = await startOffice(t);
  const foretold = await alice('shift', 'shop', 'green=30', '--dry-run');
  assert.equal(foretold.code, 10);
  assert.match(foretold.stdout, /it would wait for a second person, for the sake of shop \(rule safety\.approval\)/);
  const asked = await alice('shift', 'shop', 'green=30', '--reason', 'release 2.4');
  assert.equal(asked.code, 11, asked.stderr);
  assert.match(
    asked.stderr,
    /nothing is changed yet\. shop takes two people \(rule safety\.approval\): it waits as 1 until .* weir approve 1/,
  );
  assert.equal((await alice('shift', 'shop', 'green=30', '--reason', 'release 2.4')).code, 11);
  const { approvals } = await appliance.status();
  assert.deepEqual(
    approvals.map(({ id, by, services }) => ({ id, by, services })),
    [{ id: '1', by: 'alice', services: ['shop'] }],
  );
  assert.match((await appliance.weir('status')).stdout, /waits for a second person for .*green.*asked for by alice \(weir approve 1\)/);

  const own = await alice('approve', '1');
  assert.equal(own.code, 7);
  assert.match(own.stderr, /alice has asked for it, and somebody else has to approve/);
  const local = await appliance.weir('approve', '1');
  assert.equal(local.code, 7);
  assert.match(local.stderr, /is nobody's second person \(rule safety\.approval\)/);

  const killed = appliance.pids().controller;
  process.kill(killed, 'SIGKILL');
  const answering = async (): Promise<boolean> =>
    ![0, killed].includes(appliance.pids().controller) && (await appliance.status().catch(() => null)) !== null;
  await until(answering, 'another controller answers', 20_000);
  assert.equal(await green(), 10, 'nothing was changed');

  assert.equal((await bob('approve', '1', '--dry-run')).code, 10);
  const approved = await bob('approve', '1');
  assert.equal(approved.code, 0, approved.stderr);
  assert.match(approved.stdout, /revision 2: applied on 1\/1 workers/);
  assert.equal(await green(), 30);
  const record = await newest(appliance);
  assert.deepEqual([record?.author.name, record?.reason], ['alice', 'release 2.4']);
  assert.deepEqual(record?.approvedBy, { name: 'bob', how: 'token bob-laptop' });
  assert.match((await appliance.weir('history')).stdout, /alice, approved by bob/);
  assert.equal((await appliance.weir('audit', 'verify')).code, 0);
  const again = await bob('approve', '1');
  assert.equal(again.code, 5);
  assert.match(again.stderr, /nothing waits as "1": it was approved, rejected or too old; nothing waits/);
});

test('an undo, a drain, a drill and another config wait too; what is approved is what was asked, or nothing', async (t) => {
  const { appliance, alice, bob, green } = await startOffice(t);
  assert.equal((await alice('shift', 'shop', 'green=20')).code, 11);
  assert.equal((await bob('approve', '1')).code, 0);

  assert.equal((await bob('undo')).code, 11);
  assert.equal((await alice('drain', 'two', '--yes')).code, 11);
  assert.equal((await bob('drill', 'drain', 'two', '--for', '10s', '--detach')).code, 11);
  const file = join(appliance.directory, 'other.yaml');
  const text = (await appliance.weir('config', 'print')).stdout;
  writeFileSync(file, text.replace('services: [shop]', 'services: []'));
  const config = await appliance.weir('config', 'apply', file);
  assert.equal(config.code, 11, config.stderr);
  assert.match(config.stderr, /another config, 1 difference: nothing is changed yet.*change the file on the host and reload it/s);
  const shown = JSON.parse((await appliance.weir('get', 'approvals', '-o', 'json')).stdout) as { readonly items: readonly ApprovalView[] };
  assert.deepEqual(shown.items.map(({ kind }) => kind).sort(), ['change', 'change', 'config', 'drill']);

  const notAdmin = await bob('approve', '5');
  assert.equal(notAdmin.code, 4, 'a config needs role admin');
  assert.equal((await alice('reject', '5', '--reason', 'keep the rule')).code, 0);
  const drill = await alice('approve', '4');
  assert.equal(drill.code, 0, drill.stderr);
  assert.deepEqual((await newest(appliance))?.approvedBy?.name, 'alice');
  const stale = await bob('approve', '3');
  assert.equal(stale.code, 6, 'the drill has drained that cluster meanwhile');
  assert.match(stale.stderr, /is not any more what it was when alice asked for it/);

  const undone = await alice('approve', '2');
  assert.equal(undone.code, 0, undone.stderr);
  assert.equal(await green(), 10);
});

test('broken glass goes through at once and loudly; an abort never waits; what nobody approves is dropped', async (t) => {
  const { appliance, alice, bob, green } = await startOffice(t, 'services: [shop], wait: 3s');
  const broken = await alice('shift', 'shop', 'green=40', '--break-glass', '--reason', 'blue is on fire');
  assert.equal(broken.code, 0, broken.stderr);
  assert.equal(await green(), 40);
  assert.deepEqual((await newest(appliance))?.overruled, ['safety.approval']);
  assert.match((await appliance.weir('history')).stdout, /GLASS BROKEN \(safety\.approval\): blue is on fire/);

  assert.equal((await alice('canary', 'start', 'shop', '--to', 'green', '--steps', '50,100', '--hold', '1h')).code, 11);
  assert.equal((await bob('approve', '1', '--yes')).code, 0);
  const aborted = await alice('canary', 'abort', 'shop');
  assert.equal(aborted.code, 0, aborted.stderr);
  assert.equal(await green(), 40);

  assert.equal((await alice('shift', 'shop', 'green=50')).code, 11);
  const dropped = async (): Promise<boolean> => (await appliance.events()).some(({ text }) => text.startsWith('approval 2 is too old'));
  await until(dropped, 'the change is dropped', 20_000);
  assert.equal((await bob('approve', '2')).code, 5);
  assert.equal(await green(), 40);
});
