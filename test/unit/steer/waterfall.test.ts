// All services against the capacity of all clusters: the target utilisation first, tiers by preference, chains of moves, then overload.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fastCheck from 'fast-check';
import { MILLION, PRIORITY_CLASSES, type ClusterConfig } from '../../../balancer/config/config.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { headroomText, losses, spills } from '../../../balancer/steer/headroom.ts';
import { shedByClass } from '../../../balancer/steer/overload.ts';
import { plan, type Planned, type PlanInput } from '../../../balancer/steer/plan.ts';
import { fleetConfig, healthView, type FleetSketch, type ServiceSketch } from '../../support/fleet-config.ts';

interface Fleet {
  readonly services: Readonly<Record<string, ServiceSketch>>;
  readonly rps: Readonly<Record<string, number>>;
  readonly demand: Readonly<Record<string, number>>;
  readonly down?: readonly string[];
  readonly clusters?: FleetSketch['clusters'];
  readonly other?: Partial<PlanInput>;
}

function planned({ services, rps, demand, down = [], clusters = {}, other = {} }: Fleet): Planned {
  const declaring = Object.entries(rps).map(([name, value]): [string, Partial<ClusterConfig>] => [
    name,
    { ...clusters[name], capacity: { rps: value, learn: false } },
  ]);
  const config = fleetConfig({ services, clusters: { ...clusters, ...Object.fromEntries(declaring) } });
  const { intent } = seedIntent(config, null);
  const health = healthView(Object.fromEntries(Object.keys(config.clusters).map((name) => [name, down.includes(name) ? 'down' : 'up'])));
  return plan({ ...config, intent, health, capacity: {}, demand, previous: null, nowMs: 0, ...other });
}

/** Requests per second at each cluster by the shares of the plan. */
function loadsOf({ plan: { services } }: Planned, demand: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const loads: Record<string, number> = {};
  for (const { service, targets } of Object.values(services))
    for (const { cluster, effective } of targets) loads[cluster] = (loads[cluster] ?? 0) + ((demand[service] ?? 0) * effective) / MILLION;
  return loads;
}

function shares({ plan: { services } }: Planned, service: string): readonly number[] {
  return services[service]?.targets.map(({ effective }) => effective) ?? [];
}

const both = (policy: ServiceSketch['policy'] = 'capacity'): ServiceSketch => ({ versions: { v: { eu: 1, us: 1 } }, policy });

describe('the waterfall', () => {
  test('fills a tier to 80 % of its capacity, then the next, then both to all of it', () => {
    const services = { shop: { versions: { v: { near: 1, far: { priority: 1 } } }, policy: 'priority' as const } };
    const rps = { near: 1000, far: 1000 };
    const at = (load: number): readonly number[] => shares(planned({ services, rps, demand: { shop: load } }), 'shop');
    assert.deepEqual(at(800), [1_000_000, 0]);
    assert.deepEqual(at(1000), [800_000, 200_000]);
    assert.deepEqual(at(1600), [500_000, 500_000]);
    assert.deepEqual(at(2000), [500_000, 500_000]);
    assert.deepEqual(at(1700), [529_412, 470_588], 'above that the lower tier is filled first');
  });

  test('a cluster without known capacity has room for all', () => {
    const fleet = { services: { shop: both() }, rps: { eu: 100 }, demand: { shop: 1000 } };
    assert.deepEqual(shares(planned(fleet), 'shop'), [80_000, 920_000]);
  });

  test('others move on where that makes room: nothing is refused while the fleet can take it', () => {
    const services: Fleet['services'] = {
      shop: { versions: { v: { a: 1, b: 1 } } },
      mail: { versions: { v: { b: 1, c: 1 } } },
      wiki: { versions: { v: { c: 1, d: 1 } } },
    };
    const demand = { shop: 100, mail: 100, wiki: 100 };
    const fleet = planned({ services, rps: { a: 100, b: 100, c: 100, d: 100 }, demand, down: ['a'] });
    assert.deepEqual(loadsOf(fleet, demand), { a: 0, b: 100, c: 100, d: 100 });
    for (const { lost } of Object.values(fleet.plan.services)) assert.equal(lost, 0);
  });

  test('services share what is left of a cluster by what each asks of it', () => {
    const services: Fleet['services'] = { shop: { versions: { v: { a: 1, c: 1 } } }, mail: { versions: { v: { b: 1, c: 1 } } } };
    const demand = { shop: 300, mail: 100 };
    const fleet = planned({ services, rps: { a: 50, b: 50, c: 200 }, demand });
    // Of 400 for 300, c takes in all it can; whoever asks more gets more.
    const refused = Object.values(fleet.plan.services).map(({ service, shed }) => (shed * demand[service as 'shop' | 'mail']) / MILLION);
    assert.ok(Math.abs(refused.reduce((sum, each) => sum + each, 0) - 100) < 0.01);
    assert.deepEqual(Object.values(loadsOf(fleet, demand)).map(Math.round), [50, 200, 50]);
  });
});

