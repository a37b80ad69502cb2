// Agents are told what changes will bring: shifts and undos when they are made, steps of rollouts, drills and the ends of timed changes before they
// come, the loss of a cluster at once. What is taken back is not expected any more, nothing is told that the config does not ask for.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { makeChange } from '../../../../balancer/controller/change.ts';
import { DrillDriver } from '../../../../balancer/controller/driver/drills.ts';
import { ExpiryDriver } from '../../../../balancer/controller/driver/expiries.ts';
import type { AskedChange, ChangeResult } from '../../../../balancer/controller/api/views.ts';
import type { Edge } from '../../../../balancer/controller/edge.ts';
import { fleetEdges, type FleetEdges } from '../../../support/fleet-edges.ts';

const ALICE = { author: { name: 'alice', how: 'token alice' }, role: 'operate' } as const;
const HUB = 'agents: { bind: "127.0.0.1:0" }\n';
const PRESCALE = 'agent: { prescale: { ahead: 2m, for: 10m } }';

interface Options {
  readonly one?: string;
  readonly two?: string;
  readonly hostPart?: string;
  readonly versions?: string;
  /** Of the fleet. */
  readonly hosts?: number;
  readonly more?: string;
}

const ONE_EACH = '{ blue: { clusters: { one: {} } }, green: { clusters: { two: {} } } }, split: { blue: 100, green: 0 }';
/** All of it is in one, and two can have it. */
const STANDBY = '{ blue: { clusters: { one: { weight: 1, priority: 0 }, two: { weight: 1, priority: 1 } } } }, steer: { policy: priority }';

/** A host whose service `shop` is asked a thousand times a second: `blue` runs in cluster one, `green` in two, and blue has all. */
class Told {
  readonly #fleet: FleetEdges;
  readonly edge: Edge;
  /** Of the same fleet. */
  readonly others: readonly Edge[];

  private constructor(fleet: FleetEdges, edge: Edge, others: readonly Edge[]) {
    this.#fleet = fleet;
    this.edge = edge;
    this.others = others;
  }

  static async start(
    t: TestContext,
    { one = 'region: eu', two = PRESCALE, hostPart = HUB, versions = ONE_EACH, hosts = 1, more = '' }: Options = {},
  ): Promise<Told> {
    const fleetPart = `
clusters:
  one: { endpoints: ["http://127.0.0.1:9001"], health: none, ${one} }
  two: { endpoints: ["http://127.0.0.1:9002"], health: none, ${two} }
services:
  shop: { versions: ${versions} }
routes: [{ name: shop, match: { path: / }, service: shop }]
${more}`;
    const fleet = fleetEdges(t, { fleetPart, hostPart });
    const { edge } = await fleet.host('edge-1');
    edge.prober.start(edge.config, null);
    t.after(() => edge.prober.close());
    const asked = (): void => {
      edge.window.add([{ name: 'weir_requests_total', labels: ['shop', 'shop', 'blue', 'one', '2xx'], value: 100 }]);
      fleet.clock.after(100, asked);
    };
    asked();
    const others: Edge[] = [];
    for (let number = 2; number <= hosts; number += 1) others.push((await fleet.host(`edge-${number}`)).edge);
    const told = new Told(fleet, edge, others);
    await told.seconds(10);
    return told;
  }

  async seconds(count: number): Promise<void> {
    for (let second = 0; second < count; second += 1) {
      await this.#fleet.clock.elapse(1000);
      for (const edge of [this.edge, ...this.others]) {
        edge.loop.recompute();
        edge.agents.prescale.tick();
      }
    }
  }

  async change(change: AskedChange, dryRun = false): Promise<ChangeResult> {
    const { edge } = this;
    const made = await this.#fleet.settled(edge.changes.run(() => makeChange(edge, { change, dryRun, yes: true }, ALICE)));
    assert.ok(made.ok, made.ok ? '' : made.problem.message);
    return made.value;
  }

  /** `1000 in 120 s`, of cluster two. */
  get wishes(): readonly string[] {
    const wallMs = this.#fleet.clock.wallMs();
    return this.edge.agents.wishes.of('two').flatMap((wish) => {
      if (wish.kind === 'drain') return [];
      const [startsS, endsS] = [wish.startsAtMs, wish.endsAtMs].map((ms) => Math.round((ms - wallMs) / 1000));
      return [`${wish.rps} from ${startsS} to ${endsS}: ${wish.cause ?? 'an operator'}`];
    });
  }

  /** Newest first, of what is expected. */
  get news(): readonly string[] {
    return this.edge.events
      .newest(20)
      .filter(({ code }) => code === 'agent.expected')
      .map(({ text }) => text);
  }
}

const SHIFT = { kind: 'shift', service: 'shop', percents: { green: 50 } } as const;

const ROLLOUT = { kind: 'rollout_start', service: 'shop', to: 'green', minRequests: 0, gates: [], onFail: 'rollback' } as const;

