// What the program changes by itself, decided by a host that leads: when the lead goes to another while the change waits for its turn, it is not stored.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { makeChange } from '../../../balancer/controller/change.ts';
import { DrillDriver } from '../../../balancer/controller/driver/drills.ts';
import { ExpiryDriver } from '../../../balancer/controller/driver/expiries.ts';
import { RolloutDriver } from '../../../balancer/controller/driver/rollouts.ts';
import type { Edge } from '../../../balancer/controller/edge.ts';
import type { AskedChange } from '../../../balancer/controller/api/views.ts';
import { BUCKETS } from '../../../balancer/telemetry/latency-buckets.ts';
import type { MetricsDelta } from '../../../balancer/telemetry/meter.ts';
import { fleetEdges, TWO_CLUSTERS, type EdgeUnderTest, type FleetEdges } from '../../support/fleet-edges.ts';

const ALICE = { author: { name: 'alice', how: 'token alice' }, role: 'operate' } as const;

interface Two {
  readonly fleet: FleetEdges;
  readonly leader: EdgeUnderTest;
  readonly other: EdgeUnderTest;
}

async function twoHosts(t: TestContext, more = ''): Promise<Two> {
  const fleet = fleetEdges(t, { fleetPart: `${TWO_CLUSTERS}${more}` });
  const leader = await fleet.host('edge-1');
  const other = await fleet.host('edge-2');
  assert.deepEqual([leader.edge.fleet.leads, other.edge.fleet.leads], [true, false]);
  return { fleet, leader, other };
}

async function change({ fleet, leader: { edge } }: Two, asked: AskedChange): Promise<void> {
  const made = await fleet.settled(edge.changes.run(() => makeChange(edge, { change: asked, yes: true }, ALICE)));
  assert.ok(made.ok, made.ok ? '' : made.problem.message);
}

/** Lets `decide` ask for a change while another one has the turn, and gives the turn when the other host leads. */
async function leadGoesWhileItWaits(two: Two, decide: OwnChange['decide']): Promise<void> {
  const { fleet, leader, other } = two;
  const turn = Promise.withResolvers<undefined>();
  void leader.edge.changes.run(() => turn.promise);
  await decide(leader.edge, two);
  leader.faults.cut = true;
  await fleet.clock.elapse(15_000);
  leader.faults.cut = false;
  assert.deepEqual([leader.edge.fleet.leads, other.edge.fleet.leads], [false, true]);
  turn.resolve(undefined);
  await fleet.settled(leader.edge.changes.run(() => Promise.resolve()));
}

/** The one way that it is stored: as the leader. */
async function isStoredAsLeader(two: Two, decide: OwnChange['decide']): Promise<void> {
  const {
    fleet,
    leader: { edge },
  } = two;
  const { revision } = edge.keeper.intent;
  assert.ok(edge.fleet.leads);
  await decide(edge, two);
  await fleet.settled(edge.changes.run(() => Promise.resolve()));
  assert.equal(edge.keeper.intent.revision, revision + 1);
}

/** A way in which the program changes the intent by itself. */
interface OwnChange {
  readonly what: string;
  /** Of the config. */
  readonly more?: string;
  /** What has to be there. */
  readonly prepare: (two: Two) => Promise<void>;
  /** Looks, and finds that it is due. */
  readonly decide: (edge: Edge, two: Two) => unknown;
}

const FAILURES: MetricsDelta = [
  {
    name: 'weir_upstream_answer_seconds',
    labels: ['shop', 'green', 'two'],
    value: 0,
    buckets: [40, ...new Array<number>(BUCKETS - 1).fill(0)],
  },
  { name: 'weir_upstream_errors_total', labels: ['shop', 'green', 'two'], value: 40 },
];
const ROLLOUT = { steps: [200_000, 500_000], holdMs: [0], minRequests: 10, gates: [], onFail: 'rollback' } as const;

const OWN_CHANGES: readonly OwnChange[] = [
  {
    what: 'the return of what was set for a time',
    prepare: async (two) => {
      await change(two, { kind: 'dial', cluster: 'one', percent: 50, forMs: 60_000 });
      await two.fleet.clock.elapse(60_000);
    },
    decide: (edge) => new ExpiryDriver(edge).tick(),
  },
  {
    what: 'the end of a rollout that fails',
    prepare: (two) => change(two, { kind: 'rollout_start', service: 'shop', to: 'green', ...ROLLOUT }),
    decide: async (_, { fleet, leader, other }) => {
      const both = [leader, other].map(({ edge }) => ({ edge, driver: new RolloutDriver(edge) }));
      // Both have to have seen it, and told.
      for (let second = 0; second < 5; second += 1) {
        for (const { edge, driver } of both) {
          driver.tick();
          edge.outcomes.add(FAILURES);
        }
        await fleet.clock.elapse(1000);
      }
    },
  },
  {
    what: 'a drill by schedule',
    more: 'drills: { always: { cluster: one, for: 30s, when: "* * * * *" } }\n',
    prepare: () => Promise.resolve(),
    decide: (edge) => new DrillDriver(edge).tick(),
  },
];

for (const { what, more, prepare, decide } of OWN_CHANGES) {
  test(`${what} is not stored by a host that lost the lead while it waited`, async (t) => {
    const two = await twoHosts(t, more);
    await prepare(two);
    const before = await two.fleet.ledger.head();
    await leadGoesWhileItWaits(two, decide);
    assert.deepEqual(await two.fleet.ledger.head(), before);
  });

  test(`${what} is stored by a host that leads`, async (t) => {
    const two = await twoHosts(t, more);
    await prepare(two);
    await isStoredAsLeader(two, decide);
  });
}
