// Rollouts of a fleet: the gates count what all hosts count, and what one host sees alone moves nothing.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { makeChange } from '../../../balancer/controller/change.ts';
import { RolloutDriver } from '../../../balancer/controller/driver/rollouts.ts';
import type { RolloutIntent, RolloutPlan } from '../../../balancer/intent/rollout.ts';
import { BUCKETS } from '../../../balancer/telemetry/latency-buckets.ts';
import type { MetricsDelta } from '../../../balancer/telemetry/meter.ts';
import { fleetEdges, TWO_CLUSTERS, type EdgeUnderTest, type FleetEdges } from '../../support/fleet-edges.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const ALICE = { author: { name: 'alice', how: 'token alice' }, role: 'operate' } as const;
const ROLLOUT = { steps: [200_000, 500_000], holdMs: [600_000], minRequests: 100, gates: [], onFail: 'rollback' } as const;

/** What one host sees in a second: requests to green, and the part of them that fails. */
interface Sight {
  readonly requests: number;
  readonly failing: number;
  /** Default: `two`. */
  readonly cluster?: string;
}

interface Rolling {
  readonly fleet: FleetEdges;
  readonly hosts: readonly EdgeUnderTest[];
  readonly drivers: readonly RolloutDriver[];
}

async function rolling(t: TestContext, count: number, more: Partial<RolloutPlan> = {}): Promise<Rolling> {
  const fleet = fleetEdges(t, {
    fleetPart: TWO_CLUSTERS.replace('green: { clusters: { two: {} } }', 'green: { clusters: { one: {}, two: {} } }'),
  });
  const hosts: EdgeUnderTest[] = [];
  for (let index = 1; index <= count; index += 1) hosts.push(await fleet.host(`edge-${index}`));
  const [leader] = hosts;
  assert.ok(leader?.edge.fleet.leads === true);
  const change = { kind: 'rollout_start', service: 'shop', to: 'green', ...ROLLOUT, ...more } as const;
  const begun = await fleet.settled(leader.edge.changes.run(() => makeChange(leader.edge, { change, yes: true }, ALICE)));
  assert.ok(begun.ok, begun.ok ? '' : begun.problem.message);
  return { fleet, hosts, drivers: hosts.map(({ edge }) => new RolloutDriver(edge)) };
}

/** A second of all hosts, `sights` in their order. */
async function second(
  { fleet, hosts, drivers }: Rolling,
  sights: readonly (Sight | readonly Sight[])[],
  random: () => number,
): Promise<void> {
  for (const [index, { edge }] of hosts.entries())
    for (const { requests, failing, cluster = 'two' } of [sights[index] ?? []].flat()) {
      let failed = 0;
      for (let n = 0; n < requests; n += 1) if (random() < failing) failed += 1;
      edge.outcomes.add([...tries('green', cluster, requests, failed), ...tries('blue', cluster, 4 * requests, 0)]);
    }
  await fleet.clock.elapse(1000);
  for (const driver of drivers) driver.tick();
  for (const { edge } of hosts) await fleet.settled(edge.changes.run(() => Promise.resolve()));
}

function tries(version: string, cluster: string, answers: number, failed: number): MetricsDelta {
  const labels = ['shop', version, cluster];
  return [
    { name: 'weir_upstream_answer_seconds', labels, value: 0, buckets: [answers, ...new Array<number>(BUCKETS - 1).fill(0)] },
    { name: 'weir_upstream_errors_total', labels, value: failed },
  ];
}

function rolloutOf({ hosts: [first] }: Rolling): RolloutIntent {
  const rollout = first?.edge.keeper.intent.services['shop']?.rollout;
  assert.ok(rollout !== undefined);
  return rollout;
}

/** Seconds until the rollout is not running any more; null: it runs on. */
async function untilEnded(
  all: Rolling,
  sights: readonly (Sight | readonly Sight[])[],
  random: () => number,
  most: number,
): Promise<number | null> {
  for (let passed = 1; passed <= most; passed += 1) {
    await second(all, sights, random);
    if (rolloutOf(all).phase !== 'running') return passed;
  }
  return null;
}

const good = (requests: number): Sight => ({ requests, failing: 0 });
const bad = (requests: number, failing = 1): Sight => ({ requests, failing });

