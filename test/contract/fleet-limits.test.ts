// Limits that all hosts of a fleet share, on Redis as it really is: exact to the request, leased within their bound, and as declared when Redis is away.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { limitOfPlan, type LimitAlgorithm, type WithoutCount } from '../../balancer/config/limit-config.ts';
import { aFleetLimit } from '../support/limit.ts';
import { hostOf, openCounter, passed } from '../support/limit-hosts.ts';
import { leastRights } from '../support/redis-rights.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const DAY_MS = 86_400_000;

describe('of 10,000 requests at once over two hosts', () => {
  for (const algorithm of ['fixed', 'sliding', 'token'] as const) {
    test(`exactly the 1,000 pass that a limit allows: exact, ${algorithm}`, async (t) => {
      const redis = await startRedis(t, [leastRights()]);
      const limit = aFleetLimit({ mode: 'exact' }, { algorithm });
      const hosts = [hostOf(t, redis, limit), hostOf(t, redis, limit)];
      assert.equal(await passed(hosts, 10_000), 1000);
      assert.equal(await passed(hosts, 100), 0);
    });

    test(`no more than those pass, and hardly less: lease, ${algorithm}`, async (t) => {
      const redis = await startRedis(t, [leastRights()]);
      const limit = aFleetLimit({ mode: 'lease' }, { algorithm });
      const hosts = [hostOf(t, redis, limit), hostOf(t, redis, limit)];
      const count = await passed(hosts, 10_000);
      assert.ok(count <= 1000 && count >= 950, `${count}`);
    });
  }
});

for (const algorithm of ['fixed', 'sliding', 'token'] as const)
  for (const mode of ['exact', 'lease'] as const)
    test(`what was used beyond what there was is used up for all hosts: ${mode}, ${algorithm}`, async (t) => {
      const redis = await startRedis(t, [leastRights()]);
      const limit = aFleetLimit({ mode }, { algorithm });
      const hosts = [hostOf(t, redis, limit), hostOf(t, redis, limit)];
      const [one, other] = hosts;
      assert.ok(one !== undefined && other !== undefined);
      assert.equal(await one.take(0, 'one', 100), 'pass');
      one.charge(0, 2000);
      await until(async () => (await one.take(1)) === 'refuse', 'the host has heard of it');
      assert.equal(await other.take(0, 'one', 100), 'refuse');
    });

test('what a quota of the fleet is charged beyond what there was is used up', async (t) => {
  const redis = await startRedis(t, [leastRights()]);
  const limit = aFleetLimit({}, { calendar: 'month' });
  const counter = openCounter(t, redis.port);
  assert.equal((await counter.take(limit, 'one', 10)).remaining, 990);
  await counter.charge(limit, 'one', { count: 2000, ageMs: 0 });
  const { granted, remaining } = await counter.take(limit, 'one', 1);
  assert.deepEqual([granted, remaining], [0, 0]);
});

test('a lease of requests that come one by one is asked for seldom, and passes no more than the limit', async (t) => {
  const redis = await startRedis(t, [leastRights()]);
  const limit = aFleetLimit({ mode: 'lease' });
  const hosts = [hostOf(t, redis, limit), hostOf(t, redis, limit)];
  const asked = (): number => Number(/cmdstat_evalsha:calls=(\d+)/.exec(cli(redis, 'INFO', 'commandstats'))?.[1] ?? 0);
  let count = 0;
  for (let request = 0; request < 500; request += 1) count += await passed(hosts, 1);
  assert.equal(count, 500);
  assert.ok(asked() < 100, `${asked()} questions`);
  for (let request = 0; request < 400; request += 1) count += await passed(hosts, 2);
  assert.ok(count <= 1000 && count >= 950, `${count}`);
});

for (const [onStoreError, passes] of [
  ['allow', 400],
  ['deny', 0],
  // Half of the limit is this host's; what is counted while Redis is away begins anew.
  ['local', 100],
] as const satisfies readonly (readonly [WithoutCount, number])[])
  for (const mode of ['exact', 'lease'] as const)
    test(`without Redis a limit does as it is declared, and is counted again after it: ${mode}, ${onStoreError}`, async (t) => {
      const redis = await startRedis(t, [leastRights()]);
      const host = hostOf(t, redis, aFleetLimit({ mode, onStoreError }, { limit: 200 }), 50);
      await until(async () => (await host.take(0, 'first')) === 'pass' && host.told.length % 2 === 0, 'Redis counts');
      await redis.kill();
      const verdicts = await Promise.all(Array.from({ length: 400 }, () => host.take(0, 'other')));
      const allowed = verdicts.filter((verdict) => verdict === 'pass' || verdict === 'uncounted').length;
      assert.equal(allowed, passes);
      // Nobody waits for what is known to be away.
      const startedMs = performance.now();
      for (let request = 0; request < 20; request += 1) await host.take(1, `other ${request}`);
      assert.ok(performance.now() - startedMs < 20 * 50, `${performance.now() - startedMs} ms`);
      assert.match(host.told.at(-1) ?? '', /^limits of the fleet cannot be counted/);
      await redis.start();
      await until(() => host.told.at(-1) === 'limits of the fleet are counted again', 'Redis is heard again', 10_000);
      await until(async () => (await host.take(1, 'third')) === 'pass', 'the fleet counts again');
    });