describe('overload', () => {
  const rps = { eu: 300, us: 300 };

  test('refuses the excess and no more', () => {
    const fleet = planned({ services: { shop: both() }, rps, demand: { shop: 1000 } });
    assert.deepEqual([shares(fleet, 'shop'), fleet.plan.services['shop']?.shed], [[300_000, 300_000], 400_000]);
  });

  test('with spread sends everything all the same', () => {
    const config = fleetConfig({
      services: { shop: both() },
      clusters: { eu: { capacity: { rps: 300, learn: false } }, us: { capacity: { rps: 300, learn: false } } },
    });
    const shop = config.services['shop'];
    assert.ok(shop !== undefined);
    const services = { shop: { ...shop, steer: { ...shop.steer, overload: 'spread' as const } } };
    const health = healthView({ eu: 'up', us: 'up' });
    const { intent } = seedIntent(config, null);
    const input = { ...config, services, intent, health, capacity: {}, demand: { shop: 1000 }, previous: null, nowMs: 0 };
    const { targets, lost } = plan(input).plan.services['shop'] ?? { targets: [], lost: -1 };
    assert.deepEqual([targets.map(({ effective }) => effective), lost], [[500_000, 500_000], 0]);
  });

  test('refuses the lowest class first, and of a class only a part', () => {
    const classes = { critical: 100_000, normal: 500_000, low: 400_000 };
    assert.deepEqual(shedByClass(200_000, classes), { critical: 0, high: 0, normal: 0, low: 0.5 });
    assert.deepEqual(shedByClass(650_000, classes), { critical: 0, high: 0, normal: 0.5, low: 1 });
    assert.deepEqual(shedByClass(MILLION, classes), { critical: 1, high: 0, normal: 1, low: 1 });
  });

  test('of all services together the lowest class goes first', () => {
    const services = { shop: { versions: { v: { eu: 1 } } }, batch: { versions: { v: { eu: 1 } } } };
    const classDemand = { shop: { critical: 200 }, batch: { low: 200 } };
    const fleet = planned({ services, rps: { eu: 300 }, demand: { shop: 200, batch: 200 }, other: { classDemand } });
    assert.deepEqual([fleet.plan.services['shop']?.shed, fleet.plan.services['batch']?.shed], [0, 500_000]);
  });

  test('weights that operators insist on are not moved or refused for capacity; what comes from elsewhere is', () => {
    const fleet = planned({ services: { shop: both('weighted') }, rps, demand: { shop: 1000 } });
    assert.deepEqual([shares(fleet, 'shop'), fleet.plan.services['shop']?.lost], [[500_000, 500_000], 0]);
    const moved = planned({ services: { shop: both('weighted') }, rps, demand: { shop: 500 }, down: ['us'] });
    assert.deepEqual([shares(moved, 'shop'), moved.plan.services['shop']?.shed], [[600_000, 0], 400_000]);
  });
});

test('for any fleet: sums are exact, no cluster is above its capacity, and what is refused is exactly what cannot be placed', () => {
  const places = fastCheck.uniqueArray(fastCheck.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 3 });
  const service = fastCheck.record({ places, weight: fastCheck.integer({ min: 1, max: 5 }), rps: fastCheck.integer({ min: 0, max: 900 }) });
  const rates = fastCheck.tuple(...['a', 'b', 'c', 'd'].map(() => fastCheck.integer({ min: 1, max: 1000 })));
  fastCheck.assert(
    fastCheck.property(fastCheck.array(service, { minLength: 1, maxLength: 5 }), rates, (sketches, [a = 1, b = 1, c = 1, d = 1]) => {
      const rps: Readonly<Record<string, number>> = { a, b, c, d };
      const services = Object.fromEntries(
        sketches.map(({ places: names, weight }, index) => [
          `s${index}`,
          { versions: { v: Object.fromEntries(names.map((name, at) => [name, at === 0 ? weight : 1])) } },
        ]),
      );
      const demand = Object.fromEntries(sketches.map((sketch, index) => [`s${index}`, sketch.rps]));
      const fleet = planned({ services, rps, demand });
      let refused = 0;
      for (const { service: name, targets, lost, shed } of Object.values(fleet.plan.services)) {
        assert.equal(targets.reduce((sum, { effective }) => sum + effective, 0) + lost, MILLION);
        assert.equal(shed, lost);
        refused += ((demand[name] ?? 0) * shed) / MILLION;
      }
      // A millionth of 900 requests a second, of each of five services.
      for (const [name, load] of Object.entries(loadsOf(fleet, demand))) assert.ok(load <= (rps[name] ?? 0) + 0.01, `${load} at ${name}`);
      const most = largestServed(
        sketches.map(({ places: names, rps: wanted }) => ({ names, wanted })),
        rps,
      );
      const total = sketches.reduce((sum, sketch) => sum + sketch.rps, 0);
      assert.ok(Math.abs(total - most - refused) <= 0.02 * total * 0.01 + 0.01, `${refused} refused, ${total - most} had to be`);
    }),
    { seed: 42, numRuns: 300 },
  );
});

