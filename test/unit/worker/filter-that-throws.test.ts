// A bug in a filter: the request that meets it gets 500, is counted once, and nothing else happens to the worker.
import assert from 'node:assert/strict';
import { NOTHING_SHARED } from '../../support/filter-environment.ts';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../../health/clock.ts';
import { Deadlines } from '../../../health/deadlines.ts';
import { loadConfig } from '../../../balancer/config/load.ts';
import type { Filter } from '../../../balancer/filter/filter.ts';
import type { DownstreamExchange, DownstreamListener } from '../../../balancer/message/exchange.ts';
import { EXTENSIONS } from '../../../balancer/registries.ts';
import { Meter } from '../../../balancer/telemetry/meter.ts';
import { Evidence } from '../../../balancer/worker/evidence.ts';
import { Generation, RouteRuntime } from '../../../balancer/worker/generation.ts';
import { BodyMemory } from '../../../balancer/worker/kept-body.ts';
import { PinKey } from '../../../balancer/steer/pins.ts';
import { RecentRequests } from '../../../balancer/worker/recent-requests.ts';
import { Overload } from '../../../balancer/worker/overload.ts';
import { Pipeline } from '../../../balancer/worker/pipeline.ts';
import { AnswerStats, WorkerCounters } from '../../../balancer/worker/stats.ts';
import type { WorkerContext } from '../../../balancer/worker/worker-context.ts';
import { SMALL_CONFIG, TEST_ENVIRONMENT } from '../../support/config-text.ts';
import { named, startOrigin } from '../../support/origin.ts';
import { fixedRandom } from '../../support/seeded-random.ts';
import { until } from '../../support/until.ts';

const broken = (): never => {
  throw new Error('a bug');
};

for (const [phase, filter] of [
  ['onRequest', { onRequest: broken }],
  ['onRequest, later', { onRequest: () => Promise.reject(new Error('a bug')) }],
  ['onResponse', { onResponse: broken }],
] as const) {
  test(`a filter that throws in ${phase} costs its request 500, and nobody else anything`, async (t) => {
    const ends: number[] = [];
    const worker = await startPipeline(t, [filter, { onEnd: (_request, { status }) => void ends.push(status) }]);
    const answer = worker.ask();
    await until(() => answer.ended === 1, 'the answer');
    assert.equal(answer.status, 500);
    assert.match(answer.body, /"code":"internal"/);
    assert.deepEqual(ends, [500]);
    assert.equal(worker.context.inFlight, 0);
    assert.equal(worker.exceptions(), 1);
    assert.equal(worker.endpointsInFlight(), 0);
  });
}

test('a filter that throws in onEnd changes no answer, and the others still hear of the end', async (t) => {
  const ends: number[] = [];
  const worker = await startPipeline(t, [{ onEnd: (_request, { status }) => void ends.push(status) }, { onEnd: broken }]);
  const answer = worker.ask();
  await until(() => answer.ended === 1, 'the answer');
  assert.deepEqual([answer.status, answer.body, ends, worker.context.inFlight], [200, 'origin', [200], 0]);
  assert.equal(worker.exceptions(), 1);
});

test('no filter sees a request again that ended while another was thinking', async (t) => {
  const thinking = Promise.withResolvers<undefined>();
  const seen: string[] = [];
  const worker = await startPipeline(t, [
    { onRequest: () => thinking.promise },
    {
      onRequest: () => {
        seen.push('request');
        return undefined;
      },
      onEnd: () => void seen.push('end'),
    },
  ]);
  const answer = worker.ask();
  answer.listener.onDownstreamFailed('client_closed', false);
  thinking.resolve(undefined);
  await thinking.promise;
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  assert.deepEqual(seen, ['end']);
});

interface Answer {
  status: number;
  body: string;
  ended: number;
  listener: DownstreamListener;
}

interface Bench {
  readonly context: WorkerContext;
  ask(): Answer;
  exceptions(): number;
  endpointsInFlight(): number;
}

