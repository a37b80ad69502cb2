// Plans that follow each other: what is at once, what takes its time, what does not move at all, and that the same past gives the same plan.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fastCheck from 'fast-check';
import { MILLION, type ClusterConfig } from '../../../balancer/config/config.ts';
import { applyChange, type DirectChange } from '../../../balancer/intent/apply-change.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { undo } from '../../../balancer/intent/undo.ts';
import { plan, type PlanFacts, type PlanMemory, type Planned } from '../../../balancer/steer/plan.ts';
import {
  targetKey,
  type AgentState,
  type CapacityReport,
  type HealthState,
  type ObservedView,
} from '../../../balancer/steer/plan-shape.ts';
import { fleetConfig, healthView, type FleetSketch } from '../../support/fleet-config.ts';

/** A fleet with a clock: a plan each second, each with the memory of the one before. */
class Story {
  nowMs = 0;
  facts: PlanFacts;
  memory: PlanMemory | null = null;
  planned: Planned;

  constructor(sketch: FleetSketch, facts: Partial<PlanFacts> = {}) {
    const config = fleetConfig(sketch);
    const health = healthView(Object.fromEntries(Object.keys(config.clusters).map((name) => [name, 'up'])));
    this.facts = { ...config, intent: seedIntent(config, null).intent, health, capacity: {}, demand: {}, ...facts };
    this.planned = this.next();
  }

  next(): Planned {
    this.planned = plan({ ...this.facts, previous: this.memory, nowMs: this.nowMs });
    this.memory = this.planned.memory;
    return this.planned;
  }

  for(seconds: number, facts: Partial<PlanFacts> = {}): this {
    this.facts = { ...this.facts, ...facts };
    for (let second = 0; second < seconds; second += 1) {
      this.nowMs += 1000;
      this.next();
    }
    return this;
  }

  health(states: Readonly<Record<string, HealthState>>): Partial<PlanFacts> {
    const up = Object.keys(this.facts.clusters).map((name): [string, HealthState] => [name, 'up']);
    return { health: healthView({ ...Object.fromEntries(up), ...states }) };
  }

  change(change: DirectChange): this {
    const outcome = applyChange(this.facts.intent, change, this.facts);
    assert.ok(outcome.ok);
    this.facts = { ...this.facts, intent: outcome.intent };
    this.next();
    return this;
  }

  share(place: string): number {
    return this.target(place)?.effective ?? -1;
  }

  reasons(place: string): readonly string[] {
    return this.target(place)?.reasons ?? [];
  }

  target(place: string): (typeof this.planned.plan.services)[string]['targets'][number] | undefined {
    const [version, cluster] = place.split('@');
    return this.planned.plan.services['shop']?.targets.find((target) => target.version === version && target.cluster === cluster);
  }
}

const TWINS: FleetSketch = { services: { shop: { versions: { v: { eu: 1, us: 1 } } } } };
const declaring = (rps: Readonly<Record<string, number>>): NonNullable<FleetSketch['clusters']> =>
  Object.fromEntries(
    Object.entries(rps).map(([name, value]): [string, Partial<ClusterConfig>] => [name, { capacity: { rps: value, learn: false } }]),
  );

function agent(state: AgentState, capacityRps: number, receivedAtMs: number): CapacityReport {
  return { state, receivedAtMs, capacityRps, utilisation: 0.5, requestsPerSecond: null, errorsPerSecond: 0 };
}

