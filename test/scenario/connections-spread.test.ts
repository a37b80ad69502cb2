// New connections spread evenly over the workers of a host, also after one was replaced.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

const WORKERS = 4;
const CONNECTIONS = 512;
/**
 * The kernel chooses a worker's socket by a hash of the addresses and ports, so a worker gets a binomial number X of mean 128. Chernoff:
 * P(X >= 1.5 * 128) <= exp(-512 * D(0.375 || 0.25)) = exp(-19.5) = 3e-9.
 */
const MOST = (1.5 * CONNECTIONS) / WORKERS;

test('of 512 connections the busiest of 4 workers has at most 1.5 times the mean', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, workers: WORKERS });
  await spreads(t, appliance, 'with the workers of the start');

  const victim = appliance.pids().workers[1];
  assert.ok(victim !== undefined);
  process.kill(victim, 'SIGKILL');
  await until(async () => (await appliance.status()).workersReady === WORKERS - 1, 'its loss is seen');
  await until(async () => (await appliance.status()).workersReady === WORKERS, 'it is replaced', 20_000);
  await spreads(t, appliance, 'with one replaced');
});

async function spreads(t: TestContext, appliance: Appliance, when: string): Promise<void> {
  const sockets = Array.from({ length: CONNECTIONS }, () => connect(appliance.port(), '127.0.0.1'));
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  const open = async (count: number): Promise<boolean> => sum(await connectionsPerWorker(appliance)) === count;
  await until(() => open(CONNECTIONS), `all are counted ${when}`, 20_000);
  const counts = await connectionsPerWorker(appliance);
  t.diagnostic(`connections of the workers ${when}: ${counts.join(', ')}`);
  assert.equal(counts.length, WORKERS);
  assert.ok(Math.max(...counts) <= MOST, `connections of the workers ${when}: ${counts.join(', ')}`);
  for (const socket of sockets) socket.destroy();
  await until(() => open(0), 'all are closed', 20_000);
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

async function connectionsPerWorker(appliance: Appliance): Promise<readonly number[]> {
  return [...(await appliance.metrics()).matchAll(/^weir_connections_open\{listener="web",worker="\w+"[^}]*\} (\d+)$/gm)].map(([, count]) =>
    Number(count),
  );
}
