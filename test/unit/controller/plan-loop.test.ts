// The loop that keeps the plan true: at once when something happened, once a second otherwise, and nothing when nothing changed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RisingNumber } from '../../../balancer/controller/numbers.ts';
import { PlanLoop } from '../../../balancer/controller/plan-loop.ts';
import { applyChange } from '../../../balancer/intent/apply-change.ts';
import type { Intent } from '../../../balancer/intent/intent.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import type { HealthView } from '../../../balancer/steer/plan-shape.ts';
import { fleetConfig, healthView } from '../../support/fleet-config.ts';
import { ManualClock } from '../../support/manual-clock.ts';

interface Sent {
  readonly number: number;
  /** Services in the message; null: all of them. */
  readonly services: readonly string[] | null;
}

/** Two services, one in each cluster, and what the loop sends about them. */
class Scene {
  readonly clock = new ManualClock();
  readonly sent: Sent[] = [];
  whole = 0;
  periods = 0;
  health: HealthView = healthView({ one: 'up', two: 'up' });
  intent: Intent;
  readonly loop: PlanLoop;

  constructor() {
    const config = fleetConfig({
      services: { shop: { versions: { v1: { one: 1 }, v2: { two: 1 } }, split: { v1: 1, v2: 1 } }, mail: { versions: { v1: { two: 1 } } } },
    });
    this.intent = seedIntent(config, null).intent;
    const values = new Map<string, string>();
    const store = {
      getValue: (key: string) => values.get(key) ?? null,
      putValue: (key: string, value: string) => void values.set(key, value),
    };
    this.loop = new PlanLoop({
      clock: this.clock,
      links: {
        sendPlan: (number, _plan, changed) => void this.sent.push({ number, services: changed === null ? null : Object.keys(changed) }),
        sendWholePlan: () => void (this.whole += 1),
      },
      numbers: new RisingNumber(store, 'plan', () => 0),
      facts: () => ({ ...config, intent: this.intent, health: this.health, capacity: {}, demand: {} }),
      onPeriod: () => void (this.periods += 1),
    });
  }
}

test('a plan that did not change is neither numbered nor sent', () => {
  const scene = new Scene();
  scene.loop.start();
  scene.clock.advance(4500);
  assert.deepEqual(scene.sent, [{ number: 1, services: ['shop', 'mail'] }]);
  assert.equal(scene.periods, 4);
  scene.loop.close();
  assert.equal(scene.clock.pending, 0);
});

test('a purge is a plan of its own, though it changes no service', () => {
  const scene = new Scene();
  scene.loop.start();
  const purged = applyChange(scene.intent, { kind: 'purge', tags: ['news'] }, { services: {}, clusters: {} });
  assert.ok(purged.ok);
  scene.intent = purged.intent;
  assert.equal(scene.loop.recompute(), 2);
  assert.deepEqual(scene.sent.slice(1), [{ number: 2, services: [] }]);
  assert.deepEqual(Object.values(scene.loop.plan.purges ?? {})[0]?.tags, ['news']);
  scene.clock.advance(2000);
  assert.equal(scene.loop.number, 2);
  scene.loop.close();
});

test('a change of health is sent at once, with the services it changes', () => {
  const scene = new Scene();
  scene.loop.start();
  scene.health = healthView({ one: 'down', two: 'up' });
  scene.loop.soon();
  scene.loop.soon();
  assert.equal(scene.sent.length, 1);
  scene.clock.advance(0);
  assert.deepEqual(scene.sent.slice(1), [{ number: 2, services: ['shop'] }]);
  assert.equal(scene.loop.number, 2);
  assert.deepEqual(
    scene.loop.plan.services['shop']?.targets.map(({ effective }) => effective),
    [0, 1_000_000],
  );
  scene.loop.close();
});

test('the whole plan goes out every five seconds', () => {
  const scene = new Scene();
  scene.loop.start();
  scene.clock.advance(11_000);
  assert.equal(scene.whole, 2);
  scene.loop.close();
});

test('an event before the start or after the end makes no plan', () => {
  const scene = new Scene();
  scene.loop.soon();
  scene.clock.advance(10);
  assert.deepEqual(scene.sent, []);
  scene.loop.start();
  scene.loop.close();
  scene.health = healthView({ one: 'down', two: 'up' });
  scene.loop.soon();
  scene.clock.advance(5000);
  assert.equal(scene.sent.length, 1);
});
