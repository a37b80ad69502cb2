// Limits that all hosts of a fleet share, on Redis as it really is: exact to the permit, leased within their bound, and as declared when Redis is away.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../health/clock.ts';
import {
  Cell,
  ExactLimit,
  LeasedLimit,
  type FleetLimitOptions,
  type Limit,
  type LimitCounter,
  type WhenAway,
} from '../../balancer/store/limits.ts';
import { RedisConnection } from '../../balancer/store/redis/connection.ts';
import { RedisLimits } from '../../balancer/store/redis/redis-limits.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { startRedis } from '../support/redis-server.ts';

/** One is due every 86 s, so that none comes while a test runs. */
const DAILY: Limit = { key: 'shop/alice', permits: 1000, periodMs: 86_400_000, burst: 1000 };

function counterOf(t: TestContext, port: number, timeoutMs = 1000): LimitCounter {
  const place = { kind: 'single', node: { host: '127.0.0.1', port } } as const;
  const connection = new RedisConnection({ place, username: null, password: null, database: 0, tls: null, timeoutMs }, systemClock);
  t.after(() => connection.close());
  return new RedisLimits(connection, 'weir');
}

const optionsOf = (counter: LimitCounter, whenAway: WhenAway = 'deny', limit = DAILY): FleetLimitOptions => ({
  ...{ limit, counter, whenAway, clock: systemClock, hosts: () => 4 },
});

test('exactly 1,000 of 10,000 that are tried at once by three hosts pass', async (t) => {
  const { port } = await startRedis(t);
  // Thousands wait in one queue, on a machine that other tests share.
  const limits = [0, 1, 2].map(() => new ExactLimit(optionsOf(counterOf(t, port, 30_000))));
  for (const limit of limits) assert.deepEqual((await limit.take(0)).by, 'fleet');
  const tries = Array.from({ length: 10_000 }, (_, index) => limits[index % 3] ?? assert.fail()).map((limit) => limit.take());
  const taken = await Promise.all(tries);
  assert.ok(taken.every(({ by }) => by === 'fleet'));
  assert.equal(
    taken.reduce((sum, { granted }) => sum + granted, 0),
    1000,
  );
  const next = await limits[0]?.take();
  assert.ok(next !== undefined && next.granted === 0 && next.retryMs > 0 && next.retryMs <= 86_400, JSON.stringify(next));
});

test('by lease no more than the limit is given out, and what is given out is spent without asking', async (t) => {
  const { port } = await startRedis(t);
  const limits = [0, 1, 2].map(() => new LeasedLimit({ ...optionsOf(counterOf(t, port)), leaseMs: 60_000, size: 50 }));
  let passed = 0;
  for (let round = 0; round < 200; round += 1) {
    for (const limit of limits) {
      for (let n = 0; n < 20; n += 1) if (limit.tryTake()) passed += 1;
      await limit.renew();
    }
  }
  assert.ok(passed <= 1000, `${passed} passed`);
  // Three hosts may hold one lease each that they have not spent.
  assert.ok(passed >= 1000 - 3 * 50, `${passed} passed`);
});

for (const [whenAway, passes] of [
  ['allow', 100],
  ['deny', 0],
  ['local', 250],
] as const)
  test(`without Redis a limit does as it is declared: ${whenAway}`, async (t) => {
    const redis = await startRedis(t);
    const exact = new ExactLimit(optionsOf(counterOf(t, redis.port), whenAway));
    assert.equal((await exact.take()).by, 'fleet');
    await redis.kill();
    assert.equal((await exact.take(0)).by, 'away');
    let passed = 0;
    for (let n = 0; n < (whenAway === 'local' ? 400 : 100); n += 1) passed += exact.away(1).granted;
    assert.equal(passed, passes);
    await redis.start();
    for (let by = 'away'; by === 'away'; { by } = await exact.take());
  });

test('a lease is void when its time is over, so that in any time no more passes than its bound', async () => {
  const clock = new ManualClock();
  const limit = { key: 'k', permits: 100, periodMs: 1000, burst: 20 };
  const cell = new Cell();
  const counter: LimitCounter = { take: (of, wanted) => Promise.resolve(cell.take(of, wanted, clock.nowMs())) };
  const leaseMs = 200;
  const hosts = [0, 1, 2].map(() => new LeasedLimit({ ...{ limit, counter, clock, whenAway: 'deny', hosts: () => 3 }, leaseMs, size: 10 }));
  const passedMs: number[] = [];
  for (let ms = 0; ms < 5000; ms += 5) {
    for (const host of hosts) while (host.tryTake()) passedMs.push(clock.nowMs());
    await clock.elapse(5);
  }
  for (const windowMs of [100, 500, 1000, 3000]) {
    for (let from = 0; from + windowMs <= 5000; from += 50) {
      const count = passedMs.filter((ms) => ms >= from && ms < from + windowMs).length;
      const bound = limit.burst + (limit.permits * (windowMs + leaseMs)) / limit.periodMs;
      assert.ok(count <= bound, `${count} in ${windowMs} ms, the bound is ${bound}`);
    }
  }
  assert.ok(passedMs.length > 400, `${passedMs.length} in 5 s`);
  const [host] = hosts;
  assert.ok(host !== undefined);
  await clock.elapse(1000);
  await host.renew();
  await clock.elapse(leaseMs);
  cell.take(limit, limit.burst, clock.nowMs());
  assert.equal(host.tryTake(), false, 'what was not spent is void');
});
