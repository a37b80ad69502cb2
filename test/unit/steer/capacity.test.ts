// What a cluster can take: the formula, what is not believed, how slowly it moves, and what an agent that falls silent leaves behind.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fastCheck from 'fast-check';
import { estimate, FADE_MS, followCapacity, GROWTH_PER_10_S, SETTLING_MS, type CapacityMemory } from '../../../balancer/steer/capacity.ts';
import type { AgentState, CapacityReport } from '../../../balancer/steer/plan-shape.ts';

function report(other: Partial<CapacityReport> = {}): CapacityReport {
  return { state: 'fresh', receivedAtMs: 0, capacityRps: null, utilisation: 0.5, requestsPerSecond: 100, errorsPerSecond: 0, ...other };
}

/** One cluster over time: a report a second, as the test says. */
class Cluster {
  nowMs = 0;
  memory: CapacityMemory | null = null;
  readonly #declaredRps: number | null;

  constructor(declaredRps: number | null) {
    this.#declaredRps = declaredRps;
  }

  get rps(): number | null {
    return this.memory?.rps ?? null;
  }

  /** A fresh report each second. */
  reports(seconds: number, other: Partial<CapacityReport>): void {
    for (let second = 0; second < seconds; second += 1) {
      this.nowMs += 1000;
      this.see(report({ receivedAtMs: this.nowMs, ...other }));
    }
  }

  silent(seconds: number, state: AgentState, last: Partial<CapacityReport> = {}): void {
    const receivedAtMs = this.memory?.receivedAtMs ?? 0;
    for (let second = 0; second < seconds; second += 1) {
      this.nowMs += 1000;
      this.see(report({ receivedAtMs, state, ...last }));
    }
  }

