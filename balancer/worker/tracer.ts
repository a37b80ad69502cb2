// What is traced, by the config: whose trace goes on, which requests are kept, and where their spans go.
import type { Clock, Random } from '../../health/clock.ts';
import type { TracingConfig } from '../config/telemetry-config.ts';
import type { Fields } from '../message/fields.ts';
import type { CanonicalRequest } from '../message/request.ts';
import { spanJson, type Span } from '../telemetry/otlp.ts';
import type { SpanExporter } from '../telemetry/span-exporter.ts';
import { tellsTrace, toldTrace, withoutTrace, type TraceParent } from '../telemetry/trace-context.ts';
import { TraceIds } from '../telemetry/trace-ids.ts';

/** What a request brings of a trace, when it is read once. */
export interface BroughtTrace {
  /** It goes on with this; null: a new one begins. */
  readonly parent: TraceParent | null;
  readonly state: string;
  /** A trace of a stranger, which the new one links to; null: none. */
  readonly link: TraceParent | null;
}

export const BROUGHT_NOTHING: BroughtTrace = { parent: null, state: '', link: null };

export interface TracerParts {
  readonly config: TracingConfig;
  readonly exporter: Pick<SpanExporter, 'add' | 'close'>;
  readonly clock: Clock;
  readonly random: Random;
}

export class Tracer {
  readonly config: TracingConfig;
  readonly ids = new TraceIds();
  readonly clock: Clock;
  readonly #exporter: Pick<SpanExporter, 'add' | 'close'>;
  readonly #random: Random;
  /** Fields that were looked at last: requests of a connection that repeat each other share them. */
  #tellsNothing: Readonly<Fields> | null = null;
  /** Of those that no sample chose, in this second. */
  #left = 0;
  #refillMs = -Infinity;

  constructor({ config, exporter, clock, random }: TracerParts) {
    this.config = config;
    this.clock = clock;
    this.#exporter = exporter;
    this.#random = random;
  }

  /** Takes what the fields say of a trace out of them: each attempt says it anew. */
  receive(request: CanonicalRequest): BroughtTrace {
    const { fields } = request;
    if (fields === this.#tellsNothing) return BROUGHT_NOTHING;
    if (!tellsTrace(fields)) {
      this.#tellsNothing = fields;
      return BROUGHT_NOTHING;
    }
    const { parent, state } = toldTrace(fields);
    request.fields = withoutTrace(fields, request.peerTrusted);
    const believed = this.config.parent === 'all' || (this.config.parent === 'trusted' && request.peerTrusted);
    if (parent === null) return BROUGHT_NOTHING;
    if (!believed) return { parent: null, state: '', link: parent };
    if (state !== '') request.fields.push('tracestate', state);
    return { parent, state, link: null };
  }

  /** The decision of the caller, else that of the sample. */
  samples(parent: TraceParent | null): boolean {
    return parent === null ? this.#random() < this.config.sample : parent.sampled;
  }

  /** Whether a request that no sample chose is kept for how it went. */
  keeps(failed: boolean, durationMs: number, nowMs: number): boolean {
    const { errors, slowerThanMs, perSecond } = this.config.keep;
    if (!(failed && errors) && !(slowerThanMs > 0 && durationMs > slowerThanMs)) return false;
    if (nowMs >= this.#refillMs) {
      this.#refillMs = nowMs + 1000;
      this.#left = perSecond;
    }
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }

  export(spans: readonly Span[]): void {
    this.#exporter.add(spans.map(spanJson));
  }

  close(graceMs: number): Promise<void> {
    return this.#exporter.close(graceMs);
  }
}
