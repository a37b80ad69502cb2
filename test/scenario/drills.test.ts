// Drills on a real appliance: a cluster is taken out and comes back by itself, earlier when a condition holds, and under whichever controller runs then.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { DrillView } from '../../balancer/controller/api/views.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { Load } from '../support/load.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

const DEADLINE_MS = 60_000;

/** Probes that are answered late on a busy machine are no part of what is tested here. */
const patient = (yaml: string): string => yaml.replaceAll('interval: 200ms, timeout: 150ms', 'interval: 500ms, timeout: 5s');

async function drills(appliance: Appliance): Promise<readonly DrillView[]> {
  return (JSON.parse((await appliance.weir('drill', 'list', '-o', 'json')).stdout) as { readonly items: readonly DrillView[] }).items;
}

/** With its grade. */
async function graded(appliance: Appliance, id: number): Promise<DrillView> {
  const found = async (): Promise<DrillView | undefined> => (await drills(appliance)).find((drill) => drill.id === id);
  await until(async () => !['running', 'settling'].includes((await found())?.state ?? ''), `drill ${id} has its grade`, DEADLINE_MS);
  const drill = await found();
  assert.ok(drill !== undefined);
  return drill;
}

function loaded(t: TestContext, appliance: Appliance): Load {
  const load = new Load(appliance, { clients: 1, keepAlive: true });
  t.after(() => load.stop());
  return load;
}

test('a drill lasts its time over a new controller, is graded by what happened, and another at the same time is refused', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml: `safety: { maxCapacityOut: 60% }\n${patient(yaml)}`, untilProbed: true, workers: 1 });
  loaded(t, appliance);
  const steady = async (): Promise<boolean> => {
    const [one] = (await appliance.status()).clusters;
    return one !== undefined && one.failback === 'in' && one.traffic.windowSeconds === 10 && one.observedShare > 0.3;
  };
  await until(steady, 'the first cluster has had its part of the traffic for a while', DEADLINE_MS);
  const begun = await appliance.weir('drill', 'drain', 'one', '--for', '10s', '--reason', 'as every week');
  assert.equal(begun.code, 0, begun.stderr);
  assert.match(begun.stdout, /2 +drain one +running/);
  const other = await appliance.weir('drill', 'dial', 'two', '50');
  assert.deepEqual([other.code, /drill 2 is under way; one at a time/.test(other.stderr)], [7, true], other.stderr);

  const killed = appliance.pids().controller;
  process.kill(killed, 'SIGKILL');
  const answering = async (): Promise<boolean> =>
    ![0, killed].includes(appliance.pids().controller) && (await appliance.status().catch(() => null)) !== null;
  await until(answering, 'another controller answers', DEADLINE_MS);
  const drill = await graded(appliance, 2);
  assert.equal(drill.state, 'passed', drill.reasons.join('; '));
  const [one, two] = drill.clusters;
  assert.ok((one?.shareBefore ?? 0) > 0.2 && (two?.shareDuring ?? 0) > 0.8, JSON.stringify(drill.clusters));
  assert.deepEqual([one?.shareForetold, two?.shareForetold], [0, 1]);
  assert.ok((drill.services[0]?.requests ?? 0) > 0);
  assert.equal((await appliance.status()).clusters[0]?.admin, 'active');
  const history = (await appliance.weir('history')).stdout;
  assert.match(history, /expiry +return from 2[^]*drill +drain one --for 10s +as every week|drill.*as every week/);
  assert.equal((await appliance.weir('audit', 'verify')).code, 0);
  const shown = (await appliance.weir('drill', 'show', '2')).stdout;
  assert.match(shown, /it lasted its whole time, and no condition was met[^]*SERVICE[^]*shop[^]*CLUSTER +BEFORE +FORETOLD +DURING +AFTER/);
});

test('a drill whose condition holds ends at once, and one that is aborted too', async (t) => {
  let failing = false;
  let asked = 0;
  const { yaml } = await startTwoClusters(t, (_request, response) =>
    response.writeHead(failing && (asked += 1) % 10 === 0 ? 500 : 200).end(),
  );
  const appliance = await startAppliance(t, { yaml: patient(yaml), untilProbed: true, workers: 1 });
  const load = loaded(t, appliance);
  await until(() => load.answered > 200, 'there is traffic');
  const wrong = await appliance.weir('drill', 'drain', 'one', '--abort-if', 'errors<1%');
  assert.deepEqual(
    [wrong.code, /errors<1%.* is no condition; expected for example errors>0.1%/.test(wrong.stderr)],
    [2, true],
    wrong.stderr,
  );
  const begun = await appliance.weir('drill', 'dial', 'one', '20', '--for', '10m', '--abort-if', 'errors>0.1%');
  assert.equal(begun.code, 0, begun.stderr);
  failing = true;
  await until(async () => (await appliance.status()).clusters[0]?.dialPercent === 100, 'the cluster is back', DEADLINE_MS);
  failing = false;
  const failed = await appliance.weir('drill', 'show', '2', '--wait');
  assert.deepEqual(
    [failed.code, /dial one 20 +failed/.test(failed.stdout), /errors>0.1%: shop has/.test(failed.stdout)],
    [9, true, true],
    failed.stdout,
  );

  assert.equal((await appliance.weir('drill', 'drain', 'one')).code, 0);
  assert.equal((await appliance.weir('drill', 'abort', '4')).code, 0);
  assert.equal((await appliance.status()).clusters[0]?.admin, 'active');
  const aborted = await graded(appliance, 4);
  assert.deepEqual([aborted.state, /^ended by /.test(aborted.reasons[0] ?? '')], ['aborted', true]);
});

test('a drill begins by its schedule, and one that a rule forbids is kept as refused', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const safety = 'safety: { minActiveClusters: 2 }';
  const drill = 'drills: { weekly: { cluster: one, for: 10s, when: "* * * * *" } }';
  const appliance = await startAppliance(t, { yaml: `${safety}\n${drill}\n${yaml}`, untilProbed: true, workers: 1 });
  await until(async () => (await drills(appliance)).length > 0, 'the schedule has come due', 90_000);
  const [refused] = await drills(appliance);
  assert.deepEqual([refused?.schedule, refused?.state], ['weekly', 'refused']);
  assert.match(refused?.reasons[0] ?? '', /safety\.minActiveClusters/);
  assert.equal((await appliance.status()).clusters[0]?.admin, 'active');
});
