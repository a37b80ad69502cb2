// A place that has become slower than it was, and than the same version elsewhere: what it keeps of its share, and what is not held against it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { plan, type PlanInput, type PlanMemory, type Planned } from '../../../balancer/steer/plan.ts';
import { fleetConfig, healthView } from '../../support/fleet-config.ts';

/** Clusters whose answers take so many milliseconds, seen through a plan a second. */
class Fleet {
  readonly #clusters: readonly string[];
  readonly #facts: Omit<PlanInput, 'previous' | 'nowMs' | 'observed'>;
  #memory: PlanMemory | null = null;
  #nowMs = 0;
  #planned: Planned | null = null;

  constructor(clusters: readonly string[]) {
    const config = fleetConfig({
      services: { shop: { versions: { v: Object.fromEntries(clusters.map((name) => [name, 1])) } } },
    });
    const health = healthView(Object.fromEntries(clusters.map((name) => [name, 'up'])));
    this.#clusters = clusters;
    this.#facts = { ...config, intent: seedIntent(config, null).intent, health, capacity: {}, demand: {} };
  }

  take(seconds: number, answerMs: readonly number[], answers = 200): this {
    const seen = (index: number) => ({ requests: answers, errorRatio: 0, answers, answerMs: answerMs[index] ?? null });
    const targets = Object.fromEntries(this.#clusters.map((name, index) => [`shop/v/${name}`, seen(index)]));
    for (let second = 0; second < seconds; second += 1) {
      this.#nowMs += 1000;
      this.#planned = plan({ ...this.#facts, observed: { clusters: {}, targets }, previous: this.#memory, nowMs: this.#nowMs });
      this.#memory = this.#planned.memory;
    }
    return this;
  }

  #target(cluster: string) {
    return this.#planned?.plan.services['shop']?.targets.find((target) => target.cluster === cluster);
  }

  /** In percent. */
  share(cluster: string): number {
    return Math.round((this.#target(cluster)?.effective ?? 0) / 10_000);
  }

  kept(cluster: string): number {
    return this.#target(cluster)?.available ?? 0;
  }

  reasons(cluster: string): readonly string[] {
    return this.#target(cluster)?.reasons ?? [];
  }
}

const pair = (): Fleet => new Fleet(['eu', 'us']).take(60, [20, 20]);

test('what has become five times as slow keeps a fifth of its weight at once, says so, and gets the rest back within a minute', () => {
  const fleet = pair().take(1, [100, 20]);
  assert.ok(Math.abs(fleet.kept('eu') - 0.2) < 0.001);
  assert.deepEqual([fleet.share('eu'), fleet.share('us')], [17, 83]);
  assert.ok(fleet.reasons('eu').includes('slow'));
  fleet.take(10, [20, 20]);
  assert.ok(Math.abs(fleet.kept('eu') - 0.35) < 0.01);
  fleet.take(60, [20, 20]);
  assert.deepEqual([fleet.share('eu'), fleet.reasons('eu')], [50, ['intent']]);
});

test('it keeps a tenth, so that there are answers to see it recover by', () => {
  assert.equal(pair().take(5, [30_000, 20]).kept('eu'), 0.1);
});

test('less than twice as slow is no news', () => {
  assert.equal(pair().take(5, [39, 20]).kept('eu'), 1);
});

test('a cluster that is far away is not slow, and may become slow all the same', () => {
  const fleet = new Fleet(['eu', 'us']).take(60, [300, 20]);
  assert.equal(fleet.share('eu'), 50);
  assert.ok(fleet.take(1, [1500, 20]).kept('eu') < 0.21);
});

test('what all places have is held against none', () => {
  const fleet = pair().take(5, [200, 150]);
  assert.deepEqual([fleet.kept('eu'), fleet.kept('us')], [1, 1]);
});

test('that the others became faster is not held against a place', () => {
  const fleet = new Fleet(['eu', 'us']).take(60, [100, 100]).take(5, [100, 20]);
  assert.equal(fleet.kept('eu'), 1);
});

test('too few answers, here or elsewhere, say nothing', () => {
  assert.equal(pair().take(5, [500, 20], 19).kept('eu'), 1);
  assert.equal(new Fleet(['eu']).take(60, [20]).take(5, [500]).kept('eu'), 1);
});

test('the one that takes over is not held for what that does to it, so shares do not go round in a circle', () => {
  const fleet = pair().take(5, [200, 20]).take(5, [200, 90]);
  assert.equal(fleet.kept('us'), 1);
  // And as all have trouble now, the first one comes back.
  assert.ok(fleet.kept('eu') > 0.1);
});

test('when most places become slow together, no more than half of the whole is taken away', () => {
  const fleet = new Fleet(['a', 'b', 'c', 'd']).take(60, [20, 20, 20, 20]).take(1, [20_000, 20_000, 20_000, 20]);
  const kept = ['a', 'b', 'c', 'd'].map((name) => fleet.kept(name));
  assert.ok(kept.reduce((sum, part) => sum + part, 0) >= 2 - 1e-9, kept.join(' '));
});

test('what stays slow for long is what is usual there: in the end it has its share again', () => {
  const fleet = pair().take(60, [100, 20]);
  assert.ok(fleet.kept('eu') < 0.3);
  assert.equal(fleet.take(1800, [100, 20]).share('eu'), 50);
});
