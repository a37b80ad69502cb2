// How a cluster comes back: at once, in a ramp, or when it is released; what stops a ramp; how flapping is damped.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FailbackMode } from '../../../balancer/config/config.ts';
import { followFailback, rampFactor, type FailbackMemory, type FailbackState, type Sight } from '../../../balancer/steer/failback.ts';

const WINDOW_MS = 60_000;

/** A cluster that is looked at every second. */
class Watched {
  nowMs = 0;
  memory: FailbackMemory | null = null;
  transitions = 0;
  readonly #mode: FailbackMode;

  constructor(mode: FailbackMode = 'ramp') {
    this.#mode = mode;
    this.see({ up: true });
  }

  get state(): FailbackState {
    return this.memory?.state ?? 'in';
  }

  get factor(): number {
    return this.memory === null ? 1 : rampFactor(this.memory, WINDOW_MS);
  }

  see(sight: Partial<Sight>, elapsedMs = 0): this {
    const before = this.memory?.state;
    this.nowMs += elapsedMs;
    const whole = {
      up: true,
      stale: false,
      excessErrors: null,
      mode: this.#mode,
      windowMs: WINDOW_MS,
      releases: 0,
      returned: null,
      ...sight,
    };
    this.memory = followFailback(this.memory, whole, { nowMs: this.nowMs, elapsedMs });
    const uses = (state: FailbackState | undefined): boolean => state === 'in' || state === 'ramping';
    if (before !== undefined && uses(before) !== uses(this.state)) this.transitions += 1;
    return this;
  }

  for(seconds: number, sight: Partial<Sight>): this {
    for (let second = 0; second < seconds; second += 1) this.see(sight, 1000);
    return this;
  }
}

describe('a change of limited time that is over', () => {
  test('brings the cluster back in a ramp from what it had, once', () => {
    const returned = { revision: 9, from: 0.5 };
    const cluster = new Watched().for(1, { returned });
    assert.deepEqual([cluster.state, cluster.factor], ['ramping', 0.5]);
    cluster.for(15, { returned });
    assert.equal(cluster.factor, 0.75);
    cluster.for(60, { returned });
    assert.deepEqual([cluster.state, cluster.factor], ['in', 1]);
    assert.equal(cluster.for(1, { returned: { revision: 12, from: 0 } }).factor, 0.1);
  });

  test('brings it back at once where the config says so', () => {
    assert.equal(new Watched('auto').for(1, { returned: { revision: 9, from: 0 } }).state, 'in');
  });

  test('begins no second ramp of a cluster that was down meanwhile', () => {
    const returned = { revision: 9, from: 0 };
    const cluster = new Watched().for(5, { up: false }).for(5, { up: false, returned }).for(61, { returned });
    assert.deepEqual([cluster.state, cluster.for(5, { returned }).state], ['in', 'in']);
  });
});

describe('a ramp', () => {
  test('is max(0.1, t / window) of the share, and ends', () => {
    const cluster = new Watched().for(5, { up: false });
    cluster.for(1, { up: true });
    assert.deepEqual([cluster.state, cluster.factor], ['ramping', 0.1]);
    cluster.for(6, { up: true });
    assert.equal(cluster.factor, 0.1);
    cluster.for(24, { up: true });
    assert.equal(cluster.factor, 0.5);
    cluster.for(30, { up: true });
    assert.deepEqual([cluster.state, cluster.factor], ['in', 1]);
  });

  test('stops while errors are 5 points above those of the others, and while the agent is silent', () => {
    for (const trouble of [{ excessErrors: 0.06 }, { stale: true }]) {
      const cluster = new Watched().for(5, { up: false }).for(31, { up: true });
      assert.equal(cluster.factor, 0.5);
      cluster.for(20, trouble);
      assert.equal(cluster.factor, 0.5);
      cluster.for(30, { excessErrors: 0.04 });
      assert.equal(cluster.state, 'in');
    }
  });

  test('goes back a step of a tenth every five seconds while errors are 20 points above', () => {
    const cluster = new Watched().for(5, { up: false }).for(31, { up: true });
    cluster.for(1, { excessErrors: 0.3 });
    assert.equal(cluster.factor, 0.4);
    cluster.for(5, { excessErrors: 0.3 });
    assert.ok(Math.abs(cluster.factor - 0.3) < 1e-9);
    cluster.for(60, { excessErrors: 0.3 });
    assert.equal(cluster.factor, 0.1);
    assert.equal(cluster.state, 'ramping');
  });

  test('is not for a cluster that was never seen down: a start is no return', () => {
    const cluster = new Watched();
    assert.deepEqual([cluster.state, cluster.factor], ['in', 1]);
    cluster.for(1, { up: null }).for(1, { up: true });
    assert.equal(cluster.state, 'in');
  });

  test('is not wanted with auto', () => {
    assert.equal(new Watched('auto').for(5, { up: false }).for(1, { up: true }).state, 'in');
  });
});

describe('manual failback', () => {
  test('waits for a release, then ramps', () => {
    const cluster = new Watched('manual').for(5, { up: false }).for(3600, { up: true });
    assert.equal(cluster.state, 'waiting');
    cluster.for(1, { releases: 1 });
    assert.deepEqual([cluster.state, cluster.factor], ['ramping', 0.1]);
    assert.equal(cluster.for(61, { releases: 1 }).state, 'in');
  });

  test('takes a release that was given while it was down, and none that was given before it fell', () => {
    const early = new Watched('manual').for(5, { releases: 3 }).for(5, { up: false, releases: 3 }).for(5, { releases: 3 });
    assert.equal(early.state, 'waiting');
    const meanwhile = new Watched('manual').for(5, { up: false }).for(5, { up: false, releases: 1 }).for(1, { releases: 1 });
    assert.equal(meanwhile.state, 'ramping');
  });
});

describe('flapping', () => {
  test('a first fall is not held; the n-th relapse within ten minutes is, for 15 s × 2^(n−1), at most 300 s', () => {
    const cluster = new Watched('auto');
    const held: number[] = [];
    for (let fall = 0; fall < 8; fall += 1) {
      cluster.for(3, { up: false });
      cluster.for(1, { up: true });
      let seconds = 0;
      while (cluster.state === 'held') {
        cluster.for(1, { up: true });
        seconds += 1;
      }
      held.push(seconds);
    }
    assert.deepEqual(held, [0, 15, 30, 60, 120, 240, 300, 300]);
  });

  test('is forgotten when it has been stable for ten minutes', () => {
    const cluster = new Watched('auto').for(3, { up: false }).for(10, { up: true }).for(3, { up: false }).for(1, { up: true });
    assert.equal(cluster.state, 'held');
    cluster.for(15, { up: true }).for(600, { up: true }).for(3, { up: false }).for(1, { up: true });
    assert.equal(cluster.state, 'in');
  });

  test('with a period of 2 s for ten minutes makes no more than 5 transitions', () => {
    for (const mode of ['auto', 'ramp'] as const) {
      const cluster = new Watched(mode);
      for (let second = 0; second < 600; second += 1) cluster.for(1, { up: second % 2 === 0 });
      assert.ok(cluster.transitions <= 5, `${mode}: ${cluster.transitions}`);
    }
  });

  test('a release ends a hold', () => {
    const cluster = new Watched().for(3, { up: false }).for(10, { up: true }).for(3, { up: false }).for(1, { up: true });
    assert.equal(cluster.state, 'held');
    assert.equal(cluster.for(1, { releases: 1 }).state, 'ramping');
  });
});
