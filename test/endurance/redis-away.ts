// Redis is away for minutes under load: no request fails for it, changes are refused and none that was acknowledged is lost, and when it is back they go on.
// `npm run endure -- redis-away --minutes 10 --hosts 2` does it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { makeFleetKeys, startFleetHost } from '../support/fleet-hosts.ts';
import { KeptClients } from '../support/kept-clients.ts';
import { startRedis } from '../support/redis-server.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';
import { Changer } from '../support/acknowledged.ts';

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: { minutes: { type: 'string', default: '10' }, hosts: { type: 'string', default: '2' } },
});
const minutes = Number(values.minutes);
assert.ok(minutes > 0, 'expected --minutes N');

const SETTLE_MS = 120_000;
/** Between two requests of each client. */
const PAUSE_MS = 10;

test(`Redis away for ${minutes} minutes`, async (t) => {
  const redis = await startRedis(t);
  const { yaml } = await startTwoClusters(t);
  const keys = makeFleetKeys(t);
  const names = Array.from({ length: Number(values.hosts) }, (_, index) => `edge-${index + 1}`);
  const hosts = await Promise.all(names.map((name) => startFleetHost(t, { name, yaml, redisPort: redis.port, keys })));
  const [one = assert.fail()] = hosts;
  const isReached = async (): Promise<boolean> =>
    (await Promise.all(hosts.map((host) => host.events()))).every((events) => events.some(({ text }) => text === 'the fleet is reached'));
  await until(isReached, 'the fleet is reached', SETTLE_MS);
  const clients = hosts.map((host) => new KeptClients(host.url(), 2));
  t.after(() => clients.forEach((one) => one.close()));
  const loads = clients.map((one) => one.load(PAUSE_MS));
  const changer = new Changer(one.socketPath);
  await until(() => changer.acknowledged > 0, 'changes are made', SETTLE_MS);
  await redis.kill();
  const { acknowledged: before } = changer;
  await delay(minutes * 60_000);
  // One whose acknowledgement was on its way.
  assert.ok(changer.acknowledged <= before + 1, 'nothing is acknowledged that nobody could store');
  await redis.start();
  const backMs = performance.now();
  await until(() => changer.acknowledged > before + 1, 'changes go on', SETTLE_MS);
  const tookMs = Math.round(performance.now() - backMs);
  await changer.stop();
  const asked = (await Promise.all(loads.map((load) => load.stop()))).flat();
  const failures = asked.filter(({ status }) => status === 0 || status >= 500);
  const answered = asked.length - failures.length;
  const lost = await changer.lost();
  t.diagnostic(
    `${hosts.length} hosts, Redis away for ${minutes} minutes: ${answered} requests answered, ${failures.length} failed; changes: ${changer.acknowledged} acknowledged, ` +
      `${lost.length} lost, the next one ${tookMs} ms after Redis was back`,
  );
  assert.deepEqual([failures.slice(0, 3), lost], [[], []]);
});
