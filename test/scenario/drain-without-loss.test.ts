// Workers that leave while connections come in: nobody who was let in is turned away.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { Load } from '../support/load.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

test('workers come and go under new connections and no request is lost', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, workers: 1, untilProbed: true });
  const load = new Load(appliance, { clients: 6, keepAlive: false });
  for (const workers of [3, 1, 3, 1]) {
    appliance.rewrite((text) => text.replace(/workers: \d/, `workers: ${workers}`));
    appliance.signal('SIGHUP');
    await until(() => appliance.pids().workers.length === workers, `${workers} workers run`, 30_000);
    await until(async () => (await appliance.status()).workersReady === workers, `${workers} workers are ready`, 30_000);
    const answeredThen = load.answered;
    await until(() => load.answered > answeredThen + 20, 'the load still runs');
  }
  await load.stop();
  assert.deepEqual(load.failures, []);
});