describe('what a change brings', () => {
  test('is told when it is made, and not any more when it is undone', async (t) => {
    const told = await Told.start(t);
    const preview = await told.change(SHIFT, true);
    assert.deepEqual(preview.forecast?.expected, [{ cluster: 'two', service: 'shop', rps: 500, before: 0 }]);
    await told.seconds(1);
    assert.deepEqual(told.wishes, [], 'a preview tells nobody');

    await told.change(SHIFT);
    await told.seconds(1);
    const [wish = ''] = told.wishes;
    assert.match(wish, /^500 from -?\d to (600|59\d): revision 2 by alice$/);
    await told.seconds(300);
    assert.equal(told.wishes.length, 1, 'it stays for its time');
    await told.change({ kind: 'undo', to: null });
    await told.seconds(1);
    assert.deepEqual(told.wishes, []);
    assert.match(told.news[0] ?? '', /^500 requests\/s of shop are not expected in two any more: revision 3 by alice$/);
  });

  test('ends by itself', async (t) => {
    const told = await Told.start(t);
    await told.change(SHIFT);
    await told.seconds(1);
    await told.seconds(600);
    assert.deepEqual(told.wishes, []);
    assert.equal(told.news.length, 1, 'and nothing is told again');
  });

  test('is bounded by the config, and by the ceiling of the cluster', async (t) => {
    for (const two of ['agent: { prescale: { most: 300 } }', `capacity: { rps: 150 }, ${PRESCALE}`]) {
      const told = await Told.start(t, { two });
      await told.change({ kind: 'shift', service: 'shop', percents: { green: 25 } });
      await told.seconds(1);
      const [wish = ''] = told.wishes;
      assert.ok(Number.parseInt(wish, 10) <= 300 && Number.parseInt(wish, 10) > 0, wish);
    }
  });

  test('is not told where the config does not ask for it, without a hub, or when it is little', async (t) => {
    for (const options of [{ two: 'region: eu' }, { hostPart: '' }]) {
      const told = await Told.start(t, options);
      assert.deepEqual((await told.change(SHIFT, true)).forecast?.expected, []);
      await told.change(SHIFT);
      await told.seconds(2);
      assert.deepEqual([told.wishes, told.news], [[], []]);
    }
    const told = await Told.start(t);
    await told.change(SHIFT);
    await told.seconds(1);
    await told.change({ kind: 'shift', service: 'shop', percents: { green: 54 } });
    await told.seconds(1);
    assert.equal(told.news.length, 1, 'a twelfth more is for the autoscaler itself');
  });

  test('that the store does not take is nothing to end the controller for, and is told when it does', async (t) => {
    const told = await Told.start(t);
    const full = t.mock.method(told.edge.options.store, 'putDurably', () => {
      throw new Error('the disk is full');
    });
    await told.change({ ...ROLLOUT, steps: [1000, 400_000], holdMs: [60_000] });
    await told.seconds(8);
    assert.deepEqual([told.wishes, told.news], [[], []]);
    full.mock.restore();
    await told.seconds(10);
    assert.match(told.wishes.join(), /^400 from [34]\d to 6[34]\d: step 2 of the rollout of shop to green$/);
  });

  test('stands beside what an operator has said, who can take back both', async (t) => {
    const told = await Told.start(t);
    const { wishes, prescale } = told.edge.agents;
    const wallMs = told.edge.options.clock.wallMs();
    wishes.expect({ id: 'mine', cluster: 'two', service: 'shop', rps: 50, startsAtMs: wallMs, endsAtMs: wallMs + 3_600_000 });
    await told.change(SHIFT);
    await told.seconds(1);
    assert.equal(told.wishes.length, 2);
    assert.equal(wishes.withdraw('two', 'shop'), 2);
    await told.seconds(10);
    assert.deepEqual(told.wishes, [], 'and it does not come again');
    assert.deepEqual(prescale.ifChangedTo(told.edge.keeper.intent), []);
  });
});