/** A pipeline whose only route has these filters, before a real origin. */
async function startPipeline(t: TestContext, filters: readonly Filter[]): Promise<Bench> {
  const origin = await startOrigin(t, named('origin'));
  const text = SMALL_CONFIG.replace('http://127.0.0.1:9001', origin.endpoint);
  const result = loadConfig({ file: '/etc/weir/weir.yaml', text }, EXTENSIONS, TEST_ENVIRONMENT);
  assert.ok(result.ok);
  const { config } = result;
  const deadlines = new Deadlines(systemClock);
  const meter = new Meter();
  const counters = new WorkerCounters(meter);
  const evidence = new Evidence({ report: () => undefined, countEjection: (cluster, reason) => counters.ejection(cluster, reason) });
  const environment = {
    deadlines,
    random: fixedRandom(0.5),
    evidence,
    meter,
    pinKey: new PinKey(),
    clientRegions: null,
    readFile: readFileSync,
    clock: systemClock,
    readSecret: () => null,
    ...NOTHING_SHARED,
    nowMs: () => 0,
    warn: () => undefined,
  };
  const [routeConfig] = config.routes;
  assert.ok(routeConfig !== undefined);
  class Filtered extends Generation {
    readonly #route = new RouteRuntime(routeConfig as NonNullable<typeof routeConfig>, this.#service(), filters, meter);
    #service(): RouteRuntime['service'] {
      const service = this.services.get('shop');
      assert.ok(service !== undefined);
      return service;
    }
    override match(): RouteRuntime {
      return this.#route;
    }
  }
  const generation = new Filtered({ number: 1, config }, new Map(), environment, null);
  t.after(() => generation.retire(null));
  const context: WorkerContext = {
    clock: systemClock,
    nowMs: () => systemClock.nowMs(),
    deadlines,
    evidence,
    counters,
    unrouted: new AnswerStats(meter, { route: '', service: '', version: '', cluster: '' }),
    accessLog: null,
    tracer: null,
    inFlight: 0,
    tunnels: new Set(),
    bodyMemory: new BodyMemory(),
    recent: new RecentRequests(),
    overload: new Overload(systemClock, meter),
  };
  const pipeline = new Pipeline(generation, context);
  return {
    context,
    ask: () => ask(pipeline),
    exceptions: () => {
      const series = meter.takeDelta().filter(({ name }) => name === 'weir_exceptions_total');
      return series.reduce((sum, { value }) => sum + value, 0);
    },
    endpointsInFlight: () =>
      [...generation.clusters.values()].flatMap(({ endpoints }) => endpoints).reduce((sum, { inFlight }) => sum + inFlight, 0),
  };
}

function ask(pipeline: Pipeline): Answer {
  const deaf = {
    onBody: () => undefined,
    onBodyEnd: () => undefined,
    onDownstreamDrain: () => undefined,
    onDownstreamFailed: () => undefined,
  };
  const answer: Answer = { status: 0, body: '', ended: 0, listener: deaf };
  const exchange: DownstreamExchange = {
    request: {
      method: 'GET',
      scheme: 'http',
      host: 'a',
      authority: 'a',
      path: '/',
      pathDoubts: 0,
      otherMethods: [],
      query: '',
      hasQuery: false,
      fields: [],
      bodyLength: 0,
      version: '1.1',
      acceptsTrailers: false,
      clientAddress: '127.0.0.1',
      peerAddress: '127.0.0.1',
      peerTrusted: false,
      listener: 'web',
      serverName: '',
      clientCertificate: null,
      requestId: 'r1',
      identity: null,
      rewritten: null,
    },
    bodyLength: 0,
    startedMs: systemClock.nowMs(),
    expectsContinue: false,
    upgrade: '',
    get listener() {
      return answer.listener;
    },
    set listener(listener) {
      answer.listener = listener;
    },
    readBody: () => undefined,
    pauseBody: () => undefined,
    resumeBody: () => undefined,
    sendInformational: () => undefined,
    sendHead: (status) => void (answer.status = status),
    sendBody: (chunk) => {
      answer.body += chunk.toString('latin1');
      return true;
    },
    sendEnd: () => void (answer.ended += 1),
    flush: () => true,
    sendUpgrade: () => assert.fail('no upgrade was asked for'),
    abort: () => void (answer.ended += 1),
  };
  pipeline.onRequest(exchange);
  return answer;
}
