// The instruments a request touches, looked up once per route and target and never on the way.
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { ReloadOutcome } from '../listener/certificates.ts';
import type { Counter, Histogram, Meter } from '../telemetry/meter.ts';
import type { TunnelCause } from './tunnel.ts';

const CODE_CLASSES = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Answers of one route from one target; of weir itself when the target is empty. */
export class AnswerStats {
  readonly #classes: readonly Counter[];
  readonly #duration: Histogram;

  constructor(
    meter: Meter,
    labels: { readonly route: string; readonly service: string; readonly version: string; readonly cluster: string },
  ) {
    const { route, service, version, cluster } = labels;
    this.#classes = CODE_CLASSES.map((codeClass) => meter.counter('weir_requests_total', [route, service, version, cluster, codeClass]));
    this.#duration = meter.histogram('weir_request_duration_seconds', [service, version, cluster]);
  }

  /** `status` 0: closed without an answer. */
  record(status: number, durationMs: number): void {
    this.#classes[Math.floor(status / 100)]?.add(1);
    this.#duration.observe(durationMs / 1000);
  }

  /** A recorded request has a trace that is exported. */
  traced(durationMs: number, traceId: string, atMs: number): void {
    this.#duration.exemplify(durationMs / 1000, traceId, atMs);
  }
}

/** How a (version, cluster) answers each try, whatever the request gets in the end: by it the plan knows a place that retries hide. */
export class TryStats {
  readonly #time: Histogram;
  readonly #errors: Counter;
  readonly #lost: Counter;

  constructor(meter: Meter, labels: readonly [service: string, version: string, cluster: string]) {
    this.#time = meter.histogram('weir_upstream_answer_seconds', labels);
    this.#errors = meter.counter('weir_upstream_errors_total', labels);
    this.#lost = meter.counter('weir_upstream_lost_tries_total', labels);
  }

  /** `result` 0: how it went shows at its end. */
  answered(result: number, tookMs: number): void {
    this.#time.observe(tookMs / 1000);
    this.ended(result);
  }

  ended(result: number): void {
    if (result >= 500) this.#errors.add(1);
  }

  /** It came to no answer, and not for want of patience. */
  lost(): void {
    this.#lost.add(1);
  }

  gaveUp(afterMs: number): void {
    this.#time.observe(afterMs / 1000);
  }
}

/** Where a passed-through connection goes; empty names are places it never came to. */
export interface PassThroughNames {
  readonly route: string;
  readonly service: string;
  readonly version: string;
  readonly cluster: string;
}

/** Counters with one bounded label behind a fixed one, made when first needed. */
export class WorkerCounters {
  readonly #meter: Meter;
  readonly #made = new Map<string, Counter>();

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  localReply(listener: string, code: ErrorCode): void {
    this.#counter('weir_local_replies_total', listener, code).add(1);
  }

  upstreamFailure(cluster: string, code: ErrorCode): void {
    this.#counter('weir_upstream_failures_total', cluster, code).add(1);
  }

  retry(service: string, outcome: 'retried' | 'refused' | 'waited'): void {
    this.#counter('weir_retries_total', service, outcome).add(1);
  }

  hedge(service: string, outcome: 'sent' | 'won' | 'refused'): void {
    this.#counter('weir_hedges_total', service, outcome).add(1);
  }

  refusedConnection(listener: string, reason: string): void {
    this.#counter('weir_connections_refused_total', listener, reason).add(1);
  }

  /** A worker re-read a changed certificate, or kept the old one. */
  certificateReload(listener: string, outcome: ReloadOutcome): void {
    this.#counter('weir_certificate_reloads_total', listener, outcome).add(1);
  }

  passThrough(listener: string, { route, service, version, cluster }: PassThroughNames, outcome: ErrorCode | 'established'): void {
    this.#meter.counter('weir_l4_connections_total', [listener, route, service, version, cluster, outcome]).add(1);
  }

  passThroughEnd({ service, version, cluster }: PassThroughNames, cause: TunnelCause): void {
    this.#meter.counter('weir_l4_closes_total', [service, version, cluster, cause]).add(1);
  }

  /** A tunnel is told to go elsewhere. */
  tunnelMoved(cluster: string): void {
    this.#meter.counter('weir_tunnels_moved_total', [cluster]).add(1);
  }

  cutConnection(listener: string, code: ErrorCode): void {
    this.#counter('weir_connections_cut_total', listener, code).add(1);
  }

  /** Code of the request path threw. */
  exception(listener: string, phase: 'request' | 'response' | 'end'): void {
    this.#counter('weir_exceptions_total', listener, phase).add(1);
  }

  /** An HTTP/2 client asked too much. */
  http2Abuse(listener: string, reason: string): void {
    this.#counter('weir_http2_abuse_total', listener, reason).add(1);
  }

  ejection(cluster: string, reason: string): Counter {
    return this.#counter('weir_ejections_total', cluster, reason);
  }

  #counter(
    name:
      | 'weir_local_replies_total'
      | 'weir_upstream_failures_total'
      | 'weir_retries_total'
      | 'weir_hedges_total'
      | 'weir_connections_refused_total'
      | 'weir_connections_cut_total'
      | 'weir_ejections_total'
      | 'weir_http2_abuse_total'
      | 'weir_certificate_reloads_total'
      | 'weir_exceptions_total',
    first: string,
    second: string,
  ): Counter {
    const key = `${name}/${first}/${second}`;
    let counter = this.#made.get(key);
    if (counter === undefined) {
      counter = this.#meter.counter(name, [first, second]);
      this.#made.set(key, counter);
    }
    return counter;
  }
}

/** True when the way to the endpoint is to blame. */
export function blamesPath(code: ErrorCode): boolean {
  return ERRORS[code].blame === 'path';
}
