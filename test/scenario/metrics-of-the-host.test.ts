// What Prometheus reads of a running host: requests, shares and states, from one endpoint for all processes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { startCollector } from '../support/collector.ts';
import { parseOpenMetrics } from '../support/open-metrics.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

test('requests of all workers, shares and states are in one exposition', async (t) => {
  const { yaml } = await startTwoClusters(t);
  // A probe that a busy machine answers late takes a cluster out for a moment, not for the ramp of a minute that follows.
  const returning = yaml.replaceAll('timeout: 150ms }', 'timeout: 150ms }, failback: { mode: auto }');
  const appliance = await startAppliance(t, { yaml: returning, untilProbed: true });
  for (let count = 0; count < 30; count += 1) await appliance.get();
  await until(async () => (await appliance.metricSum('weir_requests_total')) === 30, 'all requests are counted');
  assert.equal(await appliance.metricSum('weir_request_duration_seconds_count'), 30);
  await until(async () => (await appliance.metricSum('weir_workers_ready')) === 2, 'both workers are seen');
  const lines = [
    'weir_revision{host="test-edge"} 1',
    'weir_share_desired_ratio{service="shop",version="blue",cluster="one"} 0.63',
    'weir_share_effective_ratio{service="shop",version="green",cluster="two"} 0.1',
    'weir_cluster_health{cluster="one",state="up"} 1',
    'weir_cluster_health{cluster="one",state="down"} 0',
    'weir_cluster_admin{cluster="two",state="active"} 1',
    'weir_agent_state{cluster="one",state="absent"} 1',
    'weir_controller_restarts_total{host="test-edge"} 0',
  ];
  await until(
    async () => {
      const told = new Set((await appliance.metrics()).split('\n'));
      return lines.every((line) => told.has(line));
    },
    `all of these are told: ${lines.join(', ')}`,
  );
  const text = await appliance.metrics();
  assert.match(text, /^weir_process_heap_bytes\{worker="w1"\} \d{7,}$/m);
  assert.match(text, /^weir_process_resident_bytes\{worker="w2"\} \d{7,}$/m);
  assert.match(text, /^weir_probes_total\{cluster="one",outcome="success"\} \d+$/m);
});

test('in OpenMetrics the latency of a service leads to the traces that were exported, and to no others', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const collector = await startCollector(t);
  const tracing = `tracing: { export: { url: "${collector.url}" }, sample: 30% }\n`;
  const appliance = await startAppliance(t, { yaml: `${yaml}${tracing}`, workers: 1, untilProbed: true });
  for (let count = 0; count < 40; count += 1) await appliance.get();
  await until(async () => (await appliance.metricSum('weir_requests_total')) === 40, 'all requests are counted');
  const families = parseOpenMetrics(await appliance.metrics('application/openmetrics-text; version=1.0.0'));
  for (const name of ['weir_request_duration_seconds', 'weir_cluster_request_duration_seconds']) {
    const exemplars = families.get(name)?.samples.flatMap(({ exemplar }) => (exemplar === null ? [] : [exemplar])) ?? [];
    assert.ok(exemplars.length > 0);
    for (const { labels, value, timestamp } of exemplars) {
      const trace = labels['trace_id'] ?? '';
      await until(() => collector.spans.some(({ traceId }) => traceId === trace), `the trace ${trace} is exported`);
      assert.ok(value > 0 && Math.abs((timestamp ?? 0) * 1000 - Date.now()) < 60_000);
    }
  }
});

test('a change is in the gauges when its command returns', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, workers: 1, untilProbed: true });
  const shifted = await appliance.weir('shift', 'shop', 'green=37.5');
  assert.equal(shifted.code, 0, shifted.stderr);
  const text = await appliance.metrics();
  assert.match(text, /^weir_share_effective_ratio\{service="shop",version="green",cluster="two"\} 0\.375$/m);
  assert.match(text, /^weir_revision\{host="test-edge"\} 2$/m);
});

test('the counters of the controller itself rise from 0, so that a rate over them is defined', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, workers: 1 });
  assert.match(await appliance.metrics(), /^weir_worker_restarts_total\{host="test-edge"\} 0$/m);
});
