// The last minute of traffic, second by second, on a clock that stands still until it is moved.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Meter } from '../../../balancer/telemetry/meter.ts';
import { TrafficWindow } from '../../../balancer/telemetry/window.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const TARGET = { of: 'target', service: 'shop', version: 'blue', cluster: 'one' } as const;

/** A window with a meter that feeds it. */
class Traffic {
  readonly clock = new ManualClock(5000);
  readonly meter = new Meter();
  readonly window = new TrafficWindow(() => this.clock.nowMs());

  requests(count: number, codeClass: string, cluster = 'one'): void {
    this.meter.counter('weir_requests_total', ['all', 'shop', cluster === '' ? '' : 'blue', cluster, codeClass]).add(count);
  }

  latency(seconds: number, count: number): void {
    const histogram = this.meter.histogram('weir_request_duration_seconds', ['shop', 'blue', 'one']);
    for (let each = 0; each < count; each += 1) histogram.observe(seconds);
  }

  /** What was counted arrives, and a second passes. */
  second(): void {
    this.window.add(this.meter.takeDelta());
    this.clock.advance(1000);
  }
}

test('how long answers took is told as a geometric mean, in which what is below 20 ms counts as that', () => {
  const traffic = new Traffic();
  const histogram = traffic.meter.histogram('weir_upstream_answer_seconds', ['shop', 'blue', 'one']);
  assert.deepEqual(traffic.window.answers(TARGET, 5), { answers: 0, answerMs: null, errorRatio: 0 });
  for (let each = 0; each < 30; each += 1) histogram.observe(0.002);
  traffic.second();
  const { answers, answerMs } = traffic.window.answers(TARGET, 5);
  assert.equal(answers, 30);
  assert.ok(Math.abs((answerMs ?? 0) - 20) < 1e-9);
  for (let each = 0; each < 30; each += 1) histogram.observe(2);
  traffic.second();
  traffic.meter.counter('weir_upstream_errors_total', ['shop', 'blue', 'one']).add(15);
  traffic.second();
  assert.equal(traffic.window.answers(TARGET, 5).errorRatio, 0.25);
  // Two seconds stand in the bucket from 1.5 to 2.5.
  const expected = Math.sqrt(20 * 1000 * Math.sqrt(1.5 * 2.5));
  assert.ok(Math.abs((traffic.window.answers(TARGET, 5).answerMs ?? 0) - expected) < 1e-6);
});

test('rate and error ratio are those of the last complete seconds', () => {
  const traffic = new Traffic();
  for (let second = 0; second < 20; second += 1) {
    traffic.requests(second < 10 ? 100 : 30, '2xx');
    traffic.requests(second < 10 ? 0 : 10, '5xx');
    traffic.second();
  }
  const { windowSeconds, rps, errorRatio } = traffic.window.figures(TARGET);
  assert.deepEqual({ windowSeconds, rps, errorRatio }, { windowSeconds: 10, rps: 40, errorRatio: 0.25 });
});

test('a connection that is passed through counts as one request, by what became of it', () => {
  const traffic = new Traffic();
  const connections = (outcome: string, count: number): void =>
    traffic.meter.counter('weir_l4_connections_total', ['db', 'all', 'shop', 'blue', 'one', outcome]).add(count);
  connections('established', 6);
  connections('client_closed', 1);
  connections('connect_failed', 3);
  traffic.second();
  for (const whose of [TARGET, { of: 'route', route: 'all' }, { of: 'cluster', cluster: 'one' }] as const) {
    const { rps, errorRatio } = traffic.window.figures(whose);
    assert.deepEqual([rps, errorRatio], [10, 0.3], whose.of);
  }
});

test('what arrives in the second that runs is not yet in the figures', () => {
  const traffic = new Traffic();
  traffic.clock.advance(20_000);
  traffic.requests(50, '2xx');
  traffic.window.add(traffic.meter.takeDelta());
  assert.equal(traffic.window.rps({ of: 'all' }), 0);
  traffic.clock.advance(1000);
  assert.equal(traffic.window.rps({ of: 'all' }), 5);
});

