// What readers of metrics get: OpenMetrics that a strict reader takes, with exemplars of traces, or Prometheus' text; by what they ask for.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { formatFor } from '../../../balancer/telemetry/exposition.ts';
import { Meter } from '../../../balancer/telemetry/meter.ts';
import { METRICS } from '../../../balancer/telemetry/metrics.ts';
import { MetricsRegistry } from '../../../balancer/telemetry/registry.ts';
import { parseOpenMetrics } from '../../support/open-metrics.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const LATER = 'b7ad6b71692033318448eb211c80319c';
/** What Prometheus 2.42 and 3 ask with. */
const PROMETHEUS_2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';

/** Something of each kind, with what has to be escaped. */
function filled(): MetricsRegistry {
  const meter = new Meter();
  const duration = meter.histogram('weir_request_duration_seconds', ['shop', 'blue', 'one']);
  for (const value of [0.0004, 0.02, 0.022, 1, 75]) duration.observe(value);
  duration.exemplify(0.02, TRACE, 1_764_150_000_125);
  duration.exemplify(0.022, LATER, 1_764_150_000_250);
  duration.exemplify(75, TRACE, 1_764_150_001_000);
  meter.counter('weir_requests_total', ['a "quoted" \\ route', 'shop', 'blue', 'one', '2xx']).add(5);
  meter.gauge('weir_connections_open', ['web', 'w1']).set(3);
  meter.counter('weir_connections_total', ['web']).add(4);
  meter.gauge('weir_certificate_remaining_seconds', ['listener web', '/etc/weir/a.crt']).set(-12);
  const registry = new MetricsRegistry();
  registry.add('w1', meter.takeDelta());
  return registry;
}

test('a strict reader of OpenMetrics takes it all, and finds what was counted', () => {
  const families = parseOpenMetrics(filled().text('openmetrics'));
  assert.equal(families.size, Object.keys(METRICS).length);
  const requests = families.get('weir_requests');
  assert.deepEqual([requests?.type, requests?.unit], ['counter', '']);
  assert.deepEqual(requests?.samples, [
    {
      name: 'weir_requests_total',
      labels: { route: 'a "quoted" \\ route', service: 'shop', version: 'blue', cluster: 'one', code_class: '2xx' },
      value: 5,
      exemplar: null,
    },
  ]);
  assert.deepEqual([families.get('weir_connections_open')?.samples[0]?.value, families.get('weir_connections')?.samples[0]?.value], [3, 4]);
  assert.equal(families.get('weir_certificate_remaining_seconds')?.samples[0]?.value, -12);
  const { type, unit, samples } = families.get('weir_request_duration_seconds') ?? {};
  assert.deepEqual([type, unit, samples?.length], ['histogram', 'seconds', METRICS.weir_request_duration_seconds.buckets.length + 3]);
});

test('a bucket has the newest request with a trace as its exemplar, for the service and version and for the cluster', () => {
  const families = parseOpenMetrics(filled().text('openmetrics'));
  for (const name of ['weir_request_duration_seconds', 'weir_cluster_request_duration_seconds']) {
    const exemplars = families.get(name)?.samples.flatMap(({ labels, exemplar }) => (exemplar === null ? [] : [[labels['le'], exemplar]]));
    assert.deepEqual(exemplars, [
      ['0.025', { labels: { trace_id: LATER }, value: 0.022, timestamp: 1_764_150_000.25 }],
      ['+Inf', { labels: { trace_id: TRACE }, value: 75, timestamp: 1_764_150_001 }],
    ]);
  }
});

test('an exemplar stays until a newer one takes its place', () => {
  const registry = filled();
  const meter = new Meter();
  meter.histogram('weir_request_duration_seconds', ['shop', 'blue', 'two']).observe(0.02);
  registry.add('w2', meter.takeDelta());
  const bucket = parseOpenMetrics(registry.text('openmetrics'))
    .get('weir_request_duration_seconds')
    ?.samples.find(({ labels }) => labels['le'] === '0.025');
  assert.deepEqual([bucket?.value, bucket?.exemplar?.labels], [4, { trace_id: LATER }]);
});

