// Instruments and deltas: what is counted once is told once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketOf, Meter, METRICS } from '../../../balancer/telemetry/meter.ts';

const REQUEST = ['all', 'shop', 'blue', 'one', '2xx'];
const TARGET = ['shop', 'blue', 'one'];
const BOUNDS = METRICS.weir_request_duration_seconds.buckets;

test('the same name and labels give the same instrument, other labels another one', () => {
  const meter = new Meter();
  assert.equal(meter.counter('weir_requests_total', REQUEST), meter.counter('weir_requests_total', [...REQUEST]));
  assert.notEqual(
    meter.counter('weir_requests_total', REQUEST),
    meter.counter('weir_requests_total', ['all', 'shop', 'blue', 'two', '2xx']),
  );
});

test('a delta holds what happened since the last one and nothing else', () => {
  const meter = new Meter();
  const counter = meter.counter('weir_requests_total', REQUEST);
  counter.add(2);
  counter.add(3);
  assert.deepEqual(meter.takeDelta(), [{ name: 'weir_requests_total', labels: REQUEST, value: 5 }]);
  assert.deepEqual(meter.takeDelta(), []);
  counter.add(1);
  assert.deepEqual(meter.takeDelta(), [{ name: 'weir_requests_total', labels: REQUEST, value: 1 }]);
});

test('a gauge is told when it was set, also to the value it had', () => {
  const meter = new Meter();
  const gauge = meter.gauge('weir_tunnels', ['w1']);
  gauge.set(4);
  gauge.set(0);
  assert.deepEqual(meter.takeDelta(), [{ name: 'weir_tunnels', labels: ['w1'], value: 0 }]);
  assert.deepEqual(meter.takeDelta(), []);
  gauge.set(0);
  assert.equal(meter.takeDelta().length, 1);
});

test('a histogram tells sum and counts per bucket, bounds inclusive', () => {
  const meter = new Meter();
  const histogram = meter.histogram('weir_request_duration_seconds', TARGET);
  histogram.observe(BOUNDS[0]);
  histogram.observe(0.0006);
  histogram.observe(61);
  const [series] = meter.takeDelta();
  const buckets = new Array<number>(BOUNDS.length + 1).fill(0);
  buckets[0] = 1;
  buckets[1] = 1;
  buckets[BOUNDS.length] = 1;
  assert.deepEqual(series?.buckets, buckets);
  assert.equal(series.value, 0.0005 + 0.0006 + 61);
  assert.deepEqual(meter.takeDelta(), []);
});

test('every value lands in the first bucket that may hold it', () => {
  const bounds = Float64Array.from(BOUNDS);
  fc.assert(
    fc.property(fc.double({ min: 0, max: 100, noNaN: true }), (value) => {
      const expected = BOUNDS.findIndex((bound) => value <= bound);
      assert.equal(bucketOf(bounds, value), expected === -1 ? BOUNDS.length : expected);
    }),
    { seed: 12, numRuns: 300 },
  );
});

test('labels that do not fit the metric are a mistake of the program and throw', () => {
  assert.throws(() => new Meter().counter('weir_requests_total', ['all']), /weir_requests_total has the labels route, service, version/);
});

test('a counter or histogram that is new is told once, so that a rate sees where it began', () => {
  const meter = new Meter();
  meter.counter('weir_requests_total', REQUEST);
  meter.histogram('weir_request_duration_seconds', TARGET);
  const [counter, histogram] = meter.takeDelta();
  assert.deepEqual(counter, { name: 'weir_requests_total', labels: REQUEST, value: 0 });
  assert.deepEqual(new Set(histogram?.buckets), new Set([0]));
  assert.deepEqual(meter.takeDelta(), []);
});
