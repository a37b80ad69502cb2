// Limits and what is good once in a real Redis Cluster, with no more rights than the documented ones: spread over its nodes, and each counted as on one server.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../health/clock.ts';
import { longestMs } from '../../balancer/config/limit-window.ts';
import { RedisConnection, type RedisAccess } from '../../balancer/store/redis/connection.ts';
import { RedisLimits } from '../../balancer/store/redis/redis-limits.ts';
import { RedisUses } from '../../balancer/store/redis/redis-uses.ts';
import { aFleetLimit } from '../support/limit.ts';
import { cli, startRedisCluster } from '../support/redis-ensembles.ts';
import { REDIS_USER } from '../support/redis-rights.ts';
import { until } from '../support/until.ts';

test('in a Redis Cluster', { timeout: 120_000 }, async (t) => {
  const { place } = await startRedisCluster(t);
  const ports = [...place.matchAll(/127\.0\.0\.1:(\d+)/g)].map(([, port]) => Number(port));
  const nodes = ports.map((port) => ({ host: '127.0.0.1', port }));
  const access: RedisAccess = {
    place: { kind: 'cluster', nodes },
    ...REDIS_USER,
    database: 0,
    tls: null,
    timeoutMs: 2000,
    connectMs: 5000,
  };
  const open = (): RedisConnection => {
    const connection = new RedisConnection(access, systemClock);
    t.after(() => connection.close());
    return connection;
  };

  await t.test('each counter of a limit counts, on whichever node it is', async () => {
    const limits = new RedisLimits(open(), 'weir', () => systemClock.wallMs());
    const ready = (): Promise<boolean> =>
      limits.take(aFleetLimit(), 'first', 1).then(
        () => true,
        () => false,
      );
    await until(ready, 'the Redis Cluster is found', 20_000);
    const kinds = [
      ...(['fixed', 'sliding', 'token'] as const).map((algorithm) => aFleetLimit({}, { algorithm, name: algorithm, limit: 10 })),
      aFleetLimit({}, { name: 'month', limit: 10, calendar: 'month', windowMs: longestMs('month') }),
    ];
    for (const limit of kinds)
      for (let caller = 0; caller < 20; caller += 1) {
        assert.equal((await limits.take(limit, `caller ${caller}`, 7)).granted, 7, limit.name);
        await limits.charge(limit, `caller ${caller}`, { count: 1, ageMs: 0 });
        assert.equal((await limits.take(limit, `caller ${caller}`, 7)).granted, 2, limit.name);
      }
    const counts = ports.map((port) => Number(cli(port, 'DBSIZE')));
    assert.ok(
      counts.every((count) => count > 10),
      `counters by node: ${counts.join(', ')}`,
    );
  });

  await t.test('what was used at one host is known at another, and is forgotten when it is good no more', async () => {
    const [one, two] = [new RedisUses(open(), 'weir'), new RedisUses(open(), 'weir')];
    const ready = (): Promise<boolean> =>
      two.use('first', 1).then(
        () => true,
        () => false,
      );
    await until(ready, 'the second is connected too', 20_000);
    for (let signature = 0; signature < 30; signature += 1) {
      const firsts = [
        await one.use(`s${signature}`, 60_000),
        await two.use(`s${signature}`, 60_000),
        await one.use(`s${signature}`, 60_000),
      ];
      assert.deepEqual(firsts, [true, false, false]);
    }
    assert.equal(await one.use('soon', 1), true);
    await until(() => two.use('soon', 1), 'it is good no more, and forgotten');
  });
});
