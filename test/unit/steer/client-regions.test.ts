// Clients of each region have shares of their own, measured from there, and all of them together fill no cluster twice.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fastCheck from 'fast-check';
import { MILLION } from '../../../balancer/config/config.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { plan, type PlanFacts, type PlanMemory } from '../../../balancer/steer/plan.ts';
import { UNKNOWN_REGION, type Plan, type ServicePlan } from '../../../balancer/steer/plan-shape.ts';
import { fleetConfig, healthView, type FleetSketch } from '../../support/fleet-config.ts';

const CAPACITY = { eu: 100, us: 100, ap: 50 };
const REGIONS = { eu: { us: 90, ap: 160 }, us: { ap: 120 } };

const SHOP: FleetSketch = { services: { shop: { versions: { blue: { eu: 1, us: 1, ap: 1 } }, policy: 'nearest' } } };

function facts(sketch: FleetSketch, more: Partial<PlanFacts> = {}): PlanFacts {
  const of = (region: keyof typeof CAPACITY): object => ({ region, capacity: { rps: CAPACITY[region], learn: false } });
  const config = fleetConfig({ ...sketch, clusters: { eu: of('eu'), us: of('us'), ap: of('ap') } });
  const { intent } = seedIntent(config, null);
  const geography = { hostRegion: 'eu', regions: REGIONS, clientRegions: ['ap', 'us'] };
  return { ...config, intent, health: healthView({ eu: 'up', us: 'up', ap: 'up' }), capacity: {}, demand: {}, ...geography, ...more };
}

function planOf(input: PlanFacts, previous: PlanMemory | null = null, nowMs = 0): { readonly plan: Plan; readonly memory: PlanMemory } {
  return plan({ ...input, previous, nowMs });
}

function service(of: Plan, name = 'shop'): ServicePlan {
  const found = of.services[name];
  assert.ok(found !== undefined);
  return found;
}

/** Whole percents by cluster. */
function shares(of: ServicePlan | undefined): Readonly<Record<string, number>> {
  return Object.fromEntries((of?.targets ?? []).map(({ cluster, effective }) => [cluster, Math.round(effective / 10_000)]));
}

