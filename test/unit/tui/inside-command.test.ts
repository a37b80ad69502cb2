// Lines that are typed into the dashboard, over the real admin API: what looks is printed, what waits tells what for and can be left, and what does
// something is shown first and done only when it is asked for.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { systemClock } from '../../../health/clock.ts';
import type { DrillView } from '../../../balancer/controller/api/views.ts';
import { createAdminClient, type AdminClient } from '../../../tui/client.ts';
import { CommandFailure } from '../../../tui/exit.ts';
import { type ActPlan, makeAct } from '../../../tui/inside-acts.ts';
import { type Following, type InsideOutcome, runInside } from '../../../tui/inside-command.ts';
import { COMMAND_GROUPS } from '../../../tui/registry.ts';
import { findServer } from '../../../tui/server.ts';
import { type AdminServer, startAdminServer } from '../../support/admin-server.ts';
import { until } from '../../support/until.ts';

const DRILL: DrillView = {
  ...{ id: 7, schedule: null, by: 'alice', cluster: 'one', act: 'drain', percent: 0, abortIf: ['errors>1%'] },
  ...{ begunAt: '2026-11-21T10:00:00.000Z', until: '2026-11-21T10:10:00.000Z', endedAt: null, state: 'running', reasons: [] },
  ...{ services: [], clusters: [], lostRpsForetold: { before: 0, after: 0 }, lostRequests: 0, seconds: 3 },
};

interface Inside extends AsyncDisposable {
  readonly admin: AdminServer;
  readonly client: AdminClient;
  readonly run: (line: string, following?: Following) => Promise<InsideOutcome>;
  /** What was asked of the appliance that would have done something. */
  readonly done: () => readonly string[];
}

async function start(): Promise<Inside> {
  const admin = await startAdminServer();
  const client = createAdminClient(await findServer({ server: `unix:${admin.socketPath}`, context: null }, {}), 'alice');
  const programs = {
    check: (file: string) => Promise.resolve({ ok: false as const, problems: [`${file}:2:1: unknown key "bad"`] }),
    configSchema: () => Promise.resolve({ title: 'the file' }),
  };
  const parts = { client, clock: systemClock, groups: COMMAND_GROUPS, version: '0.1.0', columns: 120, programs };
  return {
    admin,
    client,
    run: (line, following) => runInside(line.split(' '), parts, following),
    done: () =>
      admin.appliance.calls.filter(({ input }) => (input as { readonly dryRun?: boolean }).dryRun !== true).map(({ what }) => what),
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await admin[Symbol.asyncDispose]();
    },
  };
}

function printedText(outcome: InsideOutcome): string {
  assert.equal(outcome.kind, 'printed', JSON.stringify(outcome));
  return outcome.text;
}

function planOf(outcome: InsideOutcome): ActPlan {
  assert.equal(outcome.kind, 'act', JSON.stringify(outcome));
  return outcome.plan;
}

function refusalOf(outcome: InsideOutcome): string {
  assert.equal(outcome.kind, 'refused', JSON.stringify(outcome));
  return outcome.message;
}

function fileWith(t: TestContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'weir-inside-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'weir.yaml');
  writeFileSync(file, text);
  return file;
}

describe('wait', () => {
  test('tells what holds meanwhile, and that it has come true', async () => {
    await using inside = await start();
    const said: string[] = [];
    const waiting = inside.run('wait --for revision:2', { signal: new AbortController().signal, tell: (text) => void said.push(text) });
    await until(() => said.some((text) => text.startsWith('waiting: ')), 'it says what for');
    await inside.client.change({ change: { kind: 'dial', cluster: 'one', percent: 50 } });
    const outcome = await waiting;
    assert.match(printedText(outcome), /^revision:2 after [\d.]+ s\n$/);
    assert.ok(outcome.kind === 'printed' && outcome.ok);
  });

  test('is left at once, and asks nothing any more', async () => {
    await using inside = await start();
    const left = new AbortController();
    const said: string[] = [];
    const waiting = inside.run('wait --for revision:99 --timeout 1h', { signal: left.signal, tell: (text) => void said.push(text) });
    await until(() => said.length > 0, 'it waits');
    left.abort();
    await waiting;
    const { statusCalls } = inside.admin.appliance;
    inside.admin.appliance.emit('something happens');
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(inside.admin.appliance.statusCalls, statusCalls);
  });

  test('says so when its time is over, and when it is about nothing', async () => {
    await using inside = await start();
    const late = await inside.run('wait --for revision:99 --timeout 100ms');
    assert.match(printedText(late), /^not within 0\.1 s: revision:99; now: /);
    assert.ok(late.kind === 'printed' && !late.ok);
    assert.match(printedText(await inside.run('wait --for health:moon=up')), /moon/);
    assert.match(printedText(await inside.run('wait')), /say what to wait for/);
  });
});