test('a version that is bad is rolled back by what the others count, though the leader has no request of it', async (t) => {
  const all = await rolling(t, 3);
  const seconds = await untilEnded(all, [good(0), bad(10, 0.3), bad(10, 0.3)], seededRandom(1), 60);
  assert.ok(seconds !== null && seconds <= 20, `after ${seconds ?? '60 and more'} s`);
  assert.equal(rolloutOf(all).phase, 'rolled_back');
});

test('requests of all hosts together are what a step waits for', async (t) => {
  const all = await rolling(t, 3, { minRequests: 100, holdMs: [0] });
  for (let passed = 0; passed < 9; passed += 1) await second(all, [good(2), good(10), good(10)], seededRandom(1));
  assert.equal(rolloutOf(all).step, 1);
});

for (const seed of [1, 2, 3, 4, 5, 6])
  test(`seed ${seed}: one host whose way to the cluster is broken does not move the fleet, two of three do`, async (t) => {
    const random = seededRandom(seed);
    const broken = Math.floor(random() * 3);
    const requests = (): number => 3 + Math.floor(random() * 10);
    const all = await rolling(t, 3);
    const alone = [0, 1, 2].map((index) => (index === broken ? bad(requests()) : good(requests())));
    assert.equal(await untilEnded(all, alone, random, 90), null, `edge-${broken + 1} alone ended it`);
    const said = all.hosts[0]?.edge.events
      .newest(500)
      .some(({ text }) => /does not fail yet: .* most of the 3 hosts that ask it do not see it$/.test(text));
    assert.ok(said);
    const most = alone.map((sight, index) => (index === (broken + 1) % 3 ? bad(sight.requests) : sight));
    const seconds = await untilEnded(all, most, random, 30);
    assert.ok(seconds !== null, 'what most see ends it');
  });

test('of two hosts both have to see it; the only one that asks the version decides', async (t) => {
  const two = await rolling(t, 2);
  assert.equal(await untilEnded(two, [bad(10), good(10)], seededRandom(1), 60), null);
  const only = await rolling(t, 2);
  const seconds = await untilEnded(only, [good(0), bad(10)], seededRandom(1), 20);
  assert.ok(seconds !== null);
});

test('in waves those hosts have a voice that send requests to the clusters whose turn it is, whatever others see elsewhere', async (t) => {
  const waves = { waves: [['one'], ['two']], steps: [500_000, 1_000_000], holdMs: [0], minRequests: 1 };
  const inOne = (sight: Sight): Sight => ({ ...sight, cluster: 'one' });
  const toSecondWave = async (): Promise<Rolling> => {
    const all = await rolling(t, 3, waves);
    for (let passed = 0; passed < 60 && rolloutOf(all).wave !== 1; passed += 1)
      await second(all, [good(50), good(50), good(50)].map(inOne), seededRandom(1));
    assert.equal(rolloutOf(all).wave, 1);
    return all;
  };
  // Two of the hosts send all they have to the first cluster, where all is well.
  const present = await toSecondWave();
  assert.ok((await untilEnded(present, [[inOne(good(50))], [inOne(good(50))], [inOne(good(50)), bad(10)]], seededRandom(2), 30)) !== null);
  assert.equal(rolloutOf(present).phase, 'rolled_back');
  // What one of three sees alone of a wave that has passed does not end it, though it is the only one in the present wave.
  const earlier = await toSecondWave();
  const alone = [[inOne(good(50))], [inOne(good(50))], [inOne(bad(50)), { ...good(1), cluster: 'two' }]];
  for (let passed = 0; passed < 10; passed += 1) {
    await second(earlier, alone, seededRandom(3));
    assert.notEqual(rolloutOf(earlier).phase, 'rolled_back');
  }
});

test('what a host has counted while it was cut off is not counted when it is back', async (t) => {
  const all = await rolling(t, 3);
  for (let passed = 0; passed < 5; passed += 1) await second(all, [good(5), good(5), good(5)], seededRandom(1));
  const [, far] = all.hosts;
  assert.ok(far !== undefined);
  far.faults.cut = true;
  for (let passed = 0; passed < 15; passed += 1) await second(all, [good(5), bad(50), good(5)], seededRandom(1));
  far.faults.cut = false;
  assert.equal(await untilEnded(all, [good(5), good(5), good(5)], seededRandom(1), 20), null);
});
