// Micro bench of what is told of a request: its trace and its line in the access log, on its whole way through a worker but for the sockets.
import { readFileSync } from 'node:fs';
import { loadConfig } from '../../balancer/config/load.ts';
import type { AccessLogConfig } from '../../balancer/config/telemetry-config.ts';
import { requestHeadText } from '../../balancer/http1/serialize.ts';
import { seedIntent } from '../../balancer/intent/seed.ts';
import type { DownstreamExchange, DownstreamListener, UpstreamConnection } from '../../balancer/message/exchange.ts';
import type { Fields } from '../../balancer/message/fields.ts';
import type { CanonicalRequest } from '../../balancer/message/request.ts';
import { share } from '../../balancer/message/shared-fields.ts';
import { EXTENSIONS } from '../../balancer/registries.ts';
import { PinKey } from '../../balancer/steer/pins.ts';
import { plan } from '../../balancer/steer/plan.ts';
import { AccessLog } from '../../balancer/telemetry/access-log.ts';
import { Meter } from '../../balancer/telemetry/meter.ts';
import { SpanBatch } from '../../balancer/telemetry/span-batch.ts';
import { Evidence } from '../../balancer/worker/evidence.ts';
import { Generation, routersInSteps } from '../../balancer/worker/generation.ts';
import { BodyMemory } from '../../balancer/worker/kept-body.ts';
import { Overload } from '../../balancer/worker/overload.ts';
import { Pipeline } from '../../balancer/worker/pipeline.ts';
import { RecentRequests } from '../../balancer/worker/recent-requests.ts';
import { AnswerStats, WorkerCounters } from '../../balancer/worker/stats.ts';
import { Tracer } from '../../balancer/worker/tracer.ts';
import { RunningWork } from '../../balancer/worker/running-work.ts';
import type { WorkerContext } from '../../balancer/worker/worker-context.ts';
import { systemClock } from '../../health/clock.ts';
import { Deadlines } from '../../health/deadlines.ts';
import type { MicroCase, MicroSubject } from './harness.ts';

const CONFIG = `version: 1
listeners: { web: { bind: "127.0.0.1:8080" } }
clusters: { one: { endpoints: ["http://127.0.0.1:9001"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
tracing: { export: { url: "http://127.0.0.1:4318/v1/traces" } }
routes: [{ service: shop }]
`;

/** As on a kept connection: the same fields again and again. */
const FIELDS: Fields = share(['user-agent', 'curl/8.5.0', 'accept', '*/*', 'accept-encoding', 'gzip', 'cookie', 'session=1']);
const ANSWER: Fields = share(['content-type', 'text/plain', 'server', 'origin']);
const BODY = Buffer.alloc(100, 0x78);
/** As the exporter sends them at once. */
const BATCH_SPANS = 512;

const request = (): CanonicalRequest => ({
  ...{ method: 'GET', scheme: 'http', host: 'shop.example.com', authority: 'shop.example.com', path: '/tea', query: '', hasQuery: false },
  ...{ version: '1.1', bodyLength: 0, pathDoubts: 0, otherMethods: NO_METHODS, acceptsTrailers: false, serverName: '' },
  ...{ clientCertificate: null, clientAddress: '192.0.2.1', peerAddress: '192.0.2.1', peerTrusted: false, listener: 'web' },
  ...{ requestId: '0123456789abcdef0123456789abcdef-1z', identity: null, rewritten: null, fields: FIELDS },
});
const NO_METHODS: readonly string[] = [];

class Client implements DownstreamExchange {
  readonly request = request();
  readonly bodyLength = 0;
  readonly startedMs = systemClock.nowMs();
  readonly expectsContinue = false;
  readonly upgrade = '';
  declare listener: DownstreamListener;
  sent = 0;

  readBody(): void {
    return undefined;
  }
  pauseBody(): void {
    return undefined;
  }
  resumeBody(): void {
    return undefined;
  }
  sendInformational(): void {
    return undefined;
  }
  sendHead(status: number): void {
    this.sent += status;
  }
  sendBody(chunk: Buffer): boolean {
    this.sent += chunk.length;
    return true;
  }
  sendEnd(): void {
    this.sent += 1;
  }
  flush(): boolean {
    return true;
  }
  sendUpgrade(): never {
    throw new Error('no upgrade was asked for');
  }
  abort(): void {
    return undefined;
  }
}

const NO_EXCHANGE = {
  sendBody: () => true,
  endBody: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
  cancel: () => undefined,
};

/** Answers at once; what is to be written is made. */
function answering(written: { chars: number }): UpstreamConnection {
  return {
    tellsUnseen: false,
    send: (outgoing, listener) => {
      written.chars += requestHeadText(outgoing).length;
      queue = () => {
        listener.onHead(200, ANSWER, BODY.length);
        listener.onBody(BODY);
        listener.onBodyEnd([]);
      };
      return NO_EXCHANGE;
    },
  };
}
/** An answer never comes within the call that sends the request. */
let queue: () => void = () => undefined;