test('Redis counts as a host does', async (t) => {
  const redis = await startRedis(t, [leastRights()]);
  const counter = openCounter(t, redis.port);
  for (const algorithm of ['fixed', 'sliding', 'token'] as const satisfies readonly LimitAlgorithm[]) {
    const limit = aFleetLimit({}, { algorithm, name: algorithm });
    const first = await counter.take(limit, 'a', 600);
    assert.deepEqual([first.granted, first.remaining], [600, 400]);
    const second = await counter.take(limit, 'a', 600);
    assert.deepEqual([second.granted, second.remaining], [400, 0]);
    assert.deepEqual((await counter.take(limit, 'a', 1)).granted, 0);
    assert.deepEqual((await counter.take(limit, 'b', 1)).remaining, 999);
    assert.ok(second.resetMs > 0 && second.resetMs <= 86_400_000 && second.validMs > 0, JSON.stringify(second));
  }
});

test('a Redis that has forgotten how limits are counted is told again, and has counted on', async (t) => {
  const redis = await startRedis(t, [leastRights()]);
  const counter = openCounter(t, redis.port);
  const limit = aFleetLimit();
  assert.equal((await counter.take(limit, 'a', 600)).granted, 600);
  cli(redis, 'SCRIPT', 'FLUSH');
  assert.equal((await counter.take(limit, 'a', 600)).granted, 400);
});

test('a bucket of the fleet has for each plan a burst and a pace of its own, and stays as empty as it is when the plan changes', async (t) => {
  const redis = await startRedis(t, [leastRights()]);
  const counter = openCounter(t, redis.port);
  const limit = aFleetLimit({}, { algorithm: 'token', burst: 100, ofPlans: { gold: 10_000 } });
  const gold = limitOfPlan(limit, 'gold');
  assert.equal((await counter.take(gold, 'a', 5000)).granted, 1000);
  assert.equal((await counter.take(limit, 'b', 50)).granted, 50);
  assert.equal((await counter.take(gold, 'b', 5000)).granted, 500);
  assert.equal((await counter.take(limit, 'b', 1)).granted, 0);
});

test('a sliding window weighs the one before by what of it is still within reach', async (t) => {
  const redis = await startRedis(t, [leastRights()]);
  const counter = openCounter(t, redis.port);
  const limit = aFleetLimit({}, { algorithm: 'sliding' });
  const { validMs } = await counter.take(limit, 'a', 1);
  const [key = ''] = cli(redis, 'KEYS', '*').split('\n');
  cli(redis, 'HSET', key, 'current', '0', 'before', '1000');
  const still = Math.floor(1000 - (1000 * validMs) / 86_400_000);
  const { granted } = await counter.take(limit, 'a', 1000);
  assert.ok(Math.abs(granted - still) <= 1, `${granted}, expected ${still}`);
});

test('a clock that is behind, as of a replica that took over, opens no window anew', async (t) => {
  const redis = await startRedis(t, [leastRights()]);
  const counter = openCounter(t, redis.port);
  const limit = aFleetLimit();
  await counter.take(limit, 'a', 1000);
  const [key = ''] = cli(redis, 'KEYS', '*').split('\n');
  cli(redis, 'HINCRBY', key, 'window', '1');
  assert.equal((await counter.take(limit, 'a', 1)).granted, 0);
});

test('who is counted does not stand in Redis, and what is counted leaves it by itself', async (t) => {
  const redis = await startRedis(t, [leastRights()]);
  const counter = openCounter(t, redis.port);
  const algorithms = ['fixed', 'sliding', 'token'] as const;
  for (const algorithm of algorithms) await counter.take(aFleetLimit({}, { algorithm, name: algorithm }), '198.51.100.7', 1);
  const keys = cli(redis, 'KEYS', '*').split('\n');
  assert.equal(keys.length, 3);
  for (const key of keys) {
    assert.doesNotMatch(key, /198\.51/);
    // Not before it counts for nothing: a sliding window looks back over one that is over.
    const leastMs = key.includes('sliding') ? DAY_MS : 0;
    const leftMs = Number(cli(redis, 'PTTL', key));
    assert.ok(leftMs > leastMs && leftMs <= 2 * DAY_MS, `${key}: ${leftMs}`);
  }
});

function cli({ port }: RedisServer, ...args: readonly string[]): string {
  return execFileSync('redis-cli', ['-p', String(port), ...args], { encoding: 'utf8' }).trim();
}