describe('a cluster that dies and comes back', () => {
  test('loses its share at once, and gets it back in a ramp of no more than ten points in ten seconds', () => {
    const story = new Story(TWINS);
    story.for(1, story.health({ eu: 'down' }));
    assert.deepEqual([story.share('v@eu'), story.share('v@us')], [0, MILLION]);
    story.for(5).for(1, story.health({}));
    assert.deepEqual(
      story.reasons('v@eu').filter((reason) => reason === 'ramp'),
      ['ramp'],
    );
    const seen: number[] = [story.share('v@eu')];
    for (let second = 0; second < 120; second += 1) seen.push(story.for(1).share('v@eu'));
    for (const [index, share] of seen.entries())
      assert.ok(share - (seen[index - 10] ?? 0) <= 100_000 + 10, `${seen[index - 10]} → ${share}`);
    assert.equal(seen.at(-1), 500_000);
    assert.ok((seen[30] ?? 0) < 400_000);
    assert.deepEqual(story.reasons('v@eu'), ['intent']);
  });

  test('that is to be released has nothing until then, and says so', () => {
    const story = new Story({ ...TWINS, clusters: { eu: { failback: { mode: 'manual', windowMs: 60_000 } } } });
    story.for(3, story.health({ eu: 'down' })).for(600, story.health({}));
    assert.deepEqual([story.share('v@eu'), story.reasons('v@eu')[0]], [0, 'awaiting_release']);
    story.change({ kind: 'release', cluster: 'eu' }).for(120);
    assert.equal(story.share('v@eu'), 500_000);
  });

  test('and flaps is kept out, but serves before anything is lost', () => {
    const story = new Story(TWINS);
    for (const states of [{ eu: 'down' }, {}, { eu: 'down' }, {}] as const) story.for(2, story.health(states));
    assert.deepEqual([story.share('v@eu'), story.reasons('v@eu')[0]], [0, 'flapping']);
    story.for(1, story.health({ us: 'down' }));
    assert.equal(story.share('v@eu'), MILLION);
  });

  test('is not taken to be all that is left: no more than half of the fleet is out for damping', () => {
    const story = new Story({ services: { shop: { versions: { v: { a: 1, b: 1, c: 1 } } } } });
    story.for(2, story.health({ a: 'down', b: 'down' })).for(1, story.health({ a: 'down' }));
    // Of three clusters a is gone: half of the fleet is 1.5, so b may be out by no more than a half, whatever its ramp says.
    assert.ok(Math.abs((story.planned.standings['b']?.ramp ?? 0) - 0.5) < 1e-9);
    assert.ok(story.reasons('v@b').includes('brake'));
  });

  test('what an operator asks for meanwhile is there at once', () => {
    const story = new Story({ services: { shop: { versions: { blue: { eu: 1 }, green: { us: 1 } } } } });
    story.for(3).change({ kind: 'shift', service: 'shop', percents: { green: 100 } });
    assert.deepEqual([story.share('blue@eu'), story.share('green@us')], [0, MILLION]);
  });
});

describe('capacity that moves', () => {
  test('moves shares by no more than ten points in ten seconds, and not for less than a point', () => {
    const story = new Story({ ...TWINS, clusters: declaring({ eu: 1000, us: 1000 }) }, { demand: { shop: 1000 } });
    assert.equal(story.share('v@eu'), 500_000);
    story.facts = { ...story.facts, capacity: { eu: agent('fresh', 620, 1000) } };
    story.for(1);
    assert.equal(story.share('v@eu'), 500_000, '0.4 points would not be worth it');
    story.for(1, { capacity: { eu: agent('fresh', 560, 2000) } });
    assert.equal(story.share('v@us'), 510_000, 'a point a second');
    story.for(20);
    assert.deepEqual([story.share('v@eu'), story.share('v@us')], [450_000, 550_000], '448,000 is less than a point away');
  });

  test('that falls below what a cluster has takes it away at once', () => {
    const story = new Story({ ...TWINS, clusters: declaring({ eu: 1000, us: 1000 }) }, { demand: { shop: 1000 } });
    story.for(1, { capacity: { eu: agent('fresh', 100, 1000) } });
    assert.ok(story.share('v@eu') <= 100_000);
  });

  test('of an agent that fell silent is frozen: for 180 s no share changes, and none rises', () => {
    const story = new Story(
      { ...TWINS, clusters: declaring({ eu: 1000, us: 1000 }) },
      { demand: { shop: 1000 }, capacity: { eu: agent('fresh', 300, 0) } },
    );
    story.for(30, { capacity: { eu: agent('fresh', 300, 1000) } });
    const before = story.share('v@eu');
    assert.equal(before, 240_000);
    for (let second = 0; second < 150; second += 1)
      assert.equal(story.for(1, { capacity: { eu: agent('stale', 300, 1000) } }).share('v@eu'), before);
    story.for(1, { demand: { shop: 500 } });
    assert.equal(story.share('v@eu'), before, 'there would be room for more');
    assert.ok(story.reasons('v@eu').includes('stale_capacity'));
    story.for(70, { demand: { shop: 1000 }, capacity: { eu: agent('absent', 300, 1000) } });
    assert.equal(story.share('v@eu'), 500_000, 'and then what is declared counts: a lost agent is not a lost cluster');
  });
});

