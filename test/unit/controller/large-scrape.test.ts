// A scrape of 100 clusters and 1,000 services takes half a second of the controller at most, never holds it for long, and asks nothing of workers.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { HostMetrics } from '../../../balancer/controller/host-metrics.ts';
import { MetricsEndpoint } from '../../../balancer/controller/metrics-endpoint.ts';
import { silentLog } from '../../../balancer/log.ts';
import { Meter } from '../../../balancer/telemetry/meter.ts';
import { MetricsRegistry } from '../../../balancer/telemetry/registry.ts';
import { AnswerStats, TryStats } from '../../../balancer/worker/stats.ts';
import { freePort } from '../../support/free-port.ts';
import { LARGE, largeStatus } from '../../support/large-status.ts';
import { parseOpenMetrics } from '../../support/open-metrics.ts';

const SCRAPE_MS = 500;
/** Of one turn of the event loop, collection of garbage included. */
const TURN_MS = 50;

/** A controller to which two workers have told of requests at every place. */
function largeHost(): HostMetrics {
  const status = { ...largeStatus(1), revision: 7, plan: 3, generation: 2 };
  const registry = new MetricsRegistry();
  for (const worker of ['w1', 'w2']) {
    const meter = new Meter();
    for (const { name, targets } of status.services)
      for (const { version, cluster } of targets) {
        const answers = new AnswerStats(meter, { route: name, service: name, version, cluster });
        answers.record(200, 20);
        answers.traced(20, '0af7651916cd43dd8448eb211c80319c', 1_764_150_000_125);
        new TryStats(meter, [name, version, cluster]).answered(200, 18);
      }
    registry.add(worker, meter.takeDelta());
  }
  const prober = { held: () => new Map<string, boolean>() };
  const edge = { registry, meter: new Meter(), prober, keeper: { intent: { revision: 7 } }, loop: { number: 3 }, generation: 2 };
  const host = new HostMetrics(edge, { status: () => status, certificates: () => [] });
  host.tick();
  return host;
}

const cpuMs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.threadCpuUsage(since);
  return (user + system) / 1000;
};

/** CPU time of the thread: another process that takes the core makes none of it. */
function readAll(host: HostMetrics): { readonly ms: number; readonly longestMs: number; readonly chars: number } {
  const pieces = host.read('openmetrics');
  let [ms, longestMs, chars] = [0, 0, 0];
  for (;;) {
    const before = process.threadCpuUsage();
    const { done, value } = pieces.next();
    const took = cpuMs(before);
    ms += took;
    longestMs = Math.max(longestMs, took);
    if (done === true) return { ms, longestMs, chars };
    chars += value.length;
  }
}

test('it takes half a second at most, in turns of some milliseconds', (t: TestContext) => {
  const host = largeHost();
  const cold = readAll(host);
  const warm = readAll(host);
  const told = ({ ms, longestMs }: typeof cold): string => `${Math.round(ms)} ms, the longest turn ${Math.round(longestMs)} ms`;
  t.diagnostic(`${Math.round(warm.chars / 1e5) / 10} MB; the first time ${told(cold)}; then ${told(warm)}`);
  assert.ok(cold.ms <= SCRAPE_MS && warm.ms <= SCRAPE_MS, told(cold));
  assert.ok(cold.longestMs <= TURN_MS && warm.longestMs <= TURN_MS, told(cold));
});

test('over HTTP all of it arrives, in a twentieth of its size, and a strict reader takes it', async (t) => {
  const host = largeHost();
  const endpoint = new MetricsEndpoint((format) => host.read(format), silentLog);
  const port = await freePort();
  await endpoint.start({ host: '127.0.0.1', port });
  t.after(() => endpoint.close());
  const headers = { accept: 'application/openmetrics-text', 'accept-encoding': 'gzip' };
  const [text, size] = await rawly(`http://127.0.0.1:${port}/metrics`, headers);
  t.diagnostic(`${text.length} characters in ${size} bytes`);
  assert.ok(size < text.length / 10);
  const families = parseOpenMetrics(text);
  const places = LARGE.services * LARGE.targets;
  assert.equal(families.get('weir_share_effective_ratio')?.samples.length, places);
  assert.equal(families.get('weir_requests')?.samples.filter(({ value }) => value === 2).length, places);
  const counts = families.get('weir_request_duration_seconds')?.samples.filter(({ name }) => name.endsWith('_count')) ?? [];
  assert.equal(counts.length, LARGE.services * 2, 'of each service and version');
  assert.equal(families.get('weir_cluster_answer_seconds')?.samples.filter(({ name }) => name.endsWith('_count')).length, LARGE.clusters);
});

/** The text, and how many bytes it was on the wire. */
async function rawly(url: string, headers: Readonly<Record<string, string>>): Promise<readonly [string, number]> {
  const { request } = await import('node:http');
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  request(url, { headers, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => resolve(Buffer.concat(chunks)));
    response.on('error', reject);
  })
    .on('error', reject)
    .end();
  const bytes = await promise;
  return [gunzipSync(bytes).toString('utf8'), bytes.length];
}
