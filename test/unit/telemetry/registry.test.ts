// One registry for all processes: counters only rise, what a process held goes with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRICS, type SeriesDelta } from '../../../balancer/telemetry/meter.ts';
import { MetricsRegistry } from '../../../balancer/telemetry/registry.ts';

const LABELS = ['all', 'shop', 'blue', 'one', '2xx'];
const requests = (value: number): SeriesDelta => ({ name: 'weir_requests_total', labels: LABELS, value });
const tunnels = (worker: string, value: number): SeriesDelta => ({ name: 'weir_tunnels', labels: [worker], value });

/** The lines of one metric, without its help. */
function linesOf(registry: MetricsRegistry, name: string): readonly string[] {
  return registry
    .text()
    .split('\n')
    .filter((line) => line.startsWith(name));
}

test('increases of all workers add up, and stay when a worker is forgotten', () => {
  const registry = new MetricsRegistry();
  registry.add('w1', [requests(3)]);
  registry.add('w2', [requests(4)]);
  registry.forget('w1');
  registry.add('w1', [requests(1)]);
  assert.deepEqual(linesOf(registry, 'weir_requests_total'), [
    'weir_requests_total{route="all",service="shop",version="blue",cluster="one",code_class="2xx"} 8',
  ]);
});

test('the gauges of a forgotten worker are gone, those of others stay', () => {
  const registry = new MetricsRegistry();
  registry.add('w1', [tunnels('w1', 5)]);
  registry.add('w2', [tunnels('w2', 6)]);
  registry.forget('w1');
  assert.deepEqual(linesOf(registry, 'weir_tunnels'), ['weir_tunnels{worker="w2"} 6']);
});

test('a gauge that is not in the newest set of its metric is gone, and other metrics are left alone', () => {
  const registry = new MetricsRegistry();
  const held = (listener: string): SeriesDelta => ({ name: 'weir_connections_open', labels: [listener, 'w1'], value: 1 });
  registry.add('w1', [held('web'), held('old'), tunnels('w1', 2)]);
  registry.add('w1', [requests(1)]);
  assert.equal(linesOf(registry, 'weir_connections_open{').length, 2);
  registry.add('w1', [held('web')]);
  assert.deepEqual(linesOf(registry, 'weir_connections_open{'), ['weir_connections_open{listener="web",worker="w1"} 1']);
  assert.equal(linesOf(registry, 'weir_tunnels').length, 1);
});

test('bucket counts of several workers become one cumulative histogram', () => {
  const registry = new MetricsRegistry();
  const bounds = METRICS.weir_request_duration_seconds.buckets;
  const seen = (index: number, count: number, value: number): SeriesDelta => {
    const buckets = new Array<number>(bounds.length + 1).fill(0);
    buckets[index] = count;
    return { name: 'weir_request_duration_seconds', labels: ['shop', 'blue', 'one'], value, buckets };
  };
  registry.add('w1', [seen(0, 2, 0.001)]);
  registry.add('w2', [seen(1, 3, 0.003)]);
  registry.add('w2', [seen(bounds.length, 1, 70)]);
  const lines = linesOf(registry, 'weir_request_duration_seconds');
  const labels = 'service="shop",version="blue"';
  assert.equal(lines.length, bounds.length + 3);
  assert.equal(lines[0], `weir_request_duration_seconds_bucket{${labels},le="0.0005"} 2`);
  assert.equal(lines[1], `weir_request_duration_seconds_bucket{${labels},le="0.001"} 5`);
  assert.equal(lines.at(-4), `weir_request_duration_seconds_bucket{${labels},le="60"} 5`);
  assert.equal(lines.at(-3), `weir_request_duration_seconds_bucket{${labels},le="+Inf"} 6`);
  assert.equal(lines.at(-2), `weir_request_duration_seconds_sum{${labels}} 70.004`);
  assert.equal(lines.at(-1), `weir_request_duration_seconds_count{${labels}} 6`);
});

test('latency is told for each service and version, and for each cluster, never for the three at once', () => {
  const registry = new MetricsRegistry();
  const bounds = METRICS.weir_request_duration_seconds.buckets;
  const seen = (labels: readonly string[], count: number): SeriesDelta => {
    const buckets = new Array<number>(bounds.length + 1).fill(0);
    buckets[0] = count;
    return { name: 'weir_request_duration_seconds', labels, value: count / 4096, buckets };
  };
  registry.add('w1', [seen(['shop', 'blue', 'one'], 1), seen(['shop', 'blue', 'two'], 2), seen(['shop', 'green', 'two'], 4)]);
  registry.add('w2', [seen(['cart', 'blue', 'one'], 8), seen(['cart', '', ''], 16)]);
  assert.deepEqual(linesOf(registry, 'weir_request_duration_seconds_count'), [
    'weir_request_duration_seconds_count{service="shop",version="blue"} 3',
    'weir_request_duration_seconds_count{service="shop",version="green"} 4',
    'weir_request_duration_seconds_count{service="cart",version="blue"} 8',
    'weir_request_duration_seconds_count{service="cart",version=""} 16',
  ]);
  assert.deepEqual(linesOf(registry, 'weir_cluster_request_duration_seconds_count'), [
    'weir_cluster_request_duration_seconds_count{cluster="one"} 9',
    'weir_cluster_request_duration_seconds_count{cluster="two"} 6',
  ]);
  assert.equal(linesOf(registry, 'weir_cluster_request_duration_seconds_sum{cluster="two"}')[0]?.split(' ').at(-1), String(6 / 4096));
});

test('numbers that are none, decreases and series of another shape count nothing', () => {
  const registry = new MetricsRegistry();
  registry.add('w1', [requests(2)]);
  registry.add('w1', [requests(Number.NaN), requests(Infinity), requests(-1), { ...requests(5), labels: ['all'] }]);
  registry.add('w1', [{ name: 'weir_request_duration_seconds', labels: ['shop', 'blue', 'one'], value: 1, buckets: [1] }]);
  assert.equal(linesOf(registry, 'weir_requests_total')[0]?.split(' ').at(-1), '2');
  assert.deepEqual(linesOf(registry, 'weir_request_duration_seconds'), []);
});

test('every metric of the list is described', () => {
  const text = new MetricsRegistry().text();
  for (const [name, { kind }] of Object.entries(METRICS)) {
    assert.match(text, new RegExp(`^# HELP ${name} \\S`, 'm'));
    assert.match(text, new RegExp(`^# TYPE ${name} ${kind}$`, 'm'));
  }
});
