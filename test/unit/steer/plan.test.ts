// The plan: from config, intent, health, capacity and demand to shares with their reasons.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fastCheck from 'fast-check';
import { MILLION, type ClusterConfig } from '../../../balancer/config/config.ts';
import { applyChange, type DirectChange } from '../../../balancer/intent/apply-change.ts';
import type { Intent } from '../../../balancer/intent/intent.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { plan, type PlanInput } from '../../../balancer/steer/plan.ts';
import type { HealthState, ServicePlan } from '../../../balancer/steer/plan-shape.ts';
import { clusterHealth, fleetConfig, healthView, type FleetSketch } from '../../support/fleet-config.ts';

const SHOP: FleetSketch = {
  services: { shop: { versions: { blue: { eu: 70, us: 30 }, green: { us: 1 } }, split: { blue: 90, green: 10 } } },
};
const UP = healthView({ eu: 'up', us: 'up' });

/** What a plan is made of beyond defaults; `rps`: what clusters declare that they can take. */
type Facts = Partial<PlanInput> & { readonly rps?: Readonly<Record<string, number>> };

function input(sketch: FleetSketch, { rps = {}, ...other }: Facts = {}, changes: readonly DirectChange[] = []): PlanInput {
  const declared = Object.entries(rps).map(([name, value]): [string, Partial<ClusterConfig>] => [
    name,
    { ...sketch.clusters?.[name], capacity: { rps: value, learn: false } },
  ]);
  const config = fleetConfig({ ...sketch, clusters: { ...sketch.clusters, ...Object.fromEntries(declared) } });
  const intent = changes.reduce((present: Intent, change) => {
    const outcome = applyChange(present, change, config);
    assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
    return outcome.intent;
  }, seedIntent(config, null).intent);
  return { ...config, intent, health: UP, capacity: {}, demand: {}, previous: null, nowMs: 0, ...other };
}

function service(of: PlanInput, name = 'shop'): ServicePlan {
  const found = plan(of).plan.services[name];
  assert.ok(found !== undefined, `no plan for ${name}`);
  return found;
}

/** `version@cluster` → effective share and reasons, for reading. */
function shares(of: ServicePlan): Readonly<Record<string, string>> {
  return Object.fromEntries(
    of.targets.map(({ version, cluster, effective, reasons }) => [`${version}@${cluster}`, `${effective} ${reasons.join('+')}`]),
  );
}

test('with all up, shares are split times weights', () => {
  assert.deepEqual(shares(service(input(SHOP))), { 'blue@eu': '630000 intent', 'blue@us': '270000 intent', 'green@us': '100000 intent' });
});

describe('what operators close', () => {
  test('a drained cluster hands its part of a version to the other clusters of that version', () => {
    const drained = service(input(SHOP, {}, [{ kind: 'admin', cluster: 'eu', state: 'drain' }]));
    assert.deepEqual(shares(drained), { 'blue@eu': '0 drain', 'blue@us': '900000 intent', 'green@us': '100000 intent' });
    assert.equal(drained.targets[0]?.desired, 0, 'it is the intent that moved, not health');
  });

  test('a version that is nowhere gives its share to the others', () => {
    const closed = service(input(SHOP, {}, [{ kind: 'admin', cluster: 'us', state: 'maintenance' }]));
    assert.deepEqual(shares(closed), { 'blue@eu': '1000000 redistributed', 'blue@us': '0 maintenance', 'green@us': '0 maintenance' });
  });

  test('a dial multiplies the weight of a cluster', () => {
    const dialled = service(input(SHOP, {}, [{ kind: 'dial', cluster: 'eu', percent: 50 }]));
    // blue: 35 to 30 of 900,000; equal remainders do not occur, so largest remainder decides.
    assert.deepEqual(shares(dialled), { 'blue@eu': '484615 dial', 'blue@us': '415385 intent', 'green@us': '100000 intent' });
  });

  test('a drained last resort is used before anything is lost, and not earlier', () => {
    const sketch: FleetSketch = { ...SHOP, clusters: { eu: { lastResort: true } } };
    const drain: DirectChange = { kind: 'admin', cluster: 'eu', state: 'drain' };
    assert.equal(shares(service(input(sketch, {}, [drain])))['blue@eu'], '0 drain+standby');
    const lost = service(input(sketch, { health: healthView({ eu: 'up', us: 'down' }) }, [drain]));
    assert.equal(shares(lost)['blue@eu'], '1000000 drain+redistributed');
    assert.equal(lost.lost, 0);
  });
});

