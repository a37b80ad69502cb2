// Processes of the host that stand still: a worker and the controller are found, killed and replaced, and the host says so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

const DEADLINE_MS = 30_000;

async function hungCount(appliance: Appliance, worker: string): Promise<number> {
  // While there is no controller nobody answers.
  return appliance.metricSum('weir_hung_processes_total', { worker }).catch(() => 0);
}

/** For longer than a process alone could. */
async function standStill(pids: readonly number[]): Promise<void> {
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const stoppedMs = performance.now();
  await until(() => performance.now() - stoppedMs > 4500, 'more than hangDeadline has passed', 6000);
  for (const pid of pids) process.kill(pid, 'SIGCONT');
}

test('a worker and then a controller that stand still are replaced, counted and told of; a host that stood still as a whole loses nobody', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml: `hangDeadline: 3s\n${yaml}`, untilProbed: true });
  const before = appliance.pids();
  await standStill([before.supervisor, before.controller, ...before.workers]);
  const [first = 0, second = 0] = before.workers;
  process.kill(first, 'SIGSTOP');
  await until(async () => (await hungCount(appliance, 'w1')) === 1, 'the worker is counted', DEADLINE_MS);
  // The one that was killed counts as ready until its link breaks.
  const hasAnother = (): boolean => appliance.pids().workers.filter((pid) => pid > 0 && pid !== first).length === 2;
  await until(async () => hasAnother() && (await appliance.status()).workersReady === 2, 'it is replaced', DEADLINE_MS);
  const between = appliance.pids();
  assert.deepEqual([between.supervisor, between.controller], [before.supervisor, before.controller]);
  assert.ok(!between.workers.includes(first) && between.workers.includes(second), 'the other one is the same process');
  for (let count = 0; count < 20; count += 1) assert.equal((await appliance.get()).status, 200);

  process.kill(before.controller, 'SIGSTOP');
  await until(async () => (await hungCount(appliance, 'controller')) === 1, 'the controller is counted', DEADLINE_MS);
  const after = appliance.pids();
  assert.notEqual(after.controller, before.controller);
  assert.deepEqual(after.workers, between.workers, 'workers serve without one');
  const texts = (await appliance.events()).map(({ text }) => text);
  assert.ok(
    texts.some((text) => /^the controller before gave no sign of life for [3-9] s; it was killed and is replaced$/.test(text)),
    texts.join('\n'),
  );
  assert.match(appliance.log, /"child":"w1","silentMs":\d+,"msg":"its event loop hangs; it is killed and replaced"/);
});
