// The data plane alone: a real worker on real sockets in this process, told by the test what a controller would tell it.
import { createServer, type Socket } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import type { Config } from '../../balancer/config/config.ts';
import { loadConfig } from '../../balancer/config/load.ts';
import { formatProblem } from '../../balancer/config/problems.ts';
import { decodeWorkerMessage, encodeMessage, type WorkerMessage } from '../../balancer/ipc.ts';
import { encodeGeneration } from '../../balancer/ipc-generation.ts';
import { LineReader } from '../../balancer/ipc-lines.ts';
import { seedIntent } from '../../balancer/intent/seed.ts';
import { OneTimeUses } from '../../balancer/controller/one-time-uses.ts';
import { SessionEnds } from '../../balancer/controller/session-ends.ts';
import { systemClock } from '../../health/clock.ts';
import { silentLog } from '../../balancer/log.ts';
import { EXTENSIONS } from '../../balancer/registries.ts';
import type { HealthView, Plan } from '../../balancer/steer/plan-shape.ts';
import { plan, type PlanFacts } from '../../balancer/steer/plan.ts';
import type { MetricName } from '../../balancer/telemetry/metrics.ts';
import { Worker } from '../../balancer/worker/worker.ts';
import { freePort } from './free-port.ts';

type Part = Readonly<Record<string, unknown>>;

export interface ProxyOptions {
  /** Of the cluster `one`. */
  readonly endpoints: readonly string[];
  /** Written over the listener, cluster, service and route of the config. */
  readonly listener?: Part;
  readonly cluster?: Part;
  readonly service?: Part;
  readonly route?: Part;
  /** Clusters and services besides, and routes instead. */
  readonly clusters?: Part;
  readonly services?: Part;
  readonly routes?: readonly Part[];
  /** Behind the first; their service is the same. */
  readonly moreRoutes?: readonly Part[];
  /** Other parts of the file: consumers, credentials. */
  readonly parts?: Part;
  /** What the plan is made for; default: nothing is known. */
  readonly demand?: Pick<PlanFacts, 'demand' | 'classDemand'>;
}

export interface Proxy {
  readonly port: number;
  readonly url: string;
  /** What the worker said to its controller. */
  readonly said: readonly WorkerMessage[];
  /** The last value of a gauge that the worker has reported, over all its series; -1: none yet. */
  gauge(name: string): number;
  drain(deadlineMs: number): void;
  /** Settles when the worker has drained. */
  readonly drained: Promise<undefined>;
}

export async function startProxy(t: Pick<TestContext, 'after'>, options: ProxyOptions): Promise<Proxy> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-proxy-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const port = await freePort();
  const config = configOf(directory, port, options);
  const said: WorkerMessage[] = [];
  const ready = Promise.withResolvers<undefined>();
  const told = { config, plan: planOf(config, options.demand ?? { demand: {} }) };
  const stopTelling = await startTeller(join(directory, 'ipc.sock'), told, (message) => {
    said.push(message);
    if (message.type === 'generation_failed') ready.reject(new Error(`the worker does not serve: ${message.problem}`));
  });
  const drained = Promise.withResolvers<undefined>();
  const parent = { onReady: () => ready.resolve(undefined), onDraining: () => undefined, onDrained: () => drained.resolve(undefined) };
  const worker = new Worker({ worker: 'w1', stateDir: directory, log: silentLog }, parent);
  worker.start();
  t.after(async () => {
    worker.drain(0);
    await drained.promise;
    stopTelling();
  });
  await ready.promise;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    said,
    gauge: (name) => lastGauge(said, name),
    drain: (deadlineMs) => worker.drain(deadlineMs),
    drained: drained.promise,
  };
}

/** What a counter of the worker has come to, as far as it was told; it is told once a second. */
export function countOf(proxy: Proxy, name: MetricName, ...labels: readonly string[]): number {
  let count = 0;
  for (const message of proxy.said) {
    if (message.type !== 'metrics') continue;
    for (const series of message.delta)
      if (series.name === name && labels.every((label) => series.labels.includes(label))) count += series.value;
  }
  return count;
}

