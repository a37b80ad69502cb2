// What a plan remembers of the intent between two plans never shows in its answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastCheck from 'fast-check';
import { applyChange, type DirectChange } from '../../../balancer/intent/apply-change.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { plan, type PlanInput } from '../../../balancer/steer/plan.ts';
import { fleetConfig, healthView, type FleetSketch } from '../../support/fleet-config.ts';

const SHOP: FleetSketch = {
  services: { shop: { versions: { blue: { eu: 70, us: 30 }, green: { us: 1 } }, split: { blue: 90, green: 10 } } },
};
const CHANGES: readonly DirectChange[] = [
  { kind: 'admin', cluster: 'eu', state: 'drain' },
  { kind: 'admin', cluster: 'eu', state: 'active' },
  { kind: 'dial', cluster: 'us', percent: 40 },
  { kind: 'shift', service: 'shop', percents: { blue: 25, green: 75 } },
  { kind: 'shift_clusters', service: 'shop', percents: { eu: 10, us: 90 } },
];

const step = fastCheck.record({
  change: fastCheck.option(fastCheck.constantFrom(...CHANGES)),
  eu: fastCheck.constantFrom('up' as const, 'down' as const),
  afterMs: fastCheck.constantFrom(1000, 20_000, 90_000),
  rps: fastCheck.integer({ min: 0, max: 500 }),
  region: fastCheck.constantFrom(null, 'europe', 'america'),
});

test('plans one after the other are the same as those of copies of their inputs, of which nothing can be remembered', () => {
  const modes = fastCheck.constantFrom('ramp' as const, 'manual' as const);
  fastCheck.assert(
    fastCheck.property(fastCheck.array(step, { minLength: 2, maxLength: 12 }), modes, (steps, mode) => {
      const config = fleetConfig({
        ...SHOP,
        clusters: {
          eu: { region: 'europe', capacity: { rps: 200, learn: false }, failback: { mode, windowMs: 60_000 } },
          us: { region: 'america' },
        },
      });
      const shop = config.services['shop'];
      assert.ok(shop !== undefined);
      const services = { shop: { ...shop, steer: { ...shop.steer, policy: 'nearest' as const } } };
      let { intent } = seedIntent(config, null);
      let previous: PlanInput['previous'] = null;
      let nowMs = 0;
      for (const { change, eu, afterMs, rps, region } of steps) {
        const outcome = change === null ? null : applyChange(intent, change, config);
        if (outcome?.ok === true) intent = outcome.intent;
        nowMs += afterMs;
        const facts = { health: healthView({ eu, us: 'up' }), capacity: {}, demand: { shop: rps }, hostRegion: region };
        const input: PlanInput = { ...config, services, intent, ...facts, previous, nowMs };
        const { plan: planned, memory } = plan(input);
        const copied = plan(structuredClone(input));
        assert.deepStrictEqual({ planned, memory }, { planned: copied.plan, memory: copied.memory });
        previous = memory;
      }
    }),
  );
});