  see(said: CapacityReport | null): void {
    this.memory = followCapacity(this.memory, this.#declaredRps, said, this.nowMs);
  }
}

/** Beyond the time in which nothing is learned. */
const SETTLED_S = SETTLING_MS / 1000 + 2;

describe('an estimate', () => {
  const cases: readonly (readonly [what: string, said: Partial<CapacityReport>, rps: number | null])[] = [
    ['is requests over utilisation', { requestsPerSecond: 90, utilisation: 0.9 }, 100],
    ['counts an error ratio as so much utilisation', { requestsPerSecond: 100, utilisation: 0.5, errorsPerSecond: 30 }, 125],
    ['is below what comes in when the cluster is overloaded', { requestsPerSecond: 300, utilisation: 1.5 }, 200],
    ['is not made of no utilisation: a broken agent is not an idle cluster', { utilisation: 0 }, null],
    ['is not made of an idle machine', { utilisation: 0.09 }, null],
    ['is not made of NaN', { utilisation: NaN }, null],
    ['is not made of a negative utilisation', { utilisation: -0.5 }, null],
    ['is not made of a huge utilisation', { utilisation: 1e6 }, null],
    ['is not made without requests', { requestsPerSecond: 0 }, null],
    ['is not made of infinitely many requests', { requestsPerSecond: Infinity }, null],
    ['is not made of requests that nobody counted', { requestsPerSecond: null }, null],
    ['is not made of more errors than requests', { errorsPerSecond: 101 }, null],
    ['is not made of negative errors', { errorsPerSecond: -1 }, null],
  ];
  for (const [what, said, rps] of cases) test(what, () => assert.equal(estimate(report(said)), rps));

  test('does not change when load moves: with it shares have no loop to swing in', () => {
    for (const load of [200, 500, 900]) assert.equal(estimate(report({ requestsPerSecond: load, utilisation: load / 1000 })), 1000);
  });
});

describe('the capacity that counts', () => {
  test('is what is declared until an agent speaks, and then what is declared to the agent', () => {
    const cluster = new Cluster(1000);
    cluster.see(null);
    assert.equal(cluster.rps, 1000);
    cluster.reports(1, { capacityRps: 700, requestsPerSecond: null });
    assert.equal(cluster.rps, 700);
  });

  test('is not known without a figure from anybody', () => {
    const cluster = new Cluster(null);
    cluster.reports(30, { requestsPerSecond: null });
    assert.equal(cluster.rps, null);
  });

  test('is lowered by what is learned, and never raised above what was promised', () => {
    const cluster = new Cluster(1000);
    cluster.reports(SETTLED_S + 30, { requestsPerSecond: 300, utilisation: 0.5 });
    assert.ok(Math.abs((cluster.rps ?? 0) - 600) < 30, `${cluster.rps}`);
    cluster.reports(120, { requestsPerSecond: 900, utilisation: 0.5 });
    assert.equal(cluster.rps, 1000);
  });

  test('is what is learned alone where nothing is declared', () => {
    const cluster = new Cluster(null);
    cluster.reports(SETTLED_S + 10, { requestsPerSecond: 300, utilisation: 0.5 });
    assert.equal(cluster.rps, 600);
  });

  test('learns nothing in the first ten seconds of a connection', () => {
    const cluster = new Cluster(null);
    cluster.reports(9, { requestsPerSecond: 300, utilisation: 0.5 });
    assert.equal(cluster.rps, null);
    cluster.reports(4, { requestsPerSecond: 300, utilisation: 0.5 });
    assert.equal(cluster.rps, 600);
    cluster.silent(10, 'stale');
    cluster.reports(9, { requestsPerSecond: 100, utilisation: 1 });
    assert.equal(cluster.rps, 600, 'it has just come back');
  });

  test('grows by no more than 20 % in ten seconds, whatever is reported, and falls at once', () => {
    const cluster = new Cluster(100);
    cluster.see(null);
    cluster.reports(1, { capacityRps: 100, requestsPerSecond: null });
    cluster.reports(10, { capacityRps: 1e9, requestsPerSecond: null });
    assert.ok((cluster.rps ?? 0) <= 100 * GROWTH_PER_10_S + 1e-9 && (cluster.rps ?? 0) > 115, `${cluster.rps}`);
    cluster.reports(1, { capacityRps: 50, requestsPerSecond: null });
    assert.equal(cluster.rps, 50);
  });

  test('follows the average of estimates, a weight of 0.3 a second, and not at all for less than 10 %', () => {
    const cluster = new Cluster(null);
    cluster.reports(SETTLED_S, { requestsPerSecond: 500, utilisation: 0.5 });
    assert.equal(cluster.rps, 1000);
    cluster.reports(60, { requestsPerSecond: 480, utilisation: 0.5 });
    assert.equal(cluster.rps, 1000, '4 % less is noise');
    cluster.reports(1, { requestsPerSecond: 250, utilisation: 0.5 });
    // 960 was the average: 0.7 × 960 + 0.3 × 500.
    const rps = cluster.memory?.rps ?? NaN;
    assert.ok(Math.abs(rps - 822) < 1, `${rps}`);
  });

  test('takes a report once, however often a plan is made of it', () => {
    const cluster = new Cluster(null);
    cluster.reports(SETTLED_S, { requestsPerSecond: 500, utilisation: 0.5 });
    const before = cluster.memory;
    cluster.reports(1, { requestsPerSecond: 250, utilisation: 0.5 });
    const once = cluster.memory;
    cluster.see(report({ receivedAtMs: cluster.nowMs, requestsPerSecond: 250, utilisation: 0.5 }));
    assert.notDeepEqual(before, once);
    assert.deepEqual(cluster.memory, once);
  });

  test('forgets what was learned when nothing confirms it for three minutes', () => {
    const cluster = new Cluster(1000);
    cluster.reports(SETTLED_S + 20, { requestsPerSecond: 300, utilisation: 0.5 });
    assert.equal(cluster.rps, 600);
    cluster.reports(181, { requestsPerSecond: 0, utilisation: 0.01 });
    cluster.reports(60, { requestsPerSecond: 0, utilisation: 0.01 });
    assert.equal(cluster.rps, 1000);
  });
});

describe('an agent that falls silent', () => {
  test('freezes the capacity while it is stale, then moves it in a line to what is declared', () => {
    const cluster = new Cluster(1000);
    cluster.reports(1, { capacityRps: 400, requestsPerSecond: null });
    cluster.silent(177, 'stale', { capacityRps: 400, requestsPerSecond: null });
    assert.equal(cluster.rps, 400);
    cluster.silent(1, 'absent');
    assert.equal(cluster.rps, 400);
    cluster.silent(FADE_MS / 2000, 'absent');
    assert.equal(cluster.rps, 700);
    cluster.silent(FADE_MS / 2000, 'absent');
    assert.equal(cluster.rps, 1000);
    cluster.silent(600, 'absent');
    assert.equal(cluster.rps, 1000);
  });

  test('leaves no capacity behind where nothing is declared, once it has been away for long', () => {
    const cluster = new Cluster(null);
    cluster.reports(1, { capacityRps: 400, requestsPerSecond: null });
    cluster.silent(30, 'absent');
    assert.equal(cluster.rps, 400);
    cluster.silent(31, 'absent');
    assert.equal(cluster.rps, null);
  });

  test('that speaks again is believed again', () => {
    const cluster = new Cluster(1000);
    cluster.reports(1, { capacityRps: 400, requestsPerSecond: null });
    cluster.silent(30, 'absent');
    cluster.reports(1, { capacityRps: 300, requestsPerSecond: null });
    assert.equal(cluster.rps, 300);
  });
});

test('whatever an agent says, capacity is a positive number or not known, and never jumps up', () => {
  const anything = fastCheck.oneof(
    fastCheck.constantFrom(0, -1, NaN, Infinity, -Infinity, 1e12, Number.MIN_VALUE),
    fastCheck.double({ min: 0, max: 2000 }),
  );
  const said = fastCheck.record({
    capacityRps: fastCheck.option(anything),
    utilisation: anything,
    requestsPerSecond: fastCheck.option(anything),
    errorsPerSecond: anything,
    state: fastCheck.constantFrom('fresh' as const, 'fresh' as const, 'fresh' as const, 'stale' as const, 'absent' as const),
  });
  fastCheck.assert(
    fastCheck.property(fastCheck.array(said, { minLength: 20, maxLength: 60 }), (reports) => {
      const cluster = new Cluster(1000);
      for (const one of reports) {
        cluster.nowMs += 1000;
        const before = cluster.rps;
        cluster.see({ ...one, receivedAtMs: cluster.nowMs });
        const { rps } = cluster;
        assert.ok(rps === null || (rps > 0 && Number.isFinite(rps)), `${rps}`);
        if (one.state === 'fresh' && before !== null && rps !== null) assert.ok(rps <= before * GROWTH_PER_10_S + 1e-6);
      }
    }),
    { seed: 42, numRuns: 300 },
  );
});