function served(name: string, told: (config: ReturnType<typeof loaded>) => Partial<WorkerContext>): MicroCase {
  const config = loaded();
  const meter = new Meter();
  const deadlines = new Deadlines(systemClock);
  const evidence = new Evidence({ report: () => undefined, countEjection: () => ({ add: () => undefined }) });
  const environment = {
    ...{ deadlines, evidence, meter, random: Math.random, pinKey: new PinKey(), readFile: readFileSync, nowMs: () => 0 },
    ...{ warn: () => undefined, clientRegions: null, clock: systemClock, readSecret: () => null, work: new RunningWork() },
    keySets: { get: () => null, renew: () => Promise.resolve() },
    allowances: { take: () => ({ verdict: 'pass', remaining: 1, resetMs: 0 }) as const, charge: () => undefined },
    oneTimeUses: { use: () => 'first' as const },
    sessionEnds: { endedMs: () => -Infinity, end: () => Promise.resolve('away' as const) },
    flights: { fly: () => Promise.resolve('') },
    slots: { acquire: () => ({ verdict: 'pass', remaining: 1, resetMs: 0 }) as const, release: () => undefined },
  };
  let step = routersInSteps(config).next();
  const steps = routersInSteps(config);
  for (step = steps.next(); step.done !== true; step = steps.next());
  const generation = new Generation({ number: 1, config }, step.value, environment, null);
  const { services, clusters } = config;
  const health = {
    clusters: { one: { state: 'up', endpoints: [{ endpoint: '127.0.0.1:9001', state: 'up' }] } },
    ejectedTargets: [],
  } as const;
  const { intent } = seedIntent(config, null);
  generation.applyPlan(plan({ services, clusters, intent, health, capacity: {}, demand: {}, previous: null, nowMs: 0 }).plan);
  const written = { chars: 0 };
  const connection = answering(written);
  for (const endpoint of generation.clusters.get('one')?.endpoints ?? []) {
    endpoint.acquire = (waiter) => {
      waiter.onConnection(connection);
      return true;
    };
  }
  const context: WorkerContext = {
    ...{ clock: systemClock, nowMs: () => systemClock.nowMs(), deadlines, evidence, counters: new WorkerCounters(meter) },
    ...{ unrouted: new AnswerStats(meter, { route: '', service: '', version: '', cluster: '' }), accessLog: null, tracer: null },
    ...{ inFlight: 0, tunnels: new Set(), bodyMemory: new BodyMemory(), recent: new RecentRequests() },
    overload: new Overload(systemClock, meter),
    ...told(config),
  };
  const pipeline = new Pipeline(generation, context);
  return {
    name,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) {
        const client = new Client();
        pipeline.onRequest(client);
        queue();
        total += client.sent;
      }
      return total + written.chars;
    },
  };
}

function loaded() {
  const result = loadConfig({ file: 'bench.yaml', text: CONFIG }, EXTENSIONS, { cores: 1, hostName: 'bench', readable: () => true });
  if (!result.ok) throw new Error(`the config of the bench is not valid: ${result.problems[0]?.message ?? ''}`);
  return result.config;
}

/** Spans are written, and put together as they are sent; the sending itself is the kernel's. */
function traced(sample: number): MicroCase {
  return served(`traces of ${sample * 100} %`, ({ tracing }) => {
    if (tracing === null) throw new Error('the config of the bench traces nothing');
    const batch = new SpanBatch('', '1');
    const exporter = {
      add: (spans: readonly string[]) => {
        for (const span of spans) batch.add(span);
        if (batch.spans < BATCH_SPANS) return;
        batch.body();
        batch.clear();
      },
      close: () => Promise.resolve(),
    };
    return { tracer: new Tracer({ config: { ...tracing, sample }, exporter, clock: systemClock, random: Math.random }) };
  });
}

/** The bytes are made; writing them is the thread pool's. */
function logged(name: string, other: Partial<AccessLogConfig>): MicroCase {
  const config: AccessLogConfig = {
    ...{ target: { kind: 'stdout' }, format: null, sample: 1, errors: true, fields: [] },
    redact: { client: 'full', consumer: 'full', paths: [] },
    ...other,
  };
  const target = { write: (lines: string) => Buffer.from(lines).length > 0, close: () => Promise.resolve(0) };
  return served(name, () => ({ accessLog: new AccessLog(config, target, Math.random) }));
}

export const telling: MicroSubject = {
  name: 'telling',
  summary: 'traces and access log on the way of a whole request',
  apart: true,
  cases: () => [
    served('nothing is told', () => ({})),
    traced(0),
    traced(0.01),
    traced(1),
    logged('access log, JSON', {}),
    logged('access log, 10 %', { sample: 0.1 }),
    logged('access log, a format', {
      format: (['client', 'at', 'method', 'path', 'status', 'bytesOut', 'durationMs'] as const).flatMap((name) => [
        { kind: 'value', name } as const,
        { kind: 'text', text: ' ' } as const,
      ]),
    }),
    logged('access log, redacted', { redact: { client: 'truncate', consumer: 'omit', paths: [['users', null]] } }),
  ],
};