describe('a place that answers worse than the same version elsewhere', () => {
  const seen = (errorRatio: number): ObservedView => ({
    clusters: {},
    targets: {
      [targetKey('shop', 'v', 'eu')]: { requests: 100, errorRatio },
      [targetKey('shop', 'v', 'us')]: { requests: 100, errorRatio: 0.01 },
    },
  });

  test('loses two points of its share for each point of excess at once, keeps a tenth, and gets it back slowly', () => {
    const story = new Story(TWINS).for(1, { observed: seen(0.31) });
    // 0.4 of one weight against 1 of the other.
    assert.equal(story.share('v@eu'), 285_714);
    assert.ok(story.reasons('v@eu').includes('errors'));
    story.for(1, { observed: seen(0.9) });
    assert.equal(story.share('v@eu'), 90_909);
    story.for(10, { observed: seen(0.01) });
    assert.ok(story.share('v@eu') < 250_000);
    story.for(80);
    assert.equal(story.share('v@eu'), 500_000);
  });

  test('is left alone when all answer as badly, or too few requests say so', () => {
    const all = {
      clusters: {},
      targets: { 'shop/v/eu': { requests: 100, errorRatio: 0.5 }, 'shop/v/us': { requests: 100, errorRatio: 0.5 } },
    };
    assert.equal(new Story(TWINS).for(5, { observed: all }).share('v@eu'), 500_000);
    const few = { clusters: {}, targets: { 'shop/v/eu': { requests: 19, errorRatio: 1 }, 'shop/v/us': { requests: 100, errorRatio: 0 } } };
    assert.equal(new Story(TWINS).for(5, { observed: few }).share('v@eu'), 500_000);
  });
});

describe('the panic threshold', () => {
  const sketch = (panicThreshold: number): Story => {
    const story = new Story({ services: { shop: { versions: { v: { a: 1, b: 1, c: 1, d: 1 } } } } });
    const shop = story.facts.services['shop'];
    assert.ok(shop !== undefined);
    story.facts = { ...story.facts, services: { shop: { ...shop, steer: { ...shop.steer, panicThreshold } } } };
    return story;
  };

  test('doubts health when less than that is healthy, and sends everywhere but into maintenance', () => {
    const story = sketch(0.5);
    story.for(1, story.health({ a: 'down', b: 'down' }));
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((name) => story.share(`v@${name}`)),
      [0, 0, 500_000, 500_000],
      'half is not less than half',
    );
    story.change({ kind: 'admin', cluster: 'd', state: 'maintenance' });
    story.for(1, story.health({ a: 'down', b: 'down' }));
    assert.equal(story.share('v@d'), 0);
    assert.deepEqual(story.reasons('v@a').slice(0, 1), ['panic']);
    assert.ok(story.share('v@a') > 300_000);
  });

  test('of 0 believes health until nothing is healthy', () => {
    const story = sketch(0);
    story.for(1, story.health({ a: 'down', b: 'down', c: 'down' }));
    assert.equal(story.share('v@d'), MILLION);
  });
});

test('nearest goes by the distance of regions, and on to the next when the near one is full', () => {
  const clusters = {
    near: { region: 'eu', capacity: { rps: 100, learn: false } },
    mid: { region: 'us', capacity: { rps: 100, learn: false } },
    far: { region: 'ap', capacity: { rps: 100, learn: false } },
    nowhere: {},
  };
  const sketch: FleetSketch = {
    services: { shop: { versions: { v: { far: 1, nowhere: 1, mid: 1, near: 1 } }, policy: 'nearest' } },
    clusters,
  };
  const story = new Story(sketch, { hostRegion: 'eu', regions: { us: { eu: 90 }, eu: { ap: 160 } }, demand: { shop: 150 } });
  assert.deepEqual(
    ['near', 'mid', 'far', 'nowhere'].map((name) => Math.round(story.share(`v@${name}`) / 10_000)),
    [53, 47, 0, 0],
  );
  story.for(1, story.health({ near: 'down' }));
  assert.deepEqual(
    ['near', 'mid', 'far', 'nowhere'].map((name) => Math.round(story.share(`v@${name}`) / 10_000)),
    [0, 53, 47, 0],
  );
});

