// A change that takes two people in a fleet: seen on every host, approved where it is kept, in force everywhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runWeir } from '../support/command.ts';
import { makeFleetKeys, startFleetHost } from '../support/fleet-hosts.ts';
import { startRedis } from '../support/redis-server.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

test('what waits on one host is shown by all with the host that keeps it, and is in force on all when it is approved there', async (t) => {
  const redis = await startRedis(t);
  const yaml = `safety: { approval: { services: [shop] } }\n${(await startTwoClusters(t)).yaml}`;
  const keys = makeFleetKeys(t);
  const start = (name: string) => startFleetHost(t, { name, yaml, redisPort: redis.port, keys });
  const [one, two] = await Promise.all([start('edge-1'), start('edge-2')]);
  const asked = await one.weir('shift', 'shop', 'green=30');
  assert.equal(asked.code, 11, asked.stderr);
  assert.match(asked.stderr, /it waits as 1@edge-1 .* weir approve 1@edge-1, at host edge-1, which keeps it/);
  await until(async () => (await two.status()).approvals.length === 1, 'the other host shows it', 20_000);
  const elsewhere = await two.weir('approve', '1@edge-1');
  assert.equal(elsewhere.code, 5);
  assert.match(elsewhere.stderr, /1@edge-1 is kept by host edge-1: approve or reject it there/);

  const made = await one.weir('token', 'create', 'bob', '--role', 'operate');
  const env = { WEIR_TOKEN: made.stdout.trim() };
  const approved = await runWeir(['approve', '1@edge-1'], { server: one.url('admin'), env });
  assert.equal(approved.code, 0, approved.stderr);
  assert.match(approved.stdout, /applied on 2\/2 hosts/);
  assert.equal((await two.status()).services[0]?.split['green'], 30);
  assert.match((await two.weir('history')).stdout, /, approved by bob/);
  await until(async () => (await two.status()).approvals.length === 0, 'it waits nowhere any more', 20_000);
  assert.equal((await two.weir('audit', 'verify')).code, 0);
});
