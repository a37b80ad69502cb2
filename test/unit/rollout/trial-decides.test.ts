// What a trial decides: on after hold, requests and gates; back on a failed gate, paused or not; never on too little.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RolloutIntent } from '../../../balancer/intent/rollout.ts';
import type { Evidence } from '../../../balancer/rollout/gate.ts';
import { BUCKETS } from '../../../balancer/telemetry/latency-buckets.ts';
import { gatesOf, Trial } from '../../../balancer/rollout/trial.ts';

test('a step is left after its time, its requests and its gates, and not before', () => {
  const trial = new Trial(rollout());
  trial.add(seen(99, 0));
  assert.equal(trial.decide('running', 60_000), null, 'one request is missing');
  trial.add(seen(51, 0));
  assert.equal(trial.decide('running', 59_999), null, 'one millisecond is missing');
  assert.deepEqual(trial.decide('running', 60_000), { action: 'step', note: '', evidence: 'requests', where: 'present' });
  assert.equal(trial.decide('paused', 60_000), null);
});

test('the last step ends it', () => {
  const trial = new Trial(rollout({ step: 1 }));
  trial.add(seen(1000, 0));
  assert.deepEqual(trial.decide('running', 60_000), { action: 'end', note: '', evidence: 'requests', where: 'present' });
});

test('no requests neither pass nor fail, however long it takes', () => {
  const trial = new Trial(rollout({ minRequests: 0 }));
  for (let second = 0; second < 1000; second += 1) trial.add(seen(0, 0));
  assert.equal(trial.decide('running', 1_000_000), null);
});

test('a failed gate is acted on while the rollout is paused, and not while it is frozen', () => {
  const trial = new Trial(rollout());
  trial.add(seen(300, 60));
  assert.match(trial.decide('paused', 1000)?.note ?? '', /^gate errors<5x: 20 % of 300 requests/);
  assert.equal(trial.decide('frozen', 1000), null);
});

test('half of the last twenty requests failing ends it at once, after any number of good ones', () => {
  const trial = new Trial(rollout({ usualErrorRatio: 0.25 }));
  for (let second = 0; second < 100; second += 1) trial.add(seen(50, 0, 0.25));
  trial.add(seen(9, 9, 0.25));
  assert.equal(trial.decide('running', 1000), null, 'nine are not enough to tell');
  trial.add(seen(11, 11, 0.25));
  assert.deepEqual(trial.decide('running', 1000), {
    action: 'fail',
    note: '20 of the last 20 requests failed',
    evidence: 'requests',
    where: 'present',
  });
});

test('a wave that has passed is watched on: it fails the rollout by its own figures, and holds no step up', () => {
  const trial = new Trial(rollout());
  trial.add(seen(200, 0), seen(0, 0));
  assert.deepEqual(
    trial.decide('running', 60_000),
    { action: 'step', note: '', evidence: 'requests', where: 'present' },
    'no requests there neither pass nor fail',
  );
  // 1 % of all requests: good versions elsewhere would hide it.
  trial.add(seen(5000, 0), seen(300, 60));
  assert.match(trial.decide('paused', 1000)?.note ?? '', /^gate errors<5x: 20 % of 300 requests.*in a wave that had passed$/);
  assert.equal(trial.requests, 5200, 'requests of the step are those of its own clusters');
  const dead = new Trial(rollout({ usualErrorRatio: 0.25 }));
  dead.add(seen(5000, 0, 0.25), seen(20, 20, 0.25));
  assert.match(dead.decide('running', 1000)?.note ?? '', /20 of the last 20 requests failed, in a wave that had passed/);
});

test('the gate against the errors of the others stands unless it is named with another factor', () => {
  assert.deepEqual(
    [[], ['p95<1.2x'], ['errors<1%'], ['errors<10x']].map((texts) => gatesOf(texts).map(({ text }) => text)),
    [['errors<5x'], ['errors<5x', 'p95<1.2x'], ['errors<5x', 'errors<1%'], ['errors<10x']],
  );
});

function rollout(other: Partial<RolloutIntent> = {}): RolloutIntent {
  return {
    to: 'green',
    steps: [10_000, 1_000_000],
    holdMs: [60_000],
    minRequests: 100,
    gates: [],
    onFail: 'rollback',
    id: 2,
    from: { blue: 1_000_000, green: 0 },
    usualErrorRatio: 0.001,
    phase: 'running',
    step: 0,
    stepAt: '2026-01-01T00:00:00.000Z',
    note: '',
    ...other,
  };
}

function seen(requests: number, errors: number, usualErrorRatio = 0.001): Evidence {
  return { trial: { requests, errors, latency: new Array<number>(BUCKETS).fill(0) }, baseline: null, usualErrorRatio };
}