test('the same past gives the same plan, shares sum exactly, closed and weightless places have nothing, and time alone moves nothing up too fast', () => {
  const state = fastCheck.constantFrom('up' as const, 'up' as const, 'up' as const, 'down' as const, 'unknown' as const);
  const step = fastCheck.record({
    a: state,
    b: state,
    c: state,
    demand: fastCheck.integer({ min: 0, max: 2500 }),
    capacity: fastCheck.integer({ min: 1, max: 2000 }),
    agent: fastCheck.constantFrom('fresh' as const, 'fresh' as const, 'stale' as const, 'absent' as const),
    seconds: fastCheck.integer({ min: 1, max: 20 }),
  });
  const sketch: FleetSketch = {
    services: { shop: { versions: { blue: { a: 2, b: 1, zero: 0 }, green: { b: 1, c: 1, shut: 3 } }, split: { blue: 3, green: 1 } } },
    clusters: declaring({ a: 800, b: 800 }),
  };
  fastCheck.assert(
    fastCheck.property(fastCheck.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
      const tell = (): readonly string[] => {
        const story = new Story(sketch).change({ kind: 'admin', cluster: 'shut', state: 'maintenance' });
        return steps.map(({ a, b, c, demand, capacity, agent: said, seconds }) => {
          const facts = { ...story.health({ a, b, c }), demand: { shop: demand }, capacity: { a: agent(said, capacity, story.nowMs) } };
          story.for(seconds, facts);
          const { targets, lost } = story.planned.plan.services['shop'] ?? { targets: [], lost: 0 };
          assert.equal(targets.reduce((sum, { effective }) => sum + effective, 0) + lost, MILLION);
          for (const { effective } of targets) assert.ok(Number.isInteger(effective) && effective >= 0);
          assert.equal(story.share('blue@zero'), 0);
          assert.equal(story.share('green@shut'), 0);
          return JSON.stringify(story.planned.plan.services);
        });
      };
      assert.deepEqual(tell(), tell());
    }),
    { seed: 42, numRuns: 150 },
  );
});

test('an undo gives nothing to a cluster that went down since, and its share when it is back', () => {
  const story = new Story({ services: { shop: { versions: { blue: { eu: 1, us: 1 } } } } }, { demand: { shop: 100 } });
  const history = [story.facts.intent];
  story.change({ kind: 'shift_clusters', service: 'shop', percents: { eu: 0, us: 100 } }).for(5);
  history.push(story.facts.intent);
  story.for(5, story.health({ eu: 'down' }));
  const outcome = undo(
    story.facts.intent,
    { to: 1 },
    { revisions: [], intentAt: (revision) => history[revision - 1] ?? null },
    story.facts,
  );
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
  story.facts = { ...story.facts, intent: outcome.intent };
  const targets = (): readonly (readonly [number, number])[] =>
    story.planned.plan.services['shop']?.targets.map(({ desired, effective }) => [desired, effective]) ?? [];
  story.for(5);
  assert.deepEqual(targets(), [
    [500_000, 0],
    [500_000, MILLION],
  ]);
  story.for(300, story.health({}));
  assert.deepEqual(targets(), [
    [500_000, 500_000],
    [500_000, 500_000],
  ]);
});

test('what is undone is undone in shares too, once time has passed', () => {
  const story = new Story({ services: { shop: { versions: { blue: { eu: 1, us: 1 }, green: { us: 1 } } } } }, { demand: { shop: 100 } });
  const before = JSON.stringify(story.planned.plan.services['shop']?.targets.map(({ effective }) => effective));
  const { intent } = story.facts;
  story.change({ kind: 'shift', service: 'shop', percents: { green: 40 } }).for(5);
  story.facts = { ...story.facts, intent };
  story.for(1);
  assert.equal(JSON.stringify(story.planned.plan.services['shop']?.targets.map(({ effective }) => effective)), before);
});
