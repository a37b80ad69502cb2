// Requests of a fleet that count differently, and answers that tell what they were, on Redis as it really is: never more than the limit in sum, and what is charged is missing.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { LimitAlgorithm } from '../../balancer/config/limit-config.ts';
import { longestMs } from '../../balancer/config/limit-window.ts';
import type { FleetLimit } from '../../balancer/controller/fleet/fleet-limits.ts';
import { aFleetLimit } from '../support/limit.ts';
import { hostOf, openCounter, type Host } from '../support/limit-hosts.ts';
import { startRedis } from '../support/redis-server.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { until } from '../support/until.ts';
import { leastRights } from '../support/redis-rights.ts';

const ALGORITHMS = ['fixed', 'sliding', 'token'] as const satisfies readonly LimitAlgorithm[];

async function twoHosts(t: TestContext, limit: FleetLimit): Promise<readonly Host[]> {
  const redis = await startRedis(t, [leastRights()]);
  return [hostOf(t, redis, limit), hostOf(t, redis, limit)];
}

/** What passed in sum, of requests at once over two workers of each host. */
async function passedOf(hosts: readonly Host[], costs: readonly number[]): Promise<number> {
  const verdicts = await Promise.all(costs.map((cost, at) => (hosts[at % 2] ?? assert.fail()).take(Math.floor(at / 2) % 2, 'one', cost)));
  return costs.reduce((sum, cost, at) => sum + (verdicts[at] === 'pass' ? cost : 0), 0);
}

/** Of a limit of 1,000, in the hands of two hosts with two workers each: half with the controllers, half with the workers, in whole units for each. */
const IN_HANDS = 2 * (12 + 2 * 6);

/** What may be refused too early: of `exact` less than the largest request, else what is in hands; that does not fill up, so a bucket gives so much less as well. */
function unusedOf(mode: FleetLimit['fleet']['mode'], algorithm: LimitAlgorithm): number {
  if (mode === 'exact') return 19;
  return algorithm === 'token' ? 2 * IN_HANDS : IN_HANDS;
}

describe('of requests of 1 to 20 units, ten times more than a limit of 1,000 allows', () => {
  for (const algorithm of ALGORITHMS)
    for (const mode of ['exact', 'lease'] as const)
      test(`as many pass as it allows, in sum: ${mode}, ${algorithm}`, async (t) => {
        const hosts = await twoHosts(t, aFleetLimit({ mode }, { algorithm }));
        const random = seededRandom(7);
        let sum = 0;
        for (let round = 0; round < 20; round += 1)
          sum += await passedOf(
            hosts,
            Array.from({ length: 50 }, () => 1 + Math.floor(random() * 20)),
          );
        assert.ok(sum <= 1000 && sum >= 1000 - unusedOf(mode, algorithm), `${sum}`);
      });
});

test('exactly those pass that fit, one after the other over hosts and workers', async (t) => {
  for (const algorithm of ALGORITHMS) {
    const hosts = await twoHosts(t, aFleetLimit({ mode: 'exact' }, { algorithm, limit: 100 }));
    let count = 0;
    for (let request = 0; request < 24; request += 1) count += await passedOf([hosts[request % 2] ?? assert.fail()], [7]);
    assert.equal(count, 98, algorithm);
    assert.deepEqual([await passedOf(hosts, [1]), await passedOf(hosts, [3]), await passedOf(hosts, [1])], [1, 0, 1], algorithm);
  }
});

describe('what an answer tells', () => {
  for (const algorithm of ALGORITHMS)
    for (const mode of ['exact', 'lease'] as const)
      test(`is counted for all hosts, beyond the limit too: ${mode}, ${algorithm}`, async (t) => {
        const [one, two] = await twoHosts(t, aFleetLimit({ mode }, { algorithm }));
        assert.ok(one !== undefined && two !== undefined);
        assert.equal(await one.take(0), 'pass');
        one.charge(0, 5000);
        // What a host has in hand may still pass: 5 % of the limit in all hands.
        let passed = 0;
        const isOver = async (): Promise<boolean> => {
          const verdict = await two.take(1);
          if (verdict === 'pass') passed += 1;
          return verdict === 'refuse';
        };
        await until(isOver, 'the other host refuses');
        assert.ok(mode === 'lease' ? passed <= 50 : passed <= 5, `${passed}`);
      });
});

test('Redis charges as a host does: what is less goes back, of a window that still is, and a quota too', async (t) => {
  const redis = await startRedis(t, [leastRights()]);
  const counter = openCounter(t, redis.port);
  for (const algorithm of ALGORITHMS) {
    const limit = aFleetLimit({}, { algorithm, name: algorithm });
    await counter.take(limit, 'a', 900);
    await counter.charge(limit, 'a', { count: -400, ageMs: 0 });
    assert.equal((await counter.take(limit, 'a', 0)).remaining, 500, algorithm);
    assert.equal((await counter.take(limit, 'a', { most: 700, least: 501 })).granted, 0, algorithm);
    assert.equal((await counter.take(limit, 'a', { most: 700, least: 500 })).granted, 500, algorithm);
    await counter.charge(limit, 'a', { count: 2000, ageMs: 0 });
    assert.equal((await counter.take(limit, 'a', 1)).granted, 0, algorithm);
    await counter.charge(limit, 'a', { count: -9999, ageMs: 0 });
    assert.equal((await counter.take(limit, 'a', 0)).remaining, 1000, `${algorithm}: never more than all of it`);
  }
  const day = 86_400_000;
  const window = aFleetLimit({}, { name: 'window' });
  await counter.take(window, 'b', 900);
  await counter.charge(window, 'b', { count: -400, ageMs: 2 * day });
  assert.equal((await counter.take(window, 'b', 0)).remaining, 100, 'its window is over');
  const month = aFleetLimit({}, { name: 'month', calendar: 'month', windowMs: longestMs('month') });
  await counter.take(month, 'c', 900);
  await counter.charge(month, 'c', { count: 300, ageMs: 0 });
  assert.equal((await counter.take(month, 'c', 1)).granted, 0);
  await counter.charge(month, 'c', { count: -400, ageMs: 0 });
  await counter.charge(month, 'c', { count: -400, ageMs: 32 * day });
  assert.deepEqual((await counter.take(month, 'c', { most: 500, least: 201 })).granted, 0);
  assert.deepEqual((await counter.take(month, 'c', { most: 500, least: 200 })).granted, 200);
});
