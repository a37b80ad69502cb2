// A worker that dies is replaced, and what it counted stays counted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

test('a killed worker is replaced, the other serves on, and no counter goes down', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true });
  for (let count = 0; count < 40; count += 1) assert.equal((await appliance.get()).status, 200);
  await until(async () => (await appliance.metricSum('weir_requests_total')) === 40, 'all 40 requests are counted');

  const [first, second] = appliance.pids().workers;
  assert.ok(first !== undefined && second !== undefined);
  process.kill(first, 'SIGKILL');
  await until(async () => (await appliance.status()).workersReady === 1, 'its loss is seen');
  assert.equal(await appliance.metricSum('weir_requests_total'), 40);
  assert.doesNotMatch(await appliance.metrics(), /weir_connections_open\{.*worker="w1"\}/, 'what it held is held no more');
  await until(async () => (await appliance.status()).workersReady === 2, 'it is replaced', 20_000);

  const { workers } = appliance.pids();
  assert.equal(workers.length, 2);
  assert.ok(workers.includes(second), 'the other worker is the same process');
  for (let count = 0; count < 10; count += 1) assert.equal((await appliance.get()).status, 200);
  await until(async () => (await appliance.metricSum('weir_requests_total')) === 50, 'the count goes on from where it was');
  assert.equal(await appliance.metricSum('weir_worker_restarts_total'), 1);
  assert.equal(await appliance.metricSum('weir_request_duration_seconds_count'), 50);
});

test('a worker that keeps dying is replaced after longer and longer waits', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml });
  const waits = (): readonly number[] => [...appliance.log.matchAll(/"child":"w1".*?"waitMs":(\d+)/g)].map(([, wait]) => Number(wait));
  for (let kills = 1; kills <= 3; kills += 1) {
    await until(async () => (await appliance.status()).workersReady === 2, 'both workers are ready', 30_000);
    const victim = (await appliance.weir('get', 'workers', 'w1', '-o', 'json')).stdout;
    process.kill(pidIn(victim), 'SIGKILL');
    await until(() => waits().length === kills, `kill ${kills} is noticed`);
  }
  // 100 ms, doubled each time, of which up to half is cut off at random.
  waits().forEach((waitMs, index) => {
    const fullMs = 100 * 2 ** index;
    assert.ok(waitMs >= fullMs / 2 && waitMs <= fullMs, `wait ${index + 1} is ${waitMs} ms, expected ${fullMs / 2} to ${fullMs}`);
  });
});

function pidIn(json: string): number {
  const { items } = JSON.parse(json) as { readonly items: readonly { readonly pid: number }[] };
  const pid = items[0]?.pid;
  assert.ok(pid !== undefined && pid > 1);
  return pid;
}
