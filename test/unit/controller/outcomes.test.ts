// What gates are given: tries as workers counted them, second by second, and of the others only where the version was asked too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FollowedOutcomes, ServiceOutcomes } from '../../../balancer/controller/driver/outcomes.ts';
import { BUCKETS } from '../../../balancer/telemetry/latency-buckets.ts';
import type { SeriesDelta } from '../../../balancer/telemetry/meter.ts';

const ROLLOUT = { to: 'green', usualErrorRatio: 0.01 };

test('answers, errors among them, and lost tries add up', () => {
  const outcomes = new ServiceOutcomes();
  for (const series of [answers('green', 'eu', 90), errors('green', 'eu', 3), lost('green', 'eu', 10)]) outcomes.add(series);
  outcomes.endSecond();
  const { trial } = outcomes.evidence(ROLLOUT);
  assert.deepEqual([trial.requests, trial.errors], [100, 13]);
  assert.equal(trial.latency[0], 90);
});

test('the trial is the newest second; the others are those of ten and of sixty, in the clusters where the version was asked', () => {
  const outcomes = new ServiceOutcomes();
  for (let second = 0; second < 70; second += 1) {
    for (const series of [answers('green', 'eu', 1), answers('blue', 'eu', 4), answers('blue', 'us', 50)]) outcomes.add(series);
    outcomes.endSecond();
  }
  const { trial, baseline } = outcomes.evidence(ROLLOUT);
  assert.deepEqual([trial.requests, baseline?.short.requests, baseline?.long.requests], [1, 40, 240]);
});

test('of a rollout in waves the clusters of the present one count, and by themselves those of the ones before', () => {
  const outcomes = new ServiceOutcomes();
  for (const [cluster, count] of Object.entries({ eu: 1, us: 20, ap: 300 }))
    for (const series of [answers('green', cluster, count), answers('blue', cluster, 2 * count)]) outcomes.add(series);
  outcomes.endSecond();
  const inWaves = { ...ROLLOUT, waves: [['eu'], ['us'], ['ap']] };
  const counted = (wave: number): readonly unknown[] => {
    const [present, earlier] = [outcomes.evidence({ ...inWaves, wave }), outcomes.evidenceOfEarlierWaves({ ...inWaves, wave })];
    return [present.trial.requests, earlier?.trial.requests ?? null, earlier?.baseline?.short.requests ?? null];
  };
  assert.deepEqual([0, 1, 2].map(counted), [
    [1, null, null],
    [20, 1, 2],
    [300, 21, 42],
  ]);
});

test('versions that live in clusters of their own are held against all others, as there is nothing nearer', () => {
  const outcomes = new ServiceOutcomes();
  const baselineOf = (): number | undefined => outcomes.evidence(ROLLOUT).baseline?.short.requests;
  for (const series of [answers('blue', 'us', 5), answers('red', 'ap', 7)]) outcomes.add(series);
  outcomes.endSecond();
  assert.equal(baselineOf(), undefined, 'before the version was asked nobody knows where it will be');
  outcomes.add(answers('green', 'eu', 1));
  outcomes.endSecond();
  assert.equal(baselineOf(), 12);
  outcomes.add(answers('blue', 'eu', 2));
  outcomes.endSecond();
  assert.equal(baselineOf(), 2, 'once one of them is asked there too, like is held against like');
});

test('without others there is no baseline', () => {
  const outcomes = new ServiceOutcomes();
  outcomes.add(answers('green', 'eu', 1));
  outcomes.endSecond();
  assert.equal(outcomes.evidence(ROLLOUT).baseline, null);
});

test('connections that are passed through count where there are no requests', () => {
  const outcomes = new ServiceOutcomes();
  const connections = (outcome: string, value: number): SeriesDelta => ({
    name: 'weir_l4_connections_total',
    labels: ['tcp', 'all', 'shop', 'green', 'eu', outcome],
    value,
  });
  for (const series of [connections('established', 8), connections('connect_failed', 2)]) outcomes.add(series);
  outcomes.endSecond();
  const { trial } = outcomes.evidence(ROLLOUT);
  assert.deepEqual([trial.requests, trial.errors], [10, 2]);
});

test('only services that are followed are kept, from the moment they are', () => {
  const followed = new FollowedOutcomes();
  followed.add([answers('green', 'eu', 5)]);
  followed.endSecond(new Set(['shop']));
  followed.add([answers('green', 'eu', 7), { ...answers('green', 'eu', 9), labels: ['cart', 'green', 'eu'] }]);
  followed.endSecond(new Set(['shop']));
  assert.equal(followed.of('shop')?.evidence(ROLLOUT).trial.requests, 7);
  assert.equal(followed.of('cart'), null);
  followed.endSecond(new Set());
  assert.equal(followed.of('shop'), null);
});

function answers(version: string, cluster: string, count: number): SeriesDelta {
  const buckets = Array.from({ length: BUCKETS }, (_, index) => (index === 0 ? count : 0));
  return { name: 'weir_upstream_answer_seconds', labels: ['shop', version, cluster], value: 0, buckets };
}

function errors(version: string, cluster: string, value: number): SeriesDelta {
  return { name: 'weir_upstream_errors_total', labels: ['shop', version, cluster], value };
}

function lost(version: string, cluster: string, value: number): SeriesDelta {
  return { name: 'weir_upstream_lost_tries_total', labels: ['shop', version, cluster], value };
}