test('the text format has neither exemplars nor units', () => {
  const text = filled().text('text');
  assert.doesNotMatch(text, /trace_id|# UNIT|# EOF/);
  assert.match(text, /^# TYPE weir_requests_total counter$/m);
});

test('the text is what prom-client writes of the same numbers', async () => {
  const known = new Registry();
  const common = { registers: [known], help: 'the same' };
  const { buckets } = METRICS.weir_request_duration_seconds;
  const labelNames = ['route', 'service', 'version', 'cluster', 'code_class'];
  new Counter({ ...common, name: 'weir_requests_total', labelNames }).inc(
    { route: 'a "quoted" \\ route', service: 'shop', version: 'blue', cluster: 'one', code_class: '2xx' },
    5,
  );
  new Counter({ ...common, name: 'weir_connections_total', labelNames: ['listener'] }).inc({ listener: 'web' }, 4);
  new Gauge({ ...common, name: 'weir_connections_open', labelNames: ['listener', 'worker'] }).set({ listener: 'web', worker: 'w1' }, 3);
  new Gauge({ ...common, name: 'weir_certificate_remaining_seconds', labelNames: ['use', 'certificate'] }).set(
    { use: 'listener web', certificate: '/etc/weir/a.crt' },
    -12,
  );
  const histogram = { ...common, buckets: [...buckets] };
  const duration = new Histogram({ ...histogram, name: 'weir_request_duration_seconds', labelNames: ['service', 'version'] });
  const ofCluster = new Histogram({ ...histogram, name: 'weir_cluster_request_duration_seconds', labelNames: ['cluster'] });
  for (const value of [0.0004, 0.02, 0.022, 1, 75]) {
    duration.observe({ service: 'shop', version: 'blue' }, value);
    ofCluster.observe({ cluster: 'one' }, value);
  }
  // It has the bound first among the labels of a bucket; the order means nothing.
  const samples = (text: string): readonly string[] =>
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.replace(/\{(le="[^"]*"),(.*)\} /, '{$2,$1} '))
      .sort();
  assert.deepEqual(samples(filled().text('text')), samples(await known.metrics()));
});

for (const [accept, format] of [
  [undefined, 'text'],
  ['*/*', 'text'],
  ['text/plain', 'text'],
  [PROMETHEUS_2, 'openmetrics'],
  [PROMETHEUS_3, 'openmetrics'],
  ['application/openmetrics-text', 'openmetrics'],
  ['application/openmetrics-text; version=0.0.1', 'text'],
  ['Application/OpenMetrics-Text; Version="1.0.0"; charset=utf-8', 'openmetrics'],
  ['application/openmetrics-text;q=0, text/plain', 'text'],
  ['application/openmetrics-text;q=0.4, text/plain;q=0.5', 'text'],
] as const)
  test(`who asks with ${accept ?? 'nothing'} gets ${format}`, () => {
    assert.equal(formatFor(accept), format);
  });

/** With a time behind each value, as promtool wants them. */
const timed = (text: string): string => text.replace(/^(weir_\w+(?:\{[^}]*\})? \S+)/gm, '$1 1764150001');

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined;

test(
  "Prometheus' own parser takes the text and finds nothing to say against it",
  { skip: hasPromtool ? false : 'there is no promtool' },
  () => {
    const { status, stderr, stdout } = spawnSync('promtool', ['check', 'metrics'], { input: filled().text('text'), encoding: 'utf8' });
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
  },
);

test(
  "Prometheus' own parser of OpenMetrics takes that, exemplars included",
  { skip: hasPromtool ? false : 'there is no promtool' },
  (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'weir-exposition-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const file = join(directory, 'metrics');
    const read = (text: string): number | null => {
      writeFileSync(file, text);
      return spawnSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', file, join(directory, 'blocks')]).status;
    };
    const text = timed(filled().text('openmetrics'));
    assert.match(text, / 1764150001 # \{trace_id="\w{32}"\} 0\.022 1764150000\.25$/m);
    assert.equal(read(text), 0);
    assert.notEqual(read(text.replace('# {trace_id', '# trace_id')), 0, 'it does read exemplars');
  },
);
