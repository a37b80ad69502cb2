// A fleet on Redis as people run it where it must not fail: Sentinels and a Redis Cluster, both real. When the primary is lost while changes are made, no
// acknowledged one is lost with it.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { ChangeResult, EdgeView, RevisionView } from '../../balancer/controller/api/views.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { makeFleetKeys } from '../support/fleet-hosts.ts';
import { startRedisCluster, startSentinels, type Ensemble } from '../support/redis-ensembles.ts';
import { REDIS_USER } from '../support/redis-rights.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

const SETTLE_MS = 30_000;

interface Scene {
  readonly hosts: readonly [Appliance, Appliance];
  readonly redis: Ensemble;
}

async function startFleet(t: TestContext, redis: Ensemble): Promise<Scene> {
  const { yaml } = await startTwoClusters(t);
  const { file } = makeFleetKeys(t);
  const shared = `{ ${redis.place}, username: ${REDIS_USER.username}, password: { env: REDIS_PASSWORD }, keyFile: ${JSON.stringify(file)} }`;
  const limits = 'limits: { few: { by: [host], allow: 1000000, per: 24h, scope: fleet, mode: exact, onStoreError: deny } }\n';
  const start = (name: string): Promise<Appliance> =>
    startAppliance(t, {
      yaml: `host: { name: ${name} }\n${limits}${yaml.replace('service: shop }', 'service: shop, filters: [{ addressLimit: { limits: [few] } }] }')}`,
      ...{ workers: 1, redis: shared, env: { REDIS_PASSWORD: REDIS_USER.password } },
    });
  const hosts = await Promise.all([start('edge-1'), start('edge-2')]);
  for (const host of hosts) await until(async () => (await wellOf(host)) === 2, 'the hosts know each other', SETTLE_MS);
  return { hosts, redis };
}

async function listOf<T>(host: Appliance, ...what: readonly string[]): Promise<readonly T[]> {
  const { stdout, stderr, code } = await host.weir(...what, '-o', 'json');
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { readonly items: readonly T[] }).items;
}

const wellOf = async (host: Appliance): Promise<number> =>
  (await listOf<EdgeView>(host, 'get', 'edges')).filter(({ problem, silentMs }) => problem === null && silentMs === null).length;

/** Null: it was refused, so that nothing is promised. */
async function shift(host: Appliance, percent: number, reason: string): Promise<number | null> {
  const { stdout, code } = await host.weir('shift', 'shop', `green=${percent}`, '--yes', '--reason', reason, '-o', 'json');
  // 8: stored, and not yet served by all.
  if (code !== 0 && code !== 8) return null;
  return (JSON.parse(stdout) as { readonly items: readonly [ChangeResult] }).items[0].revision;
}

const reasonsOf = async (host: Appliance): Promise<ReadonlySet<string>> =>
  new Set((await listOf<RevisionView>(host, 'history', '--limit', '500')).map(({ reason }) => reason));

async function verifyFailOver(t: TestContext, { hosts, redis }: Scene): Promise<void> {
  const [one, two] = hosts;
  const acknowledged: string[] = [];
  const change = async (host: Appliance, percent: number): Promise<boolean> => {
    const reason = `change ${acknowledged.length} to ${percent}`;
    if ((await shift(host, percent, reason)) === null) return false;
    acknowledged.push(reason);
    return true;
  };

  await t.test('a shift goes through, is served by all, and a limit of the fleet counts', async () => {
    assert.ok(await change(two, 20));
    for (const host of hosts) assert.deepEqual((await host.status()).services[0]?.split, { blue: 80, green: 20 });
    await until(async () => (await one.get('/')).status === 200, 'it is counted', SETTLE_MS);
  });

  await t.test('what the replica had not heard of when it took over, and was acknowledged, it is given back', async () => {
    redis.deafenReplica();
    for (const percent of [21, 22, 23]) assert.ok(await change(one, percent));
    const lostMs = performance.now();
    const over = redis.failOver();
    let percent = 30;
    // Refused for as long as nobody is there to store it.
    while (!(await change(percent % 2 === 0 ? one : two, percent))) percent += 1;
    t.diagnostic(`the first change after the loss of the primary: ${Math.round(performance.now() - lostMs)} ms`);
    await over;
    const given = async (): Promise<boolean> => {
      const events = (await Promise.all(hosts.map((host) => host.events()))).flat();
      return events.some(({ text }) => /^the ledger of the fleet had lost \d+ revisions and has them again/.test(text));
    };
    await until(given, 'it is given back', SETTLE_MS);
  });

  await t.test('nothing that was acknowledged is lost, and all hosts say the same', async () => {
    assert.ok(await change(two, 40));
    for (const host of hosts) {
      await until(async () => (await wellOf(host)) === 2, 'all is well', SETTLE_MS);
      const reasons = await reasonsOf(host);
      const told = (await host.events()).map(({ text }) => text);
      for (const reason of acknowledged)
        assert.ok(reasons.has(reason) || told.some((text) => text.startsWith('CONFLICT') && text.includes(reason)), `${reason} is lost`);
      assert.deepEqual((await host.status()).services[0]?.split, { blue: 60, green: 40 });
      assert.equal((await host.weir('audit', 'verify')).code, 0);
      await until(async () => (await host.get('/')).status === 200, 'it is counted again', SETTLE_MS);
    }
  });
}

test('Sentinels: a fail-over to a replica that was behind', { timeout: 150_000 }, async (t) => {
  await verifyFailOver(t, await startFleet(t, await startSentinels(t)));
});

test('Redis Cluster: a fail-over to a replica that was behind', { timeout: 150_000 }, async (t) => {
  await verifyFailOver(t, await startFleet(t, await startRedisCluster(t)));
});
