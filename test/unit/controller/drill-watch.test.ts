// What ends a drill early: errors beyond doubt, latency that stays too long; never one failed request, never silence.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAbortCondition } from '../../../balancer/config/drill-config.ts';
import { decodeReports } from '../../../balancer/controller/drill/report.ts';
import { DrillWatch, type Lately } from '../../../balancer/controller/drill/watch.ts';

const lately = (requests: number, errors: number, p95Ms: number | null = 40): Lately => ({
  ...{ requests, rps: requests / 10, errorRatio: requests === 0 ? 0 : errors / requests },
  ...{ p50Ms: 10, p95Ms, p99Ms: 90 },
});

test('errors end it when they are more than the condition allows with all certainty', () => {
  const watch = new DrillWatch(['errors>0.1%']);
  const said = (requests: number, errors: number): string | null => watch.look('shop', null, lately(requests, errors));
  assert.equal(said(1000, 1), null);
  assert.equal(said(100, 1), null, 'one of a hundred is chance');
  assert.equal(said(1000, 8), 'errors>0.1%: shop has 0.8 % errors of 1000 requests');
  assert.equal(said(10, 5), null, 'too few to tell');
  assert.equal(said(0, 0), null);
});

test('half of the requests failing ends it whatever the conditions are', () => {
  assert.equal(new DrillWatch([]).look('shop', null, lately(30, 20)), 'shop: more than half of its requests fail');
});

test('a latency ends it when it is too long three seconds in a row, against a time or what it was before', () => {
  for (const [condition, before] of [
    ['p95>60ms', null],
    ['p95>1.5x', lately(1000, 0, 40)],
  ] as const) {
    const watch = new DrillWatch([condition]);
    const said = [70, 70, 50, 70, 70, 70].map((ms) => watch.look('shop', before, lately(500, 0, ms)));
    assert.deepEqual(said, [null, null, null, null, null, `${condition}: shop has a p95 of 70 ms, the most is 60 ms`]);
  }
  const few = new DrillWatch(['p95>60ms']);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => few.look('shop', null, lately(50, 0, 70))),
    [null, null, null, null],
  );
});

test('conditions are read as people write them, and nothing else is', () => {
  for (const text of ['errors>0%', 'errors>0.1%', 'p50>10ms', 'p95>1.5s', 'p99>2x']) assert.ok(parseAbortCondition(text) !== null, text);
  for (const text of ['errors<1%', 'errors>100%', 'p90>1ms', 'p95>1x', 'p95>0ms', 'p95', ''])
    assert.equal(parseAbortCondition(text), null, text);
});

test('a stored list that is damaged is an empty one', () => {
  assert.deepEqual([decodeReports(null), decodeReports('{'), decodeReports('[{"id":1}]')], [[], [], []]);
});
