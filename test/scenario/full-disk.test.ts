// A disk that takes nothing: the host serves on, says so, refuses what it could not keep, comes back when its controller is killed, and stores again by itself.
// What no file may grow beyond (RLIMIT_FSIZE) is to a process as a full disk, and can be set without rights.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

const SETTLE_MS = 20_000;

/** `bytes`: what a file may be long; null: as long as it likes. */
function limitFiles(pids: readonly number[], bytes: number | null): void {
  for (const pid of pids) execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes ?? 'unlimited'}:`]);
}

test('a host whose disk is full', { timeout: 90_000 }, async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, workers: 1, untilProbed: true });
  const shift = (): ReturnType<typeof appliance.weir> => appliance.weir('shift', 'shop', 'green=30', '--yes');
  const { supervisor, controller } = appliance.pids();
  limitFiles([supervisor, controller], 1024);

  const refused = await shift();
  assert.equal(refused.code, 3, refused.stderr);
  assert.match(
    refused.stderr,
    /^weir: the store of this host takes nothing \(.*\): nothing was changed\. Make room where state\.dir is; traffic is served/,
  );
  assert.equal((await appliance.get('/')).status, 200);

  // The next one inherits the limit.
  process.kill(controller, 'SIGKILL');
  const isBack = async (): Promise<boolean> =>
    appliance.status().then(
      ({ degraded }) => degraded.some((text) => text.startsWith('the store of this host takes nothing: ')),
      () => false,
    );
  await until(isBack, 'another controller is there, and says so', SETTLE_MS);
  assert.equal((await appliance.get('/')).status, 200);
  const { services, revision } = await appliance.status();
  assert.deepEqual([services[0]?.split['green'], revision], [10, 1]);

  limitFiles([supervisor, appliance.pids().controller], null);
  await until(async () => (await shift()).code === 0, 'changes are made again', SETTLE_MS);
  await until(async () => (await appliance.status()).degraded.length === 0, 'all is well', SETTLE_MS);
  assert.match((await appliance.weir('audit', 'verify')).stdout, /the audit chain is intact: 2 records/);
});
