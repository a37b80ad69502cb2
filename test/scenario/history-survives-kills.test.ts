// The history of a host outlives kill -9 of its controller and of all of it: nothing is missing but the seconds that it says, and the file is whole.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { HistorySeriesView } from '../../balancer/controller/api/history-view.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { total } from '../support/recorded-history.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

const REQUESTS = 60;

/** Requests of the service that the command tells of, second by second. */
async function told(appliance: Appliance): Promise<number> {
  const { stdout, code } = await appliance.weir('history', 'metrics', 'service/shop', '--since', '5m', '--step', '1s', '-o', 'json');
  if (code !== 0) return 0;
  const { items } = JSON.parse(stdout) as { readonly items: readonly HistorySeriesView[] };
  return items[0] === undefined ? 0 : total(items[0]);
}

test('what was counted is there after the controller and then everything was killed', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, workers: 1, untilProbed: true });
  for (let count = 0; count < REQUESTS; count += 1) await appliance.get();
  await until(async () => (await told(appliance)) === REQUESTS, 'all requests are in the history');
  // The second that they were counted in is over when there is a later one.
  const { at } = await appliance.status();
  await until(async () => Date.parse((await appliance.status()).at) > Date.parse(at) + 2000, 'two seconds later');

  const killed = appliance.pids().controller;
  process.kill(killed, 'SIGKILL');
  const isBack = async (): Promise<boolean> =>
    appliance.pids().controller !== killed && (await appliance.status().catch(() => null))?.workersReady === 1;
  await until(isBack, 'another controller answers', 20_000);
  assert.equal(await told(appliance), REQUESTS, 'after the controller was killed');

  await appliance.kill();
  const after = await startAppliance(t, { yaml, workers: 1, stateFrom: join(appliance.directory, 'state') });
  assert.equal(await told(after), REQUESTS, 'after the whole host was killed');
  const file = new DatabaseSync(join(appliance.directory, 'state', 'history.sqlite'));
  t.after(() => file.close());
  assert.deepEqual({ ...file.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' });
  assert.doesNotMatch(after.log, /history.*cannot be read/);
});