test('soon after the start the rate is over the seconds there were', () => {
  const traffic = new Traffic();
  traffic.requests(60, '2xx');
  traffic.second();
  traffic.requests(20, '2xx');
  traffic.second();
  assert.equal(traffic.window.figures({ of: 'all' }).windowSeconds, 2);
  assert.equal(traffic.window.rps({ of: 'all' }), 40);
});

test('a request counts for its route, service, cluster and target; an answer of weir itself for no cluster', () => {
  const traffic = new Traffic();
  traffic.requests(8, '2xx');
  traffic.requests(2, '5xx', '');
  traffic.second();
  assert.equal(traffic.window.rps({ of: 'route', route: 'all' }), 10);
  assert.equal(traffic.window.rps({ of: 'service', service: 'shop' }), 10);
  assert.equal(traffic.window.rps({ of: 'cluster', cluster: 'one' }), 8);
  assert.equal(traffic.window.rps(TARGET), 8);
  assert.equal(traffic.window.figures({ of: 'service', service: 'shop' }).errorRatio, 0.2);
});

test('percentiles lie within the bucket that holds them, and there are none without a request', () => {
  const traffic = new Traffic();
  assert.equal(traffic.window.figures(TARGET).p50Ms, null);
  traffic.latency(0.004, 90);
  traffic.latency(0.2, 10);
  traffic.second();
  const { p50Ms, p95Ms, p99Ms } = traffic.window.figures(TARGET);
  assert.ok(p50Ms !== null && p95Ms !== null && p99Ms !== null);
  // Buckets: 2.5 to 5 ms, 150 to 250 ms. Ranks 50 of 90, 5 and 9 of 10 within them.
  assert.equal(Math.round(p50Ms * 1000) / 1000, Math.round((2.5 + 2.5 * (50 / 90)) * 1000) / 1000);
  assert.equal(Math.round(p95Ms), 200);
  assert.equal(Math.round(p99Ms), 240);
});

test('the trend is one number per second, oldest first, up to a minute', () => {
  const traffic = new Traffic();
  for (let second = 1; second <= 70; second += 1) {
    traffic.requests(second, '2xx');
    traffic.second();
  }
  const trend = traffic.window.trend({ of: 'cluster', cluster: 'one' });
  assert.deepEqual(
    trend,
    Array.from({ length: 60 }, (_, index) => index + 11),
  );
});

test('what had no request for a minute is let go of', () => {
  const traffic = new Traffic();
  traffic.requests(5, '2xx');
  traffic.second();
  traffic.window.prune();
  assert.equal(traffic.window.trend(TARGET).at(-1), 5);
  traffic.clock.advance(61_000);
  traffic.window.prune();
  assert.deepEqual(new Set(traffic.window.trend(TARGET)), new Set([0]));
});

test('what rules took before the split is counted apart, for the service, the target and the cluster', () => {
  const traffic = new Traffic();
  traffic.requests(100, '2xx');
  traffic.meter.counter('weir_assigned_requests_total', ['shop', 'blue', 'one']).add(30);
  traffic.second();
  assert.equal(traffic.window.rps(TARGET, 1), 100);
  assert.equal(traffic.window.splitRps(TARGET, 1), 70);
  assert.equal(traffic.window.splitRps({ of: 'service', service: 'shop' }, 1), 70);
  assert.equal(traffic.window.assignedRps({ of: 'cluster', cluster: 'one' }, 1), 30);
});

test('new clients that were given a place are counted apart from requests', () => {
  const traffic = new Traffic();
  traffic.requests(100, '2xx');
  traffic.meter.counter('weir_assignments_total', ['shop', 'blue', 'one']).add(3);
  traffic.meter.counter('weir_assignments_total', ['shop', 'green', 'one']).add(1);
  traffic.second();
  assert.deepEqual([traffic.window.newRps(TARGET, 1), traffic.window.newRps({ of: 'service', service: 'shop' }, 1)], [3, 4]);
  traffic.clock.advance(62_000);
  traffic.window.prune();
  assert.equal(traffic.window.newRps(TARGET, 60), 0);
});
