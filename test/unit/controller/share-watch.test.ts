// Observed shares are held against the plan only over a time in which it stood still, and only once what was under way is counted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShareWatch } from '../../../balancer/controller/share-watch.ts';
import type { Plan, PlanTarget } from '../../../balancer/steer/plan-shape.ts';
import type { TrafficOf } from '../../../balancer/telemetry/window.ts';

function target(version: string, effective: number): PlanTarget {
  const shares = { desired: effective, effective, weight: effective };
  return { version, cluster: 'one', ...shares, available: 1, receives: true, lastResort: false, priority: 0, limit: null, reasons: [] };
}

function planOf(blue: number, green: number): Plan {
  const targets = [target('blue', blue), target('green', green)];
  const service = { service: 'shop', onUnavailable: 'redistribute', targets, lost: 0, shed: 0, refused: {} } as const;
  return { services: { shop: service }, health: { clusters: {}, ejectedTargets: [] } } as unknown as Plan;
}

/** 90 requests a second to blue, 10 to green; `asked` remembers over how many seconds. */
function traffic(asked: number[]) {
  return {
    splitRps: (whose: TrafficOf, seconds = 0) => {
      asked.push(seconds);
      return whose.of === 'target' && whose.version === 'blue' ? 90 : 10;
    },
  };
}

test('a share is judged when the plan has stood still for a while, over that time, up to a minute', () => {
  const asked: number[] = [];
  const watch = new ShareWatch(traffic(asked));
  const plan = planOf(900_000, 100_000);
  for (let second = 0; second <= 3; second += 1) watch.look(plan, 2, second * 1000);
  assert.equal(watch.of('shop', 'green', 'one'), null);
  watch.look(plan, 2, 13_000);
  assert.equal(watch.of('shop', 'green', 'one')?.respected, true);
  assert.deepEqual([...new Set(asked)], [10]);
  watch.look(plan, 2, 600_000);
  assert.equal(asked.at(-1), 60);
});

test('a change of the shares begins a new time; what was counted before says nothing about it', () => {
  const watch = new ShareWatch(traffic([]));
  watch.look(planOf(900_000, 100_000), 2, 0);
  watch.look(planOf(500_000, 500_000), 2, 60_000);
  assert.equal(watch.of('shop', 'green', 'one'), null);
  watch.look(planOf(500_000, 500_000), 2, 70_000);
  assert.equal(watch.of('shop', 'green', 'one')?.respected, false);
  assert.equal(watch.of('shop', 'blue', 'one')?.respected, false);
});

test('a service whose clients have shares by their region is not judged: where the next ones come from is in no plan', () => {
  const watch = new ShareWatch(traffic([]));
  const { services, health } = planOf(500_000, 500_000);
  const shop = services['shop'];
  assert.ok(shop !== undefined);
  const plan = { services: { shop: { ...shop, regions: { us: shop } } }, health };
  watch.look(plan, 2, 0);
  watch.look(plan, 2, 60_000);
  assert.equal(watch.of('shop', 'blue', 'one'), null);
});