describe('what is known beforehand', () => {
  test('of a rollout: the next step is told before its hold is over, and taken back when it is aborted', async (t) => {
    const told = await Told.start(t);
    await told.change({ ...ROLLOUT, steps: [10_000, 400_000, 1_000_000], holdMs: [300_000] });
    await told.seconds(1);
    assert.match(told.wishes.join(), /^10 from .* revision 2 by alice$/, 'the first step is made');
    await told.seconds(150);
    assert.equal(told.wishes.length, 1, 'it is too early');
    await told.seconds(40);
    assert.match(told.wishes.join(), /^400 from 1\d\d to 7\d\d: step 2 of the rollout of shop to green$/);
    await told.change({ kind: 'rollout', service: 'shop', action: 'abort' });
    await told.seconds(1);
    assert.deepEqual(told.wishes, []);
    assert.match(told.news[0] ?? '', /^400 requests\/s of shop are not expected in two any more: /);
  });

  test('of a rollout that is paused is not told, and when it goes on anew', async (t) => {
    const told = await Told.start(t);
    await told.change({ ...ROLLOUT, steps: [1000, 400_000], holdMs: [60_000] });
    await told.seconds(1);
    assert.match(told.wishes.join(), /^400 from 5\d to 65\d/);
    await told.change({ kind: 'rollout', service: 'shop', action: 'pause' });
    await told.seconds(1);
    assert.deepEqual(told.wishes, []);
    assert.match(told.news[0] ?? '', /step 2 of the rollout of shop to green does not come now$/);
    await told.seconds(30);
    await told.change({ kind: 'rollout', service: 'shop', action: 'resume' });
    await told.seconds(1);
    assert.match(told.wishes.join(), /^400 from 5\d to 65\d/);
  });

  test('stays under its name when it has come, and another figure is another wish', async (t) => {
    const told = await Told.start(t);
    await told.change({ ...ROLLOUT, steps: [1000, 400_000], holdMs: [60_000] });
    await told.seconds(1);
    const ids = (): readonly string[] => told.edge.agents.wishes.of('two').map(({ id }) => id);
    const [step] = ids();
    const before = told.news.length;
    await told.seconds(30);
    await told.change({ kind: 'shift', service: 'shop', percents: { green: 40 } });
    await told.seconds(20);
    assert.deepEqual(ids(), [step]);
    assert.equal(told.news.length, before);
    await told.change({ kind: 'shift', service: 'shop', percents: { green: 80 } });
    await told.seconds(1);
    assert.match(told.wishes.join(), /^800 .* revision 4 by alice$/);
  });

  test('of the end of a timed change: what comes back is told before it does', async (t) => {
    const told = await Told.start(t);
    await told.change({ kind: 'shift', service: 'shop', percents: { blue: 0, green: 100 } });
    await told.seconds(1);
    assert.match(told.wishes.join(), /^1000 /);
    await told.change({ kind: 'shift', service: 'shop', percents: { blue: 99, green: 1 }, forMs: 3_600_000 });
    await told.seconds(1);
    assert.deepEqual(told.wishes, []);
    await told.seconds(3600 - 140);
    assert.deepEqual(told.wishes, []);
    await told.seconds(40);
    assert.match(told.wishes.join(), /^1000 from 9\d to 69\d: the time of revision 3 is over$/);
    await told.seconds(100);
    new ExpiryDriver(told.edge).tick();
    await told.seconds(10);
    assert.match(told.wishes.join(), /^1000 from -\d+ to 5\d\d: the time of revision 3 is over$/);
    assert.equal(told.news.length, 3, 'the shift, that it ends, its return, and nothing when that has come');
  });

  test('of a drill by schedule: who takes over is told before it begins', async (t) => {
    const told = await Told.start(t, {
      versions: STANDBY,
      more: `drills: { nightly: { cluster: one, for: 1m, when: "0 11 * * *" } }\n`,
    });
    await told.seconds(3600 - 200);
    assert.deepEqual(told.wishes, []);
    await told.seconds(100);
    assert.match(told.wishes.join(), /^1000 from 9\d to 69\d: drill nightly$/);
    await told.seconds(100);
    new DrillDriver(told.edge).tick();
    await told.seconds(10);
    assert.match(told.wishes.join(), /drill nightly$/);
    assert.equal(told.edge.keeper.intent.clusters['one']?.admin, 'drain');
  });
});

test('when a cluster is lost, those that take over are told at once, and not any more when it is back', async (t) => {
  const told = await Told.start(t, { two: PRESCALE, one: 'failback: { mode: auto }', versions: STANDBY });
  told.edge.prober.report({
    kind: 'endpoint',
    cluster: 'one',
    endpoint: '127.0.0.1:9001',
    forMs: 30_000,
    reason: 'refused',
  });
  await told.seconds(1);
  assert.match(told.wishes.join(), /^1000 from 0 to 600: one is out$/);
  await told.seconds(60);
  assert.deepEqual(told.wishes, []);
  assert.match(told.news[0] ?? '', /not expected in two any more: one is back$/);
});

test('every host of a fleet tells it under the same name, whoever leads, and takes it back', async (t) => {
  const told = await Told.start(t, { hosts: 2 });
  const ids = (): readonly (readonly string[])[] =>
    [told.edge, ...told.others].map(({ agents }) => agents.wishes.of('two').map(({ id }) => id));
  assert.deepEqual(
    [told.edge, ...told.others].map(({ fleet }) => fleet.leads),
    [true, false],
  );
  await told.change(SHIFT);
  await told.seconds(10);
  const [first = [], second] = ids();
  assert.equal(first.length, 1);
  assert.deepEqual(second, first);
  await told.change({ kind: 'undo', to: null });
  await told.seconds(5);
  assert.deepEqual(ids(), [[], []]);
});
