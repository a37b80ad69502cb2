// A host whose way to the Redis of its fleet hangs without a word: it serves on, is named by what the others do, can be changed alone, and is back over new
// connections as soon as the way is well, though those before it never end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Appliance } from '../support/appliance.ts';
import { makeFleetKeys, startFleetHost } from '../support/fleet-hosts.ts';
import { KeptClients } from '../support/kept-clients.ts';
import { startRedis } from '../support/redis-server.ts';
import { startTroubledLink } from '../support/troubled-link.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

/** Beats are a second apart, and many processes of many tests share the machine. */
const SETTLE_MS = 20_000;

test('a host whose way to Redis hangs', { timeout: 120_000 }, async (t) => {
  const redis = await startRedis(t);
  const link = await startTroubledLink(t, redis.port);
  const { yaml } = await startTwoClusters(t);
  const keys = makeFleetKeys(t);
  const start = (name: string, redisPort: number): Promise<Appliance> => startFleetHost(t, { name, yaml, redisPort, keys });
  const [near, far] = await Promise.all([start('edge-1', redis.port), start('edge-2', link.port)]);
  const greenOf = async (host: Appliance): Promise<number> => (await host.status()).services[0]?.split['green'] ?? -1;
  const knows = async (): Promise<boolean> => /^edge-2/m.test((await near.weir('get', 'edges')).stdout);
  await until(knows, 'they know each other', SETTLE_MS);
  const clients = new KeptClients(far.url(), 2);
  t.after(() => clients.close());
  const load = clients.load(10);

  link.hang();
  // Nor does a host wait for it that starts: neither is it refused, nor answered.
  const startedMs = performance.now();
  const late = await start('edge-3', link.port);
  assert.equal((await late.get('/')).status, 200);
  t.diagnostic(`started without an answer of Redis in ${Math.round(performance.now() - startedMs)} ms`);
  assert.equal((await late.stop()).code, 0);
  const shifted = await near.weir('shift', 'shop', 'green=40', '--yes');
  assert.equal(shifted.code, 8, shifted.stderr);
  assert.match(shifted.stderr, /not applied yet by edge-2 \(/);
  assert.deepEqual([await greenOf(near), await greenOf(far)], [40, 10]);
  const cutOff = async (): Promise<boolean> =>
    (await far.events()).some(({ text }) => /^the fleet cannot be reached, this host serves on/.test(text));
  await until(cutOff, 'it knows that it is cut off', SETTLE_MS);
  const alone = await far.weir('shift', 'shop', 'green=0', '--local', '--reason', 'green is broken here');
  assert.equal(alone.code, 0, alone.stderr);
  assert.equal(await greenOf(far), 0);

  link.heal();
  const healedMs = performance.now();
  await until(async () => (await far.events()).filter(({ text }) => text === 'the fleet is reached').length === 2, 'it is back', SETTLE_MS);
  t.diagnostic(`back ${Math.round(performance.now() - healedMs)} ms after the way is well`);
  assert.equal(await greenOf(far), 0, 'what it was told alone holds until somebody decides');
  assert.equal(await greenOf(near), 40, 'and nowhere else');
  assert.equal((await far.weir('local', 'discard')).code, 0);
  await until(async () => (await greenOf(far)) === 40, "and then the fleet's", SETTLE_MS);
  const asked = await load.stop();
  assert.deepEqual(asked.filter(({ status }) => status !== 200).slice(0, 3), []);
  assert.ok(asked.length > 100, `${asked.length} requests`);
});
