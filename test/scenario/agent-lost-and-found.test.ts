// An agent process that dies, comes back and is stopped, as the hub sees it.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { HubBench } from '../support/hub-bench.ts';
import { until } from '../support/until.ts';

const PROGRAM = fileURLToPath(new URL('../support/agent-process.ts', import.meta.url));

function startAgent(port: number, capacityRps: number): ChildProcess {
  const env = { ...process.env, HUB: `ws://127.0.0.1:${port}`, CLUSTER: 'eu', TOKEN: 'weir_eu', CAPACITY_RPS: String(capacityRps) };
  return spawn(process.execPath, [PROGRAM], { env, stdio: ['ignore', 'ignore', 'ignore'] });
}

test('a killed agent leaves its last capacity behind, the next one replaces it, and one that is told to stop exits with 0', async (t) => {
  await using bench = await HubBench.start();
  const first = startAgent(bench.port, 1200);
  t.after(() => first.kill('SIGKILL'));
  await until(() => bench.agent('eu').state === 'fresh', 'the first agent is fresh', 20_000);
  const { cpuUtilisation, memoryUtilisation } = bench.agent('eu');
  assert.ok(cpuUtilisation !== null && cpuUtilisation >= 0 && memoryUtilisation !== null && memoryUtilisation > 0);

  first.kill('SIGKILL');
  await until(() => bench.agent('eu').state === 'stale', 'the agent is stale');
  assert.deepEqual(bench.hub.capacity(), { eu: 1200 }, 'a lost agent changes no share at once');

  const second = startAgent(bench.port, 900);
  t.after(() => second.kill('SIGKILL'));
  await until(() => bench.hub.capacity()['eu'] === 900, 'the second agent has reported', 20_000);
  assert.equal(bench.agent('eu').state, 'fresh');

  const exited = once(second, 'exit');
  second.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  await until(() => bench.events.at(-1) === 'the agent of eu is stale', 'the loss of the second agent is told');
});