describe('shares by the region of the client', () => {
  test('begin at the places that are near to it, and those of unknown clients at the ones near to the host', () => {
    const { regions } = service(planOf(facts(SHOP)).plan);
    assert.deepEqual(Object.keys(regions ?? {}), [UNKNOWN_REGION, 'ap', 'us']);
    assert.deepEqual(shares(regions?.[UNKNOWN_REGION]), { eu: 100, us: 0, ap: 0 });
    assert.deepEqual(shares(regions?.['us']), { eu: 0, us: 100, ap: 0 });
    assert.deepEqual(shares(regions?.['ap']), { eu: 0, us: 0, ap: 100 });
  });

  test('go on to the next nearest from there when the near place is lost, and nobody else moves', () => {
    const { regions } = service(planOf(facts(SHOP, { health: healthView({ eu: 'up', us: 'up', ap: 'down' }) })).plan);
    assert.deepEqual(shares(regions?.['ap']), { eu: 0, us: 100, ap: 0 });
    assert.deepEqual(shares(regions?.['us']), { eu: 0, us: 100, ap: 0 });
    assert.deepEqual(shares(regions?.[UNKNOWN_REGION]), { eu: 100, us: 0, ap: 0 });
  });

  test('come together to those of the service, as much as each has of the requests', () => {
    const regionDemand = { shop: { [UNKNOWN_REGION]: 2, us: 1, ap: 1 } };
    const input = facts(SHOP, { demand: { shop: 10 }, regionDemand });
    assert.deepEqual(shares(service(planOf(input).plan)), { eu: 50, us: 25, ap: 25 });
  });

  test('stay where they are when other clients come, which changes only what all come to', () => {
    const first = planOf(facts(SHOP, { demand: { shop: 10 }, regionDemand: { shop: { us: 10 } } }));
    const later = facts(SHOP, { demand: { shop: 10 }, regionDemand: { shop: { us: 5, ap: 5 } } });
    const { plan: second } = planOf(later, first.memory, 1000);
    assert.deepEqual(shares(service(first.plan)), { eu: 0, us: 100, ap: 0 });
    assert.deepEqual(shares(service(second)), { eu: 0, us: 50, ap: 50 });
    assert.deepEqual(shares(service(second).regions?.['us']), shares(service(first.plan).regions?.['us']));
  });

  test('rise no faster than those of a service: a region whose place comes back waits for its ramp', () => {
    const regionDemand = { shop: { us: 1, ap: 1 } };
    const down = planOf(facts(SHOP, { demand: { shop: 10 }, regionDemand, health: healthView({ eu: 'up', us: 'up', ap: 'down' }) }));
    const { plan: back } = planOf(facts(SHOP, { demand: { shop: 10 }, regionDemand }), down.memory, 1000);
    const ap = service(back).regions?.['ap'];
    assert.ok((shares(ap)['ap'] ?? 100) <= 10, JSON.stringify(shares(ap)));
    assert.ok(ap?.targets.find(({ cluster }) => cluster === 'ap')?.reasons.includes('ramp'));
  });

  test('fill a cluster that is near to one region with its clients first, and spill over to the next nearest of each', () => {
    // 150 requests a second from the us, where 100 find room: 80 up to the target utilisation, the next ones in eu, and so on.
    const { plan: made } = planOf(facts(SHOP, { demand: { shop: 160 }, regionDemand: { shop: { us: 150, ap: 10 } } }));
    const { regions } = service(made);
    assert.deepEqual(shares(regions?.['ap']), { eu: 0, us: 0, ap: 100 });
    const us = shares(regions?.['us']);
    assert.deepEqual([us['us'], us['eu']], [53, 47]);
  });

  test('never come to more than a cluster can take while all together can', () => {
    const amount = fastCheck.integer({ min: 0, max: 120 });
    fastCheck.assert(
      fastCheck.property(amount, amount, amount, amount, (here, us, ap, other) => {
        const total = here + us + ap;
        fastCheck.pre(total > 0 && total + other <= 250);
        const two = { services: { ...SHOP.services, cart: { versions: { v: { eu: 1, us: 1, ap: 1 } } } } };
        const regionDemand = { shop: { [UNKNOWN_REGION]: here, us, ap } };
        const { plan: made } = planOf(facts(two, { demand: { shop: total, cart: other }, regionDemand }));
        const parts: Readonly<Record<string, number>> = regionDemand.shop;
        const { regions = {} } = service(made);
        const loads: Record<string, number> = {};
        const add = ({ targets }: ServicePlan, rps: number): void => {
          for (const { cluster, effective } of targets) loads[cluster] = (loads[cluster] ?? 0) + (effective * rps) / MILLION;
        };
        for (const [region, of] of Object.entries(regions)) {
          assert.equal(
            of.targets.reduce((sum, { effective }) => sum + effective, of.lost),
            MILLION,
          );
          assert.equal(of.lost, 0);
          add(of, parts[region] ?? 0);
        }
        const sum = { ...loads };
        add(service(made, 'cart'), other);
        // A millionth of each share may be rounded up, so of 250 requests at most this.
        for (const [cluster, capacity] of Object.entries(CAPACITY))
          assert.ok((loads[cluster] ?? 0) <= capacity + 0.001, JSON.stringify(loads));
        const whole = service(made);
        assert.equal(
          whole.targets.reduce((all, { effective }) => all + effective, whole.lost),
          MILLION,
        );
        for (const { cluster, effective } of whole.targets)
          assert.ok(Math.abs((effective * total) / MILLION - (sum[cluster] ?? 0)) < 0.001, 'the whole is the sum of the regions');
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  test('refuse the excess alone when all together cannot take it', () => {
    const { plan: made } = planOf(facts(SHOP, { demand: { shop: 500 }, regionDemand: { shop: { us: 300, [UNKNOWN_REGION]: 200 } } }));
    const { lost, shed } = service(made);
    assert.equal(lost, shed);
    assert.ok(Math.abs(lost - 500_000) < 10, `${lost} of 250 of 500 requests a second`);
  });

  test('are not there for other policies, and nothing differs where no client is told to be anywhere', () => {
    const flat: FleetSketch = { services: { shop: { versions: { blue: { eu: 1, us: 1, ap: 1 } } } } };
    assert.equal(service(planOf(facts(flat)).plan).regions, undefined);
    const { clientRegions, ...without } = facts(SHOP, { demand: { shop: 150 } });
    assert.deepEqual(clientRegions, ['ap', 'us']);
    assert.deepEqual(planOf({ ...without, clientRegions: [] }).plan, planOf(without).plan);
    assert.equal(service(planOf(without).plan).regions, undefined);
  });
});
