// Observed shares are held against the plan only over a time in which it stood still, and only once what was under way is counted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ShareWatch, type Watched } from '../../../balancer/controller/share-watch.ts';
import type { KeySource } from '../../../balancer/message/request-key.ts';
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

/** 90 requests a second to blue, 10 to green, 5 new clients to each; `asked` remembers over how many seconds. */
function traffic(asked: number[]) {
  return {
    splitRps: (whose: TrafficOf, seconds = 0) => {
      asked.push(seconds);
      return whose.of === 'target' && whose.version === 'blue' ? 90 : 10;
    },
    newRps: () => 5,
  };
}

/** `key`: by what clients of `shop` keep their place; null: each request goes by the split. */
function watched(plan: Plan, key: KeySource | null = null, workers = 2): Watched {
  const sticky = { mode: 'hash', scope: 'version', salt: 'shop', onZero: 'drain', drainMs: 0, cookieName: '' } as const;
  const config = key === null ? null : { ...sticky, key, cookieMaxAgeMs: null, override: null };
  return { plan, workers, services: { shop: { sticky: config } } };
}

test('a share is judged when the plan has stood still for a while, over that time, up to a minute', () => {
  const asked: number[] = [];
  const watch = new ShareWatch(traffic(asked));
  const plan = planOf(900_000, 100_000);
  for (let second = 0; second <= 3; second += 1) watch.look(watched(plan), second * 1000);
  assert.equal(watch.of('shop', 'green', 'one'), null);
  watch.look(watched(plan), 13_000);
  assert.equal(watch.of('shop', 'green', 'one')?.respected, true);
  assert.deepEqual([...new Set(asked)], [10]);
  watch.look(watched(plan), 600_000);
  assert.equal(asked.at(-1), 60);
});

test('a change of the shares begins a new time; what was counted before says nothing about it', () => {
  const watch = new ShareWatch(traffic([]));
  watch.look(watched(planOf(900_000, 100_000)), 0);
  watch.look(watched(planOf(500_000, 500_000)), 60_000);
  assert.equal(watch.of('shop', 'green', 'one'), null);
  watch.look(watched(planOf(500_000, 500_000)), 70_000);
  assert.equal(watch.of('shop', 'green', 'one')?.respected, false);
  assert.equal(watch.of('shop', 'blue', 'one')?.respected, false);
});

test('a service whose clients have shares by their region is not judged: where the next ones come from is in no plan', () => {
  const watch = new ShareWatch(traffic([]));
  const { services, health } = planOf(500_000, 500_000);
  const shop = services['shop'];
  assert.ok(shop !== undefined);
  const plan = { services: { shop: { ...shop, regions: { us: shop } } }, health };
  watch.look(watched(plan), 0);
  watch.look(watched(plan), 60_000);
  assert.equal(watch.of('shop', 'blue', 'one'), null);
});

test('where clients keep their place, new clients are judged and not the requests of those that were there before', () => {
  const watch = new ShareWatch(traffic([]));
  const plan = watched(planOf(500_000, 500_000), { kind: 'header', name: 'x-user' });
  watch.look(plan, 0);
  watch.look(plan, 60_000);
  assert.deepEqual([watch.of('shop', 'green', 'one')?.observed, watch.of('shop', 'green', 'one')?.respected], [0.5, true]);
});

test('keys that each worker may have counted say as much as those that one has', () => {
  const spread = (workers: number): number => {
    const watch = new ShareWatch(traffic([]));
    const plan = watched(planOf(500_000, 500_000), { kind: 'header', name: 'x-user' }, workers);
    watch.look(plan, 0);
    watch.look(plan, 60_000);
    const { low = 0, high = 0 } = watch.of('shop', 'green', 'one') ?? {};
    return high - low;
  };
  // The interval is as wide as that of a quarter of them: twice.
  assert.ok(Math.abs(spread(4) / spread(1) - 2) < 0.05, `${spread(4)} against ${spread(1)}`);
});

test('what is lost for want of a place is no share that others have too much', () => {
  const watch = new ShareWatch(traffic([]));
  const plan = watched(planOf(450_000, 50_000));
  watch.look(plan, 0);
  watch.look(plan, 60_000);
  const { observed, respected } = watch.of('shop', 'green', 'one') ?? {};
  assert.deepEqual([observed, respected], [0.05, true]);
});
