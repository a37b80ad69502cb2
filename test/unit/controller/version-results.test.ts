// Versions side by side: tries are counted for an hour by minutes and for a day by hours, and the window says what it covers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultOf } from '../../../balancer/controller/results-view.ts';
import { LastResults } from '../../../balancer/controller/last-results.ts';
import { VersionResults } from '../../../balancer/controller/version-results.ts';
import { BUCKETS } from '../../../balancer/telemetry/latency-buckets.ts';
import type { SeriesDelta } from '../../../balancer/telemetry/meter.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const MINUTE = 60_000;

function answers(version: string, count: number, bucket = 3): SeriesDelta {
  const buckets = new Array<number>(BUCKETS).fill(0);
  buckets[bucket] = count;
  return { name: 'weir_upstream_answer_seconds', labels: ['shop', version, 'eu'], value: 0, buckets };
}

function bench() {
  const clock = new ManualClock(3_600_000);
  const results = new VersionResults(() => clock.nowMs());
  const requests = (version: string, seconds: number): number => results.of('shop', seconds).versions.get(version)?.requests ?? 0;
  return { clock, results, requests };
}

test('answers, errors among them, and lost tries count for their version', () => {
  const { results } = bench();
  results.add([
    answers('blue', 90),
    { name: 'weir_upstream_errors_total', labels: ['shop', 'blue', 'eu'], value: 3 },
    { name: 'weir_upstream_lost_tries_total', labels: ['shop', 'blue', 'us'], value: 10 },
    { name: 'weir_requests_total', labels: ['all', 'shop', 'blue', 'eu', '5xx'], value: 99 },
  ]);
  const blue = results.of('shop', 3600).versions.get('blue');
  assert.deepEqual([blue?.requests, blue?.errors], [100, 13]);
});

test('what is older than the window does not count, by minutes up to an hour and by hours up to a day', () => {
  const { clock, results, requests } = bench();
  for (let minute = 0; minute < 180; minute += 1) {
    results.add([answers('blue', 1)]);
    clock.advance(MINUTE);
  }
  assert.equal(requests('blue', 600), 10);
  assert.equal(requests('blue', 3600), 60);
  assert.equal(requests('blue', 7200), 120);
  assert.equal(requests('blue', 86_400), 180);
  clock.advance(30 * 3_600_000);
  assert.equal(requests('blue', 86_400), 0);
});

test('soon after the start the window is as long as there was anything to count', () => {
  const { clock, results } = bench();
  clock.advance(90_000);
  assert.equal(results.of('shop', 3600).seconds, 90);
  clock.advance(7_200_000);
  assert.equal(results.of('shop', 3600).seconds, 3600 + 30);
});

test('counts go on over a restart, with the window that they cover, and are stored within seconds', () => {
  const values = new Map<string, string>();
  const store = {
    getValue: (key: string) => values.get(key) ?? null,
    putValue: (key: string, value: string) => void values.set(key, value),
  };
  const { clock, results } = bench();
  const last = new LastResults(store, clock);
  clock.advance(30 * MINUTE);
  results.add([answers('blue', 90), { name: 'weir_upstream_errors_total', labels: ['shop', 'blue', 'eu'], value: 3 }]);
  last.write(results);
  results.add([answers('green', 10, 7)]);
  clock.advance(4999);
  last.write(results);
  clock.advance(1);
  last.write(results);

  const next = new VersionResults(() => clock.nowMs());
  new LastResults(store, clock).read(['shop', 'cart'], next);
  assert.deepEqual(next.of('shop', 3600), results.of('shop', 3600));
  assert.deepEqual(next.of('shop', 86_400), results.of('shop', 86_400));
  assert.equal(next.of('shop', 3600).seconds, 30 * 60 + 5, 'the window is as long as before');
  next.add([answers('green', 5, 7)]);
  assert.equal(next.of('shop', 3600).versions.get('green')?.requests, 15);
  next.keep({});
  new LastResults(store, clock).write(next);
  assert.equal(values.get('results.shop'), '', 'what has left the config is not kept');
});

test('what cannot be read, or is of a time that has not come, is not counted', () => {
  const { clock, results, requests } = bench();
  const store = {
    getValue: () => '{"sinceMs":1,"versions":{"blue":{"minutes":[[1e9,5,0,0,0,3,5]],"hours":[]}}}',
    putValue: () => undefined,
  };
  new LastResults(store, clock).read(['shop'], results);
  assert.equal(requests('blue', 3600), 0);
  new LastResults({ ...store, getValue: () => 'damaged' }, clock).read(['shop'], results);
  assert.equal(requests('blue', 3600), 0);
});

test('services that left the config are let go of', () => {
  const { results, requests } = bench();
  results.add([answers('blue', 1)]);
  results.keep({ cart: null });
  assert.equal(requests('blue', 60), 0);
});

test('a version is held against the baseline, with an interval that tells chance from difference', () => {
  const { results } = bench();
  const errors = (version: string, value: number): SeriesDelta => ({
    name: 'weir_upstream_errors_total',
    labels: ['shop', version, 'eu'],
    value,
  });
  results.add([answers('blue', 1000), errors('blue', 10), answers('green', 1000, 12), errors('green', 60)]);
  const { versions } = results.of('shop', 60);
  const [blue, green] = [versions.get('blue'), versions.get('green')];
  assert.ok(blue !== undefined && green !== undefined);
  assert.equal(resultOf(blue, null).difference, null);
  const { errorRatio, difference } = resultOf(green, blue);
  assert.equal(errorRatio, 0.06);
  assert.ok(difference !== null && Math.abs((difference.errorRatio.value ?? 0) - 0.05) < 1e-9);
  assert.ok((difference.errorRatio.low ?? 0) > 0.03 && (difference.errorRatio.high ?? 1) < 0.07);
  // Bucket 12 is from 100 to 150 ms, bucket 3 from 2.5 to 5 ms.
  assert.deepEqual([difference.p95Ms.low, difference.p95Ms.high], [95, 147.5]);
});