describe('health', () => {
  test('a cluster that is down loses its share at once', () => {
    const planned = service(input(SHOP, { health: healthView({ eu: 'down', us: 'up' }) }));
    assert.deepEqual(shares(planned), { 'blue@eu': '0 cluster_down', 'blue@us': '900000 redistributed', 'green@us': '100000 intent' });
  });

  test('an ejected version leaves the other version in that cluster alone', () => {
    const planned = service(input(SHOP, { health: healthView({ eu: 'up', us: 'up' }, ['shop/green/us']) }));
    assert.deepEqual(shares(planned), {
      'blue@eu': '700000 redistributed',
      'blue@us': '300000 redistributed',
      'green@us': '0 target_ejected',
    });
  });

  test('a cluster carries its whole share until less than 71.4 % of its endpoints are healthy', () => {
    const eu = (healthy: number, total: number) =>
      service(input(SHOP, { health: healthView({ eu: clusterHealth(healthy, total), us: 'up' }) })).targets[0]?.effective;
    assert.equal(eu(5, 7), 630_000);
    // 1.4 * 1/2 of weight 70 is 49; of 79 it has 900,000 * 49 / 79.
    assert.equal(eu(1, 2), Math.round((900_000 * 49) / 79));
  });

  test('what was never checked takes nothing, unless nothing was checked: then all do', () => {
    assert.equal(shares(service(input(SHOP, { health: healthView({ eu: 'unknown', us: 'up' }) })))['blue@eu'], '0 cluster_down');
    assert.equal(shares(service(input(SHOP, { health: healthView({}) })))['blue@eu'], '630000 intent');
    assert.equal(shares(service(input(SHOP, { health: healthView({ eu: 'unknown', us: 'unknown' }) })))['blue@eu'], '630000 intent');
  });

  test('a cluster without a probe counts as up until traffic says otherwise', () => {
    const sketch: FleetSketch = { ...SHOP, clusters: { eu: { health: null } } };
    assert.equal(shares(service(input(sketch, { health: healthView({ us: 'up' }) })))['blue@eu'], '630000 intent');
  });

  test('with everything down, requests still go where the intent says, except into maintenance', () => {
    const health = healthView({ eu: 'down', us: 'down' });
    const planned = service(input(SHOP, { health }));
    assert.deepEqual(shares(planned), {
      'blue@eu': '630000 panic+cluster_down',
      'blue@us': '270000 panic+cluster_down',
      'green@us': '100000 panic+cluster_down',
    });
    const maintained = service(input(SHOP, { health }, [{ kind: 'admin', cluster: 'us', state: 'maintenance' }]));
    assert.deepEqual(shares(maintained), {
      'blue@eu': '1000000 panic+cluster_down',
      'blue@us': '0 maintenance',
      'green@us': '0 maintenance',
    });
  });

  test('onUnavailable decides: fail loses the share, hold keeps it', () => {
    const declared = (onUnavailable: 'fail' | 'hold') => {
      const sketch: FleetSketch = { services: { shop: { versions: { blue: { eu: 70, us: 30 } }, onUnavailable } } };
      return service(input(sketch, { health: healthView({ eu: 'down', us: 'up' }) }));
    };
    assert.deepEqual(shares(declared('fail')), { 'blue@eu': '0 cluster_down', 'blue@us': '300000 intent' });
    assert.equal(declared('fail').lost, 700_000);
    assert.deepEqual(shares(declared('hold')), { 'blue@eu': '700000 held+cluster_down', 'blue@us': '300000 intent' });
    assert.equal(declared('hold').lost, 0);
  });
});

describe('priorities', () => {
  const sketch = (policy: 'priority' | 'weighted' | 'nearest'): FleetSketch => ({
    services: { shop: { versions: { blue: { eu: 1, us: { priority: 1, weight: 3 }, asia: { priority: 1, weight: 1 } } }, policy } },
  });
  const states = (eu: HealthState) => healthView({ eu, us: 'up', asia: 'up' });

  for (const policy of ['priority', 'nearest'] as const) {
    test(`policy ${policy} uses the lowest one first and spills to the next`, () => {
      assert.deepEqual(shares(service(input(sketch(policy), { health: states('up') }))), {
        'blue@eu': '1000000 intent',
        'blue@us': '0 standby',
        'blue@asia': '0 standby',
      });
      assert.deepEqual(shares(service(input(sketch(policy), { health: states('down') }))), {
        'blue@eu': '0 cluster_down',
        'blue@us': '750000 redistributed',
        'blue@asia': '250000 redistributed',
      });
    });
  }

  test('policy weighted goes by weights alone', () => {
    assert.deepEqual(shares(service(input(sketch('weighted'), { health: states('up') }))), {
      'blue@eu': '200000 intent',
      'blue@us': '600000 intent',
      'blue@asia': '200000 intent',
    });
  });
});

