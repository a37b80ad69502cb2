// The request path of a worker on virtual time: real connections to real origins, and a client that only remembers what it was told.
import assert from 'node:assert/strict';
import { NOTHING_SHARED } from './filter-environment.ts';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import { loadConfig } from '../../balancer/config/load.ts';
import { formatProblem } from '../../balancer/config/problems.ts';
import type { Ejection } from '../../balancer/ipc.ts';
import type { DownstreamExchange, DownstreamListener } from '../../balancer/message/exchange.ts';
import { EXTENSIONS } from '../../balancer/registries.ts';
import type { AccessLog } from '../../balancer/telemetry/access-log.ts';
import { seedIntent } from '../../balancer/intent/seed.ts';
import { plan } from '../../balancer/steer/plan.ts';
import type { DemandView } from '../../balancer/steer/plan-shape.ts';
import { Meter } from '../../balancer/telemetry/meter.ts';
import type { MetricName } from '../../balancer/telemetry/metrics.ts';
import { Evidence } from '../../balancer/worker/evidence.ts';
import { Generation, RouteRuntime } from '../../balancer/worker/generation.ts';
import { BodyMemory } from '../../balancer/worker/kept-body.ts';
import { PinKey } from '../../balancer/steer/pins.ts';
import { RecentRequests } from '../../balancer/worker/recent-requests.ts';
import { Overload } from '../../balancer/worker/overload.ts';
import { Pipeline } from '../../balancer/worker/pipeline.ts';
import { AnswerStats, WorkerCounters } from '../../balancer/worker/stats.ts';
import type { WorkerContext } from '../../balancer/worker/worker-context.ts';
import { Deadlines } from '../../health/deadlines.ts';
import { TEST_ENVIRONMENT } from './config-text.ts';
import { healthView } from './fleet-config.ts';
import { ManualClock } from './manual-clock.ts';
import { aRequest } from './request.ts';
import { fixedRandom } from './seeded-random.ts';

/** What a client was told. */
export interface Told {
  status: number;
  body: string;
  ended: boolean;
  /** The client is gone. */
  leave(): void;
}

export interface PipelineBench {
  readonly clock: ManualClock;
  readonly ejections: readonly Ejection[];
  ask(method?: string): Told;
  /** What a counter has come to, over the series with these labels. */
  count(name: MetricName, ...labels: readonly string[]): number;
  /** Requests in work at endpoints. */
  readonly inFlight: number;
  /** The plan of a fleet that is up, under this demand. */
  serveAll(demand?: DemandView): void;
}

/** `clusters` and `services` of a config; all requests go to the service `shop`. */
export function startPipelineBench(t: TestContext, parts: object, accessLog: AccessLog | null = null): PipelineBench {
  const listeners = { web: { bind: '127.0.0.1:8080' } };
  const text = stringify({ version: 1, listeners, routes: [{ service: 'shop' }], ...parts });
  const result = loadConfig({ file: '/etc/weir/weir.yaml', text }, EXTENSIONS, TEST_ENVIRONMENT);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  const { config } = result;
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  deadlines.start();
  const meter = new Meter();
  const counters = new WorkerCounters(meter);
  const ejections: Ejection[] = [];
  const evidence = new Evidence({
    report: (ejection) => void ejections.push(ejection),
    countEjection: (cluster, reason) => counters.ejection(cluster, reason),
  });
  const environment = {
    ...{ deadlines, evidence, meter, random: fixedRandom(0.5), pinKey: new PinKey(), readFile: readFileSync },
    nowMs: () => 0,
    warn: () => undefined,
    clientRegions: null,
    clock,
    readSecret: () => null,
    ...NOTHING_SHARED,
  };
  const generation = new OneRoute({ number: 1, config }, new Map(), environment, null);
  t.after(() => {
    generation.retire(null);
    deadlines.close();
  });
  const context: WorkerContext = {
    ...{
      clock,
      deadlines,
      evidence,
      counters,
      accessLog,
      tracer: null,
      inFlight: 0,
      tunnels: new Set(),
      bodyMemory: new BodyMemory(),
      recent: new RecentRequests(),
      overload: new Overload(clock, meter),
    },
    nowMs: () => clock.nowMs(),
    unrouted: new AnswerStats(meter, { route: '', service: '', version: '', cluster: '' }),
  };
  const pipeline = new Pipeline(generation, context);
  const counted = new Map<string, number>();
  const count = (name: MetricName, labels: readonly string[]): number => {
    for (const series of meter.takeDelta()) {
      const key = [series.name, ...series.labels].join(' ');
      counted.set(key, (counted.get(key) ?? 0) + series.value);
    }
    const wanted = [...counted].filter(([key]) => labels.every((label) => key.split(' ').includes(label)) && key.startsWith(`${name} `));
    return wanted.reduce((sum, [, value]) => sum + value, 0);
  };
  return {
    ...{ clock, ejections },
    ask: (method = 'GET') => ask(pipeline, method, clock.nowMs()),
    count: (name, ...labels) => count(name, labels),
    serveAll: (demand = {}) => {
      const health = healthView(Object.fromEntries(Object.keys(config.clusters).map((name) => [name, 'up' as const])));
      const facts = {
        services: config.services,
        clusters: config.clusters,
        intent: seedIntent(config, null).intent,
        health,
        capacity: {},
        demand,
      };
      generation.applyPlan(plan({ ...facts, previous: null, nowMs: 0 }).plan);
    },
    get inFlight() {
      return [...generation.clusters.values()].flatMap(({ endpoints }) => endpoints).reduce((sum, { inFlight }) => sum + inFlight, 0);
    },
  };
}

class OneRoute extends Generation {
  #route: RouteRuntime | null = null;

  override match(): RouteRuntime {
    if (this.#route !== null) return this.#route;
    const [route] = this.config.routes;
    const service = this.services.get('shop');
    assert.ok(route !== undefined && service !== undefined);
    return (this.#route = new RouteRuntime(route, service, [], new Meter()));
  }
}

function ask(pipeline: Pipeline, method: string, startedMs: number): Told {
  let heard: DownstreamListener | null = null;
  const told: Told = { status: 0, body: '', ended: false, leave: () => heard?.onDownstreamFailed('client_closed', false) };
  const ended = (): void => {
    assert.ok(!told.ended, 'a request ends once');
    told.ended = true;
  };
  const exchange: DownstreamExchange = {
    ...{ request: aRequest({ method }), bodyLength: 0, startedMs, expectsContinue: false, upgrade: '' },
    get listener(): DownstreamListener {
      assert.ok(heard !== null);
      return heard;
    },
    set listener(listener) {
      heard = listener;
    },
    readBody: () => undefined,
    pauseBody: () => undefined,
    resumeBody: () => undefined,
    sendInformational: () => undefined,
    sendHead: (status) => {
      assert.equal(told.status, 0, 'a request has one answer');
      told.status = status;
    },
    sendBody: (chunk) => {
      told.body += chunk.toString('latin1');
      return true;
    },
    sendEnd: ended,
    flush: () => true,
    sendUpgrade: () => assert.fail('no upgrade was asked for'),
    abort: ended,
  };
  pipeline.onRequest(exchange);
  return told;
}
