// Whether a host can serve, as those in front of it ask: yes while it serves, whatever becomes of its controller, and no before it closes its port.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exchange, startAppliance, type Appliance } from '../support/appliance.ts';
import { Load } from '../support/load.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

async function readiness(appliance: Appliance, path = '/'): Promise<string> {
  const { status, body } = await exchange(new URL(path, appliance.url('ready')), { agent: false });
  return `${status} ${body.trim()}`;
}

test('a host says that it is ready, goes on saying so without a controller, and says no for lameDuck while it still serves', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const listeners = '{ web: { bind: "127.0.0.1:0" }, ready: { bind: "127.0.0.1:0", protocol: readiness } }';
  const appliance = await startAppliance(t, {
    yaml: `lameDuck: 3s\ndrainDeadline: 2s\nlisteners: ${listeners}\n${yaml}`,
    untilProbed: true,
  });
  assert.equal(await readiness(appliance), '200 ready');
  assert.equal(await readiness(appliance, '/any/path?at=all'), '200 ready');

  process.kill(appliance.pids().controller, 'SIGSTOP');
  for (let asked = 0; asked < 10; asked += 1) assert.equal(await readiness(appliance), '200 ready');
  process.kill(appliance.pids().controller, 'SIGCONT');

  const load = new Load(appliance, { clients: 4, keepAlive: true });
  const stoppedMs = performance.now();
  appliance.signal('SIGTERM');
  await until(async () => (await readiness(appliance)) === '503 this host is going out of service', 'it says that it goes');
  for (let asked = 0; asked < 5; asked += 1) assert.equal((await appliance.get()).status, 200, 'new connections are served');
  // What comes after the port has closed is refused; what came before is answered.
  await until(async () => (await appliance.get().catch(() => null)) === null, 'the port is closed');
  const closedMs = performance.now();
  await load.stop();
  await until(() => !appliance.isRunning(), 'it has ended', 20_000);
  assert.ok(closedMs - stoppedMs >= 3000, `closed after ${closedMs - stoppedMs} ms`);
  assert.deepEqual(
    load.failures.filter((failure) => !failure.includes('ECONNREFUSED')),
    [],
  );
});