describe('capacity', () => {
  const twin = (policy: 'capacity' | 'weighted'): FleetSketch => ({ services: { shop: { versions: { blue: { eu: 1, us: 1 } }, policy } } });
  const known = { rps: { eu: 400, us: 1000 }, demand: { shop: 1000 } };

  test('unknown, or without demand, bounds nothing', () => {
    assert.deepEqual(
      service(input(twin('capacity'), { rps: { eu: 1 } })).targets.map(({ limit }) => limit),
      [null, null],
    );
    assert.deepEqual(
      service(input(twin('capacity'), { demand: { shop: 1000 } })).targets.map(({ limit }) => limit),
      [null, null],
    );
  });

  test('policy capacity hands on what is above 80 % of it', () => {
    assert.deepEqual(shares(service(input(twin('capacity'), known))), { 'blue@eu': '320000 capacity', 'blue@us': '680000 redistributed' });
  });

  test('policy weighted leaves own shares alone, and bounds only what a cluster receives', () => {
    assert.deepEqual(shares(service(input(twin('weighted'), known))), { 'blue@eu': '500000 intent', 'blue@us': '500000 intent' });
    const planned = service(
      input(twin('weighted'), { ...known, rps: { eu: 1000, us: 700 }, health: healthView({ eu: 'down', us: 'up' }) }),
    );
    assert.deepEqual(shares(planned), { 'blue@eu': '0 cluster_down', 'blue@us': '700000 capacity+redistributed' });
    assert.equal(planned.lost, 300_000);
  });

  test('a dial turns it down with the weight', () => {
    const planned = service(
      input(twin('capacity'), { rps: { us: 1000 }, demand: { shop: 1000 } }, [{ kind: 'dial', cluster: 'us', percent: 50 }]),
    );
    assert.equal(planned.targets[1]?.limit, 500_000);
  });

  test('of a cluster is never given out twice, whatever several services need of it', () => {
    const place = fastCheck.record({ eu: fastCheck.integer({ min: 0, max: 5 }), us: fastCheck.integer({ min: 1, max: 5 }) });
    const rates = fastCheck.integer({ min: 0, max: 2000 });
    const states = fastCheck.constantFrom('up' as const, 'down' as const);
    fastCheck.assert(
      fastCheck.property(
        place,
        place,
        fastCheck.tuple(rates, rates, rates, rates),
        fastCheck.tuple(states, states),
        (shop, mail, [a, b, eu, us], [first, second]) => {
          const sketch: FleetSketch = { services: { shop: { versions: { blue: shop } }, mail: { versions: { one: mail } } } };
          const demand: Readonly<Record<string, number>> = { shop: a, mail: b };
          const rps: Readonly<Record<string, number>> = { eu, us };
          const { services } = plan(input(sketch, { rps, demand, health: healthView({ eu: first, us: second }) })).plan;
          for (const cluster of ['eu', 'us']) {
            const allowed = Object.values(services).flatMap(({ service: name, targets }) =>
              targets
                .filter((each) => each.cluster === cluster && each.limit !== null && each.limit < MILLION)
                .map(({ limit }) => ((limit ?? 0) * (demand[name] ?? 0)) / MILLION),
            );
            // Limits of a whole million are cut down to it, so they say nothing about what was given out.
            const total = allowed.reduce((sum, each) => sum + each, 0);
            assert.ok(total <= (rps[cluster] ?? 0) + 0.01, `${total} of ${rps[cluster]} in ${cluster}`);
          }
        },
      ),
      { seed: 42, numRuns: 200 },
    );
  });

  test('that no service needs goes to the one that is short of it', () => {
    const sketch: FleetSketch = { services: { shop: { versions: { blue: { eu: 1, us: 1 } } }, mail: { versions: { one: { us: 1 } } } } };
    const planned = service(input(sketch, { rps: { eu: 300, us: 1000 }, demand: { shop: 800, mail: 500 } }));
    // eu can take 300 of the 400 that shop wants there. us has 100 to spare beside 400 and 500: shop has to get all of it, not its part of 4:5.
    assert.deepEqual(
      planned.targets.map(({ effective }) => effective),
      [375_000, 625_000],
    );
  });

  test('that one service does not need goes to the one that is short', () => {
    const sketch: FleetSketch = { services: { shop: { versions: { blue: { eu: 1, us: 1 } } }, mail: { versions: { one: { us: 1 } } } } };
    const planned = service(
      input(sketch, { rps: { us: 1000 }, demand: { shop: 800, mail: 200 }, health: healthView({ eu: 'down', us: 'up' }) }),
    );
    assert.equal(planned.lost, 0);
    assert.equal(planned.targets[1]?.effective, MILLION);
  });
});