describe('a drill', () => {
  test('is shown with what it moves, and begins only when it is made', async () => {
    await using inside = await start();
    const plan = planOf(await inside.run('drill drain one --for 5m --abort-if errors>0.1%'));
    assert.match(plan.summary, /^drill: one is drained for 5m, watched and graded$/);
    assert.match(plan.lines.join(), /it ends early if errors>0\.1%/);
    assert.deepEqual([plan.word, plan.forGood, plan.preview?.dryRun], ['one', false, true]);
    assert.deepEqual(inside.done(), []);
    await assert.rejects(makeAct(plan.act, inside.client, false), /no drill begins here/);
    inside.admin.appliance.drill = DRILL;
    assert.match(await makeAct(plan.act, inside.client, false), /^drill 7 has begun; drill show 7 --wait follows it/);
    assert.deepEqual(inside.done(), ['drill', 'drill']);
  });

  test('is followed until its grade, listed, shown, and ended by a plan', async () => {
    await using inside = await start();
    inside.admin.appliance.drill = DRILL;
    assert.match(printedText(await inside.run('drill list')), /7 .*one/);
    const said: string[] = [];
    const followed = inside.run('drill show 7 --wait', { signal: new AbortController().signal, tell: (text) => void said.push(text) });
    await until(() => said.includes('drill 7 is running'), 'it tells that it runs');
    inside.admin.appliance.drill = { ...DRILL, state: 'passed', reasons: ['its time was over'] };
    assert.match(printedText(await followed), /passed[^]*its time was over/);
    const plan = planOf(await inside.run('drill abort 7'));
    assert.match(plan.summary, /^drill 7 of one ends now$/);
    assert.match(refusalOf(await inside.run('drill abort 8')), /8/);
    assert.deepEqual(inside.done(), []);
  });
});

describe('tokens', () => {
  test('are listed without what they are, and none is made where it would stay on a screen', async () => {
    await using inside = await start();
    const secret = inside.admin.appliance.secretFor('operate');
    const text = printedText(await inside.run('token list'));
    assert.match(text, /operate-token/);
    assert.ok(!text.includes(secret));
    for (const line of ['token create ci --role admin', 'agent token one'])
      assert.match(refusalOf(await inside.run(line)), /only what shows its plan first can be done from the dashboard/);
    assert.deepEqual(inside.done(), []);
  });

  test('are revoked by a plan that nothing takes back', async () => {
    await using inside = await start();
    inside.admin.appliance.secretFor('operate');
    const plan = planOf(await inside.run('token revoke operate-token'));
    assert.deepEqual([plan.word, plan.forGood, plan.changes], ['operate-token', true, true]);
    assert.match(plan.lines.join('\n'), /role operate/);
    assert.deepEqual(inside.done(), []);
    assert.equal(await makeAct(plan.act, inside.client, true), 'token operate-token is revoked');
    assert.match(refusalOf(await inside.run('token revoke operate-token')), /there is no token named operate-token/);
  });
});

describe('the config', () => {
  test('is printed, compared and checked, and applied by a plan', async (t) => {
    await using inside = await start();
    const file = fileWith(t, 'version: 1\nservices: {}\n');
    assert.equal(printedText(await inside.run('config print')), 'version: 1\n');
    const compared = await inside.run(`config diff ${file}`);
    assert.match(printedText(compared), /services\.shop: added\ndry run: nothing was changed/);
    assert.ok(compared.kind === 'printed' && compared.ok, 'what would change is no failure');
    assert.match(printedText(await inside.run(`check ${file}`)), /weir\.yaml:2:1: unknown key "bad"/);
    assert.match(printedText(await inside.run('config schema')), /"title": "the file"/);
    const plan = planOf(await inside.run(`config apply ${file}`));
    assert.match(plan.lines.join('\n'), /services\.shop: added/);
    assert.deepEqual(inside.done(), []);
    assert.equal(await makeAct(plan.act, inside.client, false), 'generation 2, revision 1');
    const again = planOf(await inside.run(`config apply ${file}`));
    assert.equal(again.changes, false);
  });

  test('that cannot be served is refused with its problems, and nothing is read from the keyboard', async (t) => {
    await using inside = await start();
    assert.match(refusalOf(await inside.run(`config apply ${fileWith(t, 'bad: 1\n')}`)), /unknown key "bad"/);
    assert.match(refusalOf(await inside.run('config apply -')), /standard input is the keyboard here; name a file/);
    assert.match(refusalOf(await inside.run('config apply /nowhere.yaml')), /ENOENT/);
  });
});

test('what operators say to expect is told by a plan', async () => {
  await using inside = await start();
  const plan = planOf(await inside.run('agent expect one demo 1800 --in 2m'));
  assert.equal(plan.summary, 'the agent of one is told to expect 1800 requests/s of demo in 2m, for 15m');
  assert.deepEqual(inside.done(), []);
  await makeAct(plan.act, inside.client, false);
  assert.deepEqual(inside.done(), ['expect']);
});

test('what starts programs, and what waits for nobody, is for a shell', async () => {
  await using inside = await start();
  for (const line of ['serve -c weir.yaml', 'agent manifest one --hub wss://e:1 --image a', 'top', 'upgrade', 'demo'])
    assert.match(refusalOf(await inside.run(line)), /in a shell/, line);
  assert.match(refusalOf(await inside.run('approve 3')), /3/);
  assert.match(refusalOf(await inside.run('status -w')), /in a shell/);
  await assert.rejects(makeAct({ kind: 'abortDrill', id: '9' }, inside.client, false), CommandFailure);
});