/** By the theorem of Hall and Gale: the least, over all sets of services, of what is outside the set and what its clusters can take. */
function largestServed(
  services: readonly { readonly names: readonly string[]; readonly wanted: number }[],
  rps: Readonly<Record<string, number>>,
): number {
  let least = Infinity;
  for (let set = 0; set < 1 << services.length; set += 1) {
    const clusters = new Set(services.flatMap(({ names }, index) => ((set >> index) & 1 ? names : [])));
    const inside = [...clusters].reduce((sum, name) => sum + (rps[name] ?? 0), 0);
    const outside = services.reduce((sum, { wanted }, index) => sum + ((set >> index) & 1 ? 0 : wanted), 0);
    least = Math.min(least, inside + outside);
  }
  return least;
}

test('classes are refused in the order of their priority whatever is known of them', () => {
  const share = fastCheck.integer({ min: 0, max: 250_000 });
  fastCheck.assert(
    fastCheck.property(fastCheck.tuple(share, share, share, share), fastCheck.integer({ min: 0, max: MILLION }), (parts, shed) => {
      const classes = Object.fromEntries(PRIORITY_CLASSES.map((name, index) => [name, parts[index] ?? 0]));
      const refused = shedByClass(shed, classes);
      const total = PRIORITY_CLASSES.reduce((sum, name) => sum + (classes[name] ?? 0) * refused[name], 0);
      assert.ok(
        Math.abs(
          total -
            Math.min(
              shed,
              parts.reduce((sum, part) => sum + part, 0),
            ),
        ) < 1e-3,
      );
      for (const [index, name] of PRIORITY_CLASSES.entries()) {
        const lower = PRIORITY_CLASSES.slice(index + 1).filter((other) => (classes[other] ?? 0) > 0);
        if (refused[name] > 0) for (const other of lower) assert.equal(refused[other], 1);
      }
    }),
    { seed: 42, numRuns: 300 },
  );
});

describe('where the requests of a lost cluster would go', () => {
  const services = { shop: { versions: { v: { eu: 2, us: 1, ap: 1 } } } };
  const answer = (rps: Readonly<Record<string, number>>, wanted: readonly string[]): ReturnType<typeof spills> => {
    const { loads } = planned({ services, rps, demand: { shop: 800 } });
    assert.ok(loads);
    return spills(loads, new Set(wanted)).map((one) => ({
      ...one,
      to: one.to.map(({ cluster, rps: more }) => ({ cluster, rps: Math.round(more) })),
    }));
  };

  test('to those that have room, the most first, and for the rest there is none', () => {
    assert.deepEqual(answer({ eu: 1000, us: 500, ap: 250 }, ['eu']), [
      {
        cluster: 'eu',
        rps: 400,
        to: [
          { cluster: 'us', rps: 300 },
          { cluster: 'ap', rps: 50 },
        ],
        shedRps: 50,
      },
    ]);
  });

  test('of those that are asked about and have any', () => {
    assert.deepEqual(
      answer({ eu: 1000, us: 1000, ap: 1000 }, ['ap', 'nowhere']).map(({ cluster }) => cluster),
      ['ap'],
    );
    assert.deepEqual(
      answer({ eu: 1000, us: 1000, ap: 1000 }, ['ap'])[0]
        ?.to.map(({ cluster }) => cluster)
        .toSorted(),
      ['eu', 'us'],
    );
  });
});

describe('can any one cluster be lost', () => {
  const services = { shop: { versions: { v: { eu: 2, us: 1 } } } };
  const answer = (fleet: Fleet): string => {
    const { loads } = planned(fleet);
    return headroomText(loads === null ? null : losses(loads));
  };

  test('yes, when the others can take what it has', () => {
    assert.match(answer({ services, rps: { eu: 1000, us: 1000 }, demand: { shop: 900 } }), /^yes/);
  });

  test('no, with what would be refused', () => {
    assert.equal(
      answer({ services, rps: { eu: 1000, us: 500 }, demand: { shop: 900 } }),
      'no: without eu, 400 of its 600 requests a second would be refused',
    );
  });

  test('counts what others can move on to make room', () => {
    const chain = { shop: { versions: { v: { a: 1, b: 1 } } }, mail: { versions: { v: { b: 1, c: 1 } } } };
    assert.match(answer({ services: chain, rps: { a: 100, b: 100, c: 100 }, demand: { shop: 100, mail: 100 } }), /^yes/);
  });

  test('unknown, while no capacity is', () => {
    assert.match(answer({ services, rps: {}, demand: { shop: 900 } }), /^unknown/);
  });
});
