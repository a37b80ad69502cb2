// What keeps a host from starting is said in one line that names it, and nothing is left running.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { childrenOf } from '../support/child-processes.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

async function takenPort(t: TestContext): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Waits for it to end by itself; the last line it wrote. */
async function lastWords(appliance: Appliance): Promise<string> {
  await until(() => !appliance.isRunning(), 'it has ended by itself', 60_000);
  assert.deepEqual(await appliance.ended, { code: 1, signal: null });
  return appliance.log.trimEnd().split('\n').at(-1) ?? '';
}

test('a listener whose port is taken is named', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const port = await takenPort(t);
  const appliance = await startAppliance(t, { yaml: `listeners: { front: { bind: "127.0.0.1:${port}" } }\n${yaml}`, untilReady: false });
  assert.match(
    await lastWords(appliance),
    new RegExp(`^weir: listeners\\.front\\.bind 127\\.0\\.0\\.1:${port} is taken by another process`),
  );
});

test('a metrics or admin port that is taken is named', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const port = await takenPort(t);
  for (const key of ['metrics', 'admin']) {
    const appliance = await startAppliance(t, { yaml: `${key}: { bind: "127.0.0.1:${port}" }\n${yaml}`, workers: 1, untilReady: false });
    assert.match(await lastWords(appliance), new RegExp(`^weir: ${key}\\.bind 127\\.0\\.0\\.1:${port} is taken by another process`));
  }
});

test('a config with mistakes starts nothing and tells them all', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const broken = yaml.replace('split:', 'splitt:').replace('service: shop', 'service: shoppe');
  const appliance = await startAppliance(t, { yaml: broken, untilReady: false });
  assert.match(await lastWords(appliance), /^weir: nothing was started/);
  assert.match(appliance.log, /weir\.yaml:\d+:\d+: .*splitt/);
  assert.match(appliance.log, /weir\.yaml:\d+:\d+: .*shoppe/);
  assert.doesNotMatch(appliance.log, /"msg":"starting"/);
});

test('a second host on the same state directory is refused and does not disturb the first', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const first = await startAppliance(t, { yaml, workers: 1, untilProbed: true });
  const shared = `state: { dir: ${JSON.stringify(join(first.directory, 'state'))} }\n${yaml}`;
  const second = await startAppliance(t, { yaml: shared, workers: 1, untilReady: false });
  assert.match(await lastWords(second), /^weir: .*(another|state)/);
  assert.equal((await first.get()).status, 200);
  assert.equal((await first.status()).workersReady, 1);
});

test('a state directory that others may write is refused; one that others may read is closed', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const running = await startAppliance(t, { yaml, workers: 1 });
  const open = join(running.directory, 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  const refused = await startAppliance(t, { yaml: `state: { dir: ${JSON.stringify(open)} }\n${yaml}`, untilReady: false });
  assert.match(await lastWords(refused), /can be written by others \(mode 777\); `chmod 700/);
  assert.deepEqual(childrenOf(refused.pids().supervisor), []);
});
