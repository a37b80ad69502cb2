// What a worker tells of its requests, to a log and to a collector of traces: made anew where the config changes it.
import { readFileSync } from 'node:fs';
import { sameJson } from '../config/canonical-json.ts';
import type { Config } from '../config/config.ts';
import type { TracingConfig } from '../config/telemetry-config.ts';
import type { Log } from '../log.ts';
import { readSecret } from '../secret.ts';
import { openAccessLog } from '../telemetry/access-log.ts';
import type { Meter } from '../telemetry/meter.ts';
import { attribute, first, textKey } from '../telemetry/otlp.ts';
import { SpanExporter } from '../telemetry/span-exporter.ts';
import { weirVersion } from '../version.ts';
import { Tracer } from './tracer.ts';
import type { WorkerContext } from './worker-context.ts';

/** For what waits, when a worker ends or traces go elsewhere. */
const CLOSE_MS = 2000;

export interface TellingEnvironment {
  readonly worker: string;
  readonly meter: Meter;
  readonly log: Log;
}

/** Brings the log and the tracer of `context` to what the config says; what was opened before ends by itself. */
export function applyTelling(context: WorkerContext, config: Config, before: Config | null, environment: TellingEnvironment): void {
  if (before === null || !sameJson(config.accessLog, before.accessLog)) {
    void context.accessLog?.close();
    context.accessLog = config.accessLog === null ? null : openAccessLog(config.accessLog, config.hostName, Math.random);
  }
  if (before === null || !sameJson(config.tracing, before.tracing)) {
    void context.tracer?.close(CLOSE_MS);
    context.tracer = config.tracing === null ? null : tracerOf(config.tracing, config.hostName, context, environment);
  }
}

export async function closeTelling({ accessLog, tracer }: WorkerContext): Promise<void> {
  await Promise.all([accessLog?.close(), tracer?.close(CLOSE_MS)]);
}

function tracerOf(config: TracingConfig, hostName: string, { clock }: WorkerContext, environment: TellingEnvironment): Tracer {
  const { worker, meter, log } = environment;
  const { url, ca, headers, authorization, timeoutMs, attributes } = config;
  const version = weirVersion();
  const told = {
    ...{ 'service.name': 'weir', 'service.version': version, 'service.instance.id': `${hostName}/${worker}`, 'host.name': hostName },
    ...attributes,
  };
  const resource = first(
    Object.entries(told)
      .map(([key, value]) => attribute(textKey(key), value))
      .join(''),
  );
  const exporter = new SpanExporter(
    {
      ...{ url, headers, timeoutMs, resource, version },
      ca: ca === null ? null : readFileSync(ca, 'utf8'),
      authorization: authorization === null ? null : () => readSecret(authorization),
    },
    {
      clock,
      random: Math.random,
      count: (outcome, spans) => meter.counter('weir_trace_spans_total', [outcome]).add(spans),
      warn: (problem) => log.warn({ problem, url }, 'spans are not taken'),
    },
  );
  return new Tracer({ config, exporter, clock, random: Math.random });
}
