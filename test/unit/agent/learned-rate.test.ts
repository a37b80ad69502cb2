// The rate of one endpoint, learned from what it carries while its answers are fast enough.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { learnRate, NOTHING_LEARNED, type LearnedRate, type RateSample } from '../../../agent/learned-rate.ts';

const TARGET_MS = 200;

class Learner {
  state: LearnedRate = NOTHING_LEARNED;
  nowMs = 0;

  /** Samples of a second each; the last rate. */
  see(sample: Partial<RateSample>, seconds = 1): number | null {
    for (let second = 0; second < seconds; second += 1) {
      this.nowMs += 1000;
      const whole = { requestsPerSecond: 400, p95Ms: 100, ready: 10, utilisation: null, ...sample };
      this.state = learnRate(this.state, whole, TARGET_MS, this.nowMs);
    }
    return this.state.rate;
  }
}

test('what is carried well proves that much and half as much again', () => {
  assert.equal(new Learner().see({}), 60);
});

test('use that is known says how much of it is left, and no more than half as much again is claimed', () => {
  assert.equal(new Learner().see({ utilisation: 0.8 }), 50);
  assert.equal(new Learner().see({ utilisation: 0.05 }), 60);
  assert.equal(new Learner().see({ utilisation: 2 }), 40, 'what is carried well is carried, whatever its use is said to be');
});

test('it grows by 20 % in ten seconds at most, unless more is carried already', () => {
  const learner = new Learner();
  learner.see({});
  assert.ok(Math.abs((learner.see({ requestsPerSecond: 590 }, 10) ?? 0) - 72) < 0.5);
  assert.ok((learner.see({ requestsPerSecond: 2000 }) ?? 0) >= 200);
});

test('where shares follow it, it does not bound itself: it grows while answers stay fast', () => {
  const learner = new Learner();
  let rate = learner.see({}) ?? 0;
  // The edge fills a cluster to 80 % of its capacity.
  for (let second = 0; second < 120; second += 1) rate = learner.see({ requestsPerSecond: rate * 10 * 0.8 }) ?? 0;
  assert.ok(rate > 120, String(rate));
});

test('three slow samples in a row lower it to what is carried, one does not', () => {
  const learner = new Learner();
  learner.see({});
  assert.equal(learner.see({ p95Ms: 500 }, 2), 60);
  learner.see({});
  assert.equal(learner.see({ p95Ms: 500 }, 2), 60);
  assert.equal(learner.see({ p95Ms: 500 }), 40);
});

test('slow answers at a fraction of what it can take are no want of capacity', () => {
  const learner = new Learner();
  learner.see({});
  assert.equal(learner.see({ requestsPerSecond: 290, p95Ms: 5000 }, 60), 60);
});

test('too few requests, too few answers and no endpoints say nothing', () => {
  for (const nothing of [{ requestsPerSecond: 5 }, { p95Ms: null }, { ready: 0 }])
    assert.equal(new Learner().see(nothing, 10), null, JSON.stringify(nothing));
});

test('whatever it is told, it is a positive number and not above half as much again as was ever carried well', () => {
  const sample = fc.record({
    requestsPerSecond: fc.double({ min: 0, max: 1e6, noNaN: true }),
    p95Ms: fc.option(fc.double({ min: 0, max: 10_000, noNaN: true })),
    ready: fc.nat(100),
    utilisation: fc.option(fc.double({ min: 0, max: 100, noNaN: true })),
  });
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 30 }), (samples) => {
      const learner = new Learner();
      let most = 0;
      for (const one of samples) {
        if (one.ready > 0) most = Math.max(most, one.requestsPerSecond / one.ready);
        const rate = learner.see(one);
        assert.ok(rate === null || (rate > 0 && rate <= most * 1.5 * (1 + 1e-9)), String(rate));
      }
    }),
    { seed: 3 },
  );
});