test('a service without any weight has nowhere to send and loses everything', () => {
  const planned = service(input({ services: { shop: { versions: { blue: { eu: 0 } } } } }));
  assert.equal(planned.lost, MILLION);
  assert.deepEqual(shares(planned), { 'blue@eu': '0 intent' });
});

test('desired and effective shares sum exactly and maintenance gets nothing, for any health and admin states', () => {
  const states = fastCheck.constantFrom('up' as const, 'down' as const, 'unknown' as const, 'degraded' as const);
  const admins = fastCheck.constantFrom('active' as const, 'active' as const, 'drain' as const, 'maintenance' as const);
  const one = fastCheck.record({
    state: states,
    admin: admins,
    dialPercent: fastCheck.integer({ min: 0, max: 100 }),
    lastResort: fastCheck.boolean(),
  });
  fastCheck.assert(
    fastCheck.property(
      one,
      one,
      one,
      fastCheck.constantFrom('redistribute' as const, 'fail' as const, 'hold' as const),
      (a, b, c, onUnavailable) => {
        const made = new Map(Object.entries({ a, b, c }));
        const sketch: FleetSketch = {
          services: {
            shop: {
              versions: { blue: { a: 3, b: { weight: 2, priority: 1 } }, green: { b: 1, c: 1 } },
              split: { blue: 2, green: 1 },
              onUnavailable,
            },
          },
          clusters: { a: { lastResort: a.lastResort }, b: { lastResort: b.lastResort }, c: { lastResort: c.lastResort } },
        };
        const of = input(sketch, { health: healthView({ a: a.state, b: b.state, c: c.state }) });
        const { targets, lost } = service({ ...of, intent: { ...of.intent, clusters: Object.fromEntries(made) } });
        assert.equal(
          targets.reduce((sum, { desired }) => sum + desired, 0),
          MILLION,
        );
        assert.equal(targets.reduce((sum, { effective }) => sum + effective, 0) + lost, MILLION);
        for (const { cluster, effective, reasons } of targets) {
          assert.ok(reasons.length > 0);
          if (made.get(cluster)?.admin === 'maintenance') assert.equal(effective, 0);
        }
      },
    ),
    { seed: 42, numRuns: 500 },
  );
});

test('what rules send to a cluster before the split is not there for the shares, and capacity says so', () => {
  const two: FleetSketch = { services: { shop: { versions: { blue: { eu: 1, us: 1 } } } } };
  const facts = { rps: { eu: 100, us: 100 }, demand: { shop: 100 } };
  assert.equal(service(input(two, facts)).targets[0]?.effective, 500_000);
  const pressed = service(input(two, { ...facts, assigned: { eu: 90 } }));
  assert.ok((pressed.targets[0]?.effective ?? 1) < 200_000, JSON.stringify(shares(pressed)));
  assert.equal(pressed.shed, 0);
});

test('what is copied to a version has the places of that version, and what is spare there by the plan, in steps of a twentieth', () => {
  const sketch: FleetSketch = { services: { shop: { versions: { blue: { eu: 1 }, green: { us: 3 } }, split: { blue: 3, green: 1 } } } };
  const mirrored = (of: PlanInput): PlanInput => {
    const mirror = {
      to: 'green',
      share: MILLION,
      methods: ['GET'],
      timeoutMs: 1000,
      concurrency: 16,
      credentials: 'keep',
      compare: null,
    } as const;
    const shop = of.services['shop'];
    assert.ok(shop !== undefined);
    return { ...of, services: { shop: { ...shop, mirror } } };
  };
  const [blue, green] = service(mirrored(input(sketch, { rps: { us: 100 }, demand: { shop: 150 } }))).targets;
  // Of 100 requests a second 37.5 are taken.
  assert.deepEqual([blue?.within, blue?.spareRps, green?.within, green?.spareRps], [undefined, undefined, MILLION, 60]);
  const unknown = service(mirrored(input(sketch, { demand: { shop: 150 } }))).targets[1];
  assert.deepEqual([unknown?.within, unknown?.spareRps], [MILLION, undefined]);
});