function configOf(directory: string, port: number, options: ProxyOptions): Config {
  const { endpoints, listener, cluster, service, route, moreRoutes = [] } = options;
  const text = stringify({
    version: 1,
    state: { dir: directory },
    // The clients of a test are in the same process, so a busy loop says nothing of the worker.
    overloadDelay: 0,
    listeners: { web: { bind: `127.0.0.1:${port}`, ...listener } },
    clusters: { one: { endpoints, health: 'none', ...cluster }, ...options.clusters },
    services: { shop: { versions: { blue: { clusters: { one: {} } } }, ...service }, ...options.services },
    ...options.parts,
    routes: options.routes ?? [{ name: 'all', service: 'shop', ...route }, ...moreRoutes.map((more) => ({ service: 'shop', ...more }))],
  });
  const result = loadConfig({ file: join(directory, 'weir.yaml'), text }, EXTENSIONS, { cores: 1, hostName: 'test', readable: () => true });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

const NO_USES = { oneTimeUses: () => [], putOneTimeUses: () => undefined };
const NO_MARKS = { sessionMarks: () => [], putSessionMarks: () => undefined };

/** Says generation and plan to whoever says hello, and acknowledges metrics: all a worker needs to serve. */
async function startTeller(
  path: string,
  told: { readonly config: Config; readonly plan: Plan },
  onSaid: (message: WorkerMessage) => void,
): Promise<() => void> {
  const sockets = new Set<Socket>();
  const ends = new SessionEnds({
    ...{ clock: systemClock, store: NO_MARKS, tell: () => undefined, fleet: null },
    send: (message) => sockets.forEach((socket) => socket.write(encodeMessage(message))),
  });
  const uses = new OneTimeUses({ clock: systemClock, store: NO_USES, tell: () => undefined, remembered: () => undefined, fleet: null });
  const server = createServer((socket) => {
    const reader = new LineReader();
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      for (const line of reader.push(chunk)) {
        const message = decodeWorkerMessage(line);
        if (message === null || message.type === 'foreign') continue;
        onSaid(message);
        if (message.type === 'metrics') socket.write(encodeMessage({ type: 'metrics_ack', sequence: message.sequence }));
        if (message.type === 'session_end') ends.hear(message, (answer) => socket.write(encodeMessage(answer)));
        if (message.type === 'uses_wanted') uses.hear(message, (answer) => socket.write(encodeMessage(answer)));
        if (message.type === 'flight_wanted') socket.write(encodeMessage({ type: 'flight', key: message.key, state: 'yours', text: '' }));
        if (message.type !== 'hello') continue;
        for (const line of encodeGeneration(1, told.config)) socket.write(line);
        socket.write(encodeMessage({ type: 'plan', plan: 1, value: told.plan }));
      }
    });
  });
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.listen(path, () => resolve(undefined));
  await promise;
  return () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
}

/** The sum over the series of a counter that the worker has reported so far, by their label values joined with `/`. */
export function reported({ said }: Proxy, name: string, labels = /(?:)/): number {
  const series = said.flatMap((message) => (message.type === 'metrics' ? message.delta : []));
  return series.filter((one) => one.name === name && labels.test(one.labels.join('/'))).reduce((sum, { value }) => sum + value, 0);
}

function lastGauge(said: readonly WorkerMessage[], name: string): number {
  const last = said.findLast((message) => message.type === 'metrics' && message.delta.some((series) => series.name === name));
  if (last?.type !== 'metrics') return -1;
  return last.delta.filter((series) => series.name === name).reduce((sum, { value }) => sum + value, 0);
}

/** Every endpoint up. */
function planOf(config: Config, demand: Pick<PlanFacts, 'demand' | 'classDemand'>): Plan {
  const clusters: HealthView['clusters'] = Object.fromEntries(
    Object.values(config.clusters).map(({ name, endpoints }) => [
      name,
      { state: 'up', endpoints: endpoints.map(({ id }) => ({ endpoint: id, state: 'up' as const })) },
    ]),
  );
  const { intent } = seedIntent(config, null);
  const { services } = config;
  const health = { clusters, ejectedTargets: [] };
  return plan({ services, clusters: config.clusters, intent, health, capacity: {}, ...demand, previous: null, nowMs: 0 }).plan;
}
