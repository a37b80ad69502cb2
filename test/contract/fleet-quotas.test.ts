// Quotas that all hosts of a fleet share, in Redis as it really is: exact, leased within a hundredth, over the end of a month, and kept while it lasts.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../health/clock.ts';
import { windowAt } from '../../balancer/config/limit-window.ts';
import { FleetLimits, type FleetLimit } from '../../balancer/controller/fleet/fleet-limits.ts';
import { Limits } from '../../balancer/controller/limits.ts';
import { Quotas } from '../../balancer/controller/quotas.ts';
import { RedisConnection } from '../../balancer/store/redis/connection.ts';
import { RedisLimits } from '../../balancer/store/redis/redis-limits.ts';
import { HeldAllowances } from '../../balancer/worker/held-allowances.ts';
import { aFleetLimit } from '../support/limit.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { leastRights, REDIS_USER } from '../support/redis-rights.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';

const QUOTA = 2000;
const KEY = '=acme';

const monthly = (mode: 'exact' | 'lease', limit = QUOTA): FleetLimit =>
  aFleetLimit(
    { mode, onStoreError: 'deny' },
    { name: 'monthly', by: [{ kind: 'consumer' }], calendar: 'month', limit, onUnavailable: 'deny' },
  );

function counterOf({ port }: RedisServer, wallMs = () => systemClock.wallMs()): RedisLimits {
  const place = { kind: 'single', node: { host: '127.0.0.1', port } } as const;
  const access = { place, ...REDIS_USER, database: 0, tls: null, timeoutMs: 10_000, connectMs: 2000 };
  return new RedisLimits(new RedisConnection(access, systemClock), 'weir', wallMs);
}

/** One of two hosts, with one worker; what it knows ends with it. */
function hostOf(t: TestContext, redis: RedisServer, limit: FleetLimit, epoch: () => number): (key?: string) => Promise<boolean> {
  const fleet = new FleetLimits({
    ...{ clock: systemClock, openCounter: () => counterOf(redis), hosts: () => 2 },
    ...{ tell: () => undefined, count: () => undefined },
  });
  const quotas = new Quotas({
    ...{ clock: systemClock, store: { quotaCounts: () => [], putQuotaCounts: () => assert.fail('it is not of this host') } },
    ...{ epochOf: epoch, tell: () => undefined, count: () => undefined },
  });
  const limits = new Limits(() => systemClock.wallMs(), fleet, quotas);
  limits.follow({ limits: { monthly: limit }, workers: 1 });
  t.after(() => limits.close());
  const worker: HeldAllowances = new HeldAllowances({
    // It stands still: on a busy machine nobody gives up waiting.
    clock: new ManualClock(),
    isUp: () => true,
    ask: (wishes) => limits.grant(wishes, (grants) => worker.receive(grants, 2)),
    workers: () => 1,
  });
  return async (key = KEY) => (await worker.take(limit, key)).verdict === 'pass';
}

async function passed(hosts: readonly ((key?: string) => Promise<boolean>)[], requests: number): Promise<number> {
  const verdicts = await Promise.all(Array.from({ length: requests }, (_, at) => (hosts[at % hosts.length] ?? assert.fail())()));
  return verdicts.filter((pass) => pass).length;
}

for (const [mode, least] of [
  ['exact', QUOTA],
  // Of each host that ends, at most its half of a hundredth.
  ['lease', 0.97 * QUOTA],
] as const)
  test(`of two hosts never more than the quota passes, also when they are replaced: ${mode}`, async (t) => {
    const redis = await startRedis(t, [leastRights()]);
    let epoch = 0;
    const start = (): ReturnType<typeof hostOf>[] => [1, 2].map(() => hostOf(t, redis, monthly(mode), () => epoch));
    let hosts = start();
    let all = await passed(hosts, 700);
    hosts = start();
    all += await passed(hosts, 700);
    hosts = start();
    all += await passed(hosts, 2 * QUOTA);
    assert.ok(all <= QUOTA && all >= least, `${all} of ${QUOTA}`);
    epoch = 7;
    assert.equal(await passed(start(), 10), 10);
    epoch = 0;
    assert.equal(await passed(start(), 10), 0);
  });

test('a counter is kept for a week longer than its window, counts anew in the next, and on when a clock is behind', async (t) => {
  const redis = await startRedis(t, [leastRights()]);
  const counter = counterOf(redis);
  t.after(() => counter.close());
  const limit = monthly('exact', 10);
  const { startMs, endMs } = windowAt('month', Date.now());
  const { granted, remaining, validMs } = await counter.take(limit, KEY, 7);
  assert.deepEqual([granted, remaining], [7, 3]);
  assert.ok(Math.abs(validMs - (endMs - Date.now())) < 60_000, `${validMs}`);
  const cli = (...words: readonly string[]): string =>
    execFileSync('redis-cli', ['-p', String(redis.port), ...words], { encoding: 'utf8' }).trim();
  const key = cli('KEYS', '*');
  assert.ok(Number(cli('PEXPIRETIME', key)) === endMs + 7 * 86_400_000, cli('PEXPIRETIME', key));
  // As Redis left it in the month before.
  cli('HSET', key, 'window', String(windowAt('month', Date.now(), -1).startMs));
  assert.equal((await counter.take(limit, KEY, 0)).remaining, 10);
  // As one left it whose clock was ahead, in the month after.
  cli('HSET', key, 'window', String(windowAt('month', Date.now(), 1).startMs));
  assert.equal((await counter.take(limit, KEY, 20)).granted, 3);
  cli('HSET', key, 'window', String(startMs), 'current', '2');
  assert.equal((await counter.take(limit, KEY, 20)).granted, 8);
});

test('the months are those of the clock of Redis, and a host that is years away from it counts nothing', async (t) => {
  const redis = await startRedis(t, [leastRights()]);
  const month = 31 * 86_400_000;
  const limit = monthly('exact', 10);
  for (const skewMs of [-month / 2, month / 2]) {
    const counter = counterOf(redis, () => Date.now() + skewMs);
    t.after(() => counter.close());
    assert.ok((await counter.take(limit, `${skewMs}`, 20)).validMs <= month);
  }
  const lost = counterOf(redis, () => Date.now() - 24 * month);
  t.after(() => lost.close());
  await assert.rejects(lost.take(limit, KEY, 1), /more than a window away/);
});
