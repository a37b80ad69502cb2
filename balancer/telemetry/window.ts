// What happened in the last minute, second by second: rates, error ratios and percentiles for the operator's screens and for the plan.
import { ERRORS, isErrorCode } from '../errors.ts';
import { BUCKETS, quantileMs } from './latency-buckets.ts';
import { METRICS } from './metrics.ts';
import type { MetricsDelta, SeriesDelta } from './meter.ts';

/** Figures over the last `windowSeconds`. Percentiles in milliseconds; null: no request in the window. */
export interface TrafficFigures {
  readonly windowSeconds: number;
  readonly rps: number;
  /** 0 to 1: 5xx over all. */
  readonly errorRatio: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/** What became of requests. */
export interface OutcomeFigures {
  readonly requests: number;
  /** 0 to 1: 5xx over all. */
  readonly errorRatio: number;
}

/** How long answers took. */
export interface AnswerFigures {
  readonly answers: number;
  /** The geometric mean; null: no answer in the window. */
  readonly answerMs: number | null;
  /** 0 to 1: answered 5xx. */
  readonly errorRatio: number;
}

/** Whose traffic; names are DNS labels or route names, so the kinds never meet. */
export type TrafficOf =
  | { readonly of: 'all' }
  | { readonly of: 'service'; readonly service: string }
  | { readonly of: 'cluster'; readonly cluster: string }
  | { readonly of: 'target'; readonly service: string; readonly version: string; readonly cluster: string }
  | { readonly of: 'route'; readonly route: string }
  /** What clients of a region ask of a service, whatever becomes of it. */
  | { readonly of: 'region'; readonly service: string; readonly region: string };

/** Complete seconds that can be asked for. */
export const WINDOW_SECONDS = 60;
/** Latency is kept for fewer seconds: it is 26 numbers a second and not 2. */
const LATENCY_SECONDS = 15;
/** The second that runs now is in the ring too. */
const RUNNING = 1;

const BOUNDS = METRICS.weir_request_duration_seconds.buckets;
/** Answers that are faster count like this: what nobody notices makes no answer twice as slow as another. */
const FASTEST_S = 0.02;
/** The logarithm of what stands for each bucket in milliseconds: the geometric middle of its bounds. */
const LOG_MS = Array.from({ length: BUCKETS }, (_, bucket) => {
  const lower = BOUNDS[bucket - 1] ?? FASTEST_S;
  return Math.log(1000 * Math.max(FASTEST_S, Math.sqrt(lower * (BOUNDS[bucket] ?? lower))));
});
/** A row of answers: latencies, then errors. */
const ANSWERS = BUCKETS + 1;
/** A row of counts: requests, errors. */
const COUNTS = 2;

export class TrafficWindow {
  readonly #nowMs: () => number;
  readonly #startedAtSecond: number;
  readonly #counts = new Map<string, Ring>();
  readonly #latency = new Map<string, Ring>();
  readonly #answers = new Map<string, Ring>();
  /** By service, target and cluster. */
  readonly #assigned = new Map<string, Ring>();
  /** By service and target. */
  readonly #new = new Map<string, Ring>();

  /** `nowMs`: a monotonic clock. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#startedAtSecond = this.#second();
  }

  /** Adds what a worker counted, at the time it arrived. */
  add(delta: MetricsDelta): void {
    const second = this.#second();
    for (const series of delta) {
      if (series.value === 0) continue;
      if (series.name === 'weir_requests_total') this.#addRequests(series, second);
      else if (series.name === 'weir_l4_connections_total') this.#addConnections(series, second);
      else if (series.name === 'weir_client_region_requests_total') this.#addAsked(series, second);
      else if (series.name === 'weir_assigned_requests_total') this.#addAssigned(series, second);
      else if (series.name === 'weir_assignments_total') this.#addNew(series, second);
      else if (series.name === 'weir_request_duration_seconds') this.#addLatency(series, second);
      else if (series.name === 'weir_upstream_answer_seconds') this.#addAnswers(series, second);
      else if (series.name === 'weir_upstream_errors_total') this.#addAnswerErrors(series, second);
    }
  }

  /** Over the last `seconds` complete seconds, or as many as there were since the start. */
  figures(whose: TrafficOf, seconds = 10): TrafficFigures {
    const key = keyOf(whose);
    const second = this.#second();
    const windowSeconds = this.#covered(seconds);
    const [requests = 0, errors = 0] = this.#counts.get(key)?.sum(second, windowSeconds) ?? [];
    const buckets = this.#latency.get(key)?.sum(second, Math.min(windowSeconds, LATENCY_SECONDS)) ?? [];
    return {
      windowSeconds,
      rps: requests / windowSeconds,
      errorRatio: requests === 0 ? 0 : errors / requests,
      p50Ms: quantileMs(buckets, 0.5),
      p95Ms: quantileMs(buckets, 0.95),
      p99Ms: quantileMs(buckets, 0.99),
    };
  }

  /** Over the last `seconds` complete seconds; what the plan needs, without the cost of percentiles. Null: nothing was asked in a minute. */
  outcomes(whose: TrafficOf, seconds: number): OutcomeFigures | null {
    const ring = this.#counts.get(keyOf(whose));
    if (ring === undefined) return null;
    const [requests = 0, errors = 0] = ring.sum(this.#second(), this.#covered(seconds));
    return { requests, errorRatio: requests === 0 ? 0 : errors / requests };
  }

  /** Over the last `seconds` complete seconds, 15 at most, tries that were given up included. */
  answers(whose: TrafficOf & { readonly of: 'target' }, seconds: number): AnswerFigures {
    const row = this.#answers.get(keyOf(whose))?.sum(this.#second(), Math.min(seconds, LATENCY_SECONDS)) ?? [];
    let answers = 0;
    let sum = 0;
    for (const [bucket, logMs] of LOG_MS.entries()) {
      const count = row[bucket] ?? 0;
      answers += count;
      sum += count * logMs;
    }
    if (answers === 0) return { answers, answerMs: null, errorRatio: 0 };
    return { answers, answerMs: Math.exp(sum / answers), errorRatio: Math.min(1, (row[BUCKETS] ?? 0) / answers) };
  }

  /** Requests per second over the last `seconds` complete seconds. */
  rps(whose: TrafficOf, seconds = 10): number {
    const windowSeconds = this.#covered(seconds);
    return this.#requests(this.#counts, whose, windowSeconds) / windowSeconds;
  }

  /** The same of the requests that the split decided on: without those that a rule took before it. */
  splitRps(whose: TrafficOf & { readonly of: 'service' | 'target' }, seconds = 10): number {
    const windowSeconds = this.#covered(seconds);
    const all = this.#requests(this.#counts, whose, windowSeconds);
    return Math.max(0, all - this.#requests(this.#assigned, whose, windowSeconds)) / windowSeconds;
  }

  /** New clients that were given a place, of a service with sticky. */
  newRps(whose: TrafficOf & { readonly of: 'service' | 'target' }, seconds = 10): number {
    const windowSeconds = this.#covered(seconds);
    return this.#requests(this.#new, whose, windowSeconds) / windowSeconds;
  }

  /** Of what rules took before the split. */
  assignedRps(whose: TrafficOf & { readonly of: 'service' | 'target' | 'cluster' }, seconds = 10): number {
    const windowSeconds = this.#covered(seconds);
    return this.#requests(this.#assigned, whose, windowSeconds) / windowSeconds;
  }

  /** Requests in each of the last complete seconds, oldest first. */
  trend(whose: TrafficOf, seconds = WINDOW_SECONDS): readonly number[] {
    const length = this.#covered(seconds);
    const oldest = this.#second() - length + 1;
    const ring = this.#counts.get(keyOf(whose));
    return Array.from({ length }, (_, index) => ring?.sum(oldest + index, 1)[0] ?? 0);
  }

  /** Of the last two seconds and the one that runs now: what should be seen at once is not kept back until its second is over. */
  lately(whose: TrafficOf): { readonly requests: number; readonly errors: number } {
    const [requests = 0, errors = 0] = this.#counts.get(keyOf(whose))?.sum(this.#second() + 1, 3) ?? [];
    return { requests, errors };
  }

  /** Requests per bucket of latency in the last complete second; empty: none. */
  latencies(whose: TrafficOf): readonly number[] {
    const row = this.#latency.get(keyOf(whose))?.sum(this.#second(), 1) ?? [];
    return row.some((count) => count > 0) ? row : [];
  }

  /** The one that runs now. */
  get second(): number {
    return this.#second();
  }

  /** Lets go of what had no request within the window, so that names that left the config cost nothing. */
  prune(): void {
    const second = this.#second();
    for (const [key, ring] of this.#counts) {
      if (ring.newest >= second - WINDOW_SECONDS) continue;
      this.#counts.delete(key);
      this.#latency.delete(key);
      this.#answers.delete(key);
      this.#assigned.delete(key);
      this.#new.delete(key);
    }
  }

  #second(): number {
    return Math.floor(this.#nowMs() / 1000);
  }

  #covered(seconds: number): number {
    return Math.max(1, Math.min(seconds, WINDOW_SECONDS, this.#second() - this.#startedAtSecond));
  }

  #requests(rings: ReadonlyMap<string, Ring>, whose: TrafficOf, seconds: number): number {
    return rings.get(keyOf(whose))?.sum(this.#second(), seconds)[0] ?? 0;
  }

  #addRequests({ labels, value }: SeriesDelta, second: number): void {
    const [route = '', service = '', version = '', cluster = '', codeClass = ''] = labels;
    const errors = codeClass === '5xx' ? value : 0;
    for (const key of keysOf({ route, service, version, cluster })) ringOf(this.#counts, key, COUNTS).add(second, [value, errors]);
  }

  /** A connection that is passed through counts as one request: by it the split is steered. */
  #addConnections({ labels, value }: SeriesDelta, second: number): void {
    const [, route = '', service = '', version = '', cluster = '', outcome = ''] = labels;
    const errors = isFailure(outcome) ? value : 0;
    for (const key of keysOf({ route, service, version, cluster })) ringOf(this.#counts, key, COUNTS).add(second, [value, errors]);
  }

  #addAsked({ labels, value }: SeriesDelta, second: number): void {
    const [service = '', region = ''] = labels;
    ringOf(this.#counts, keyOf({ of: 'region', service, region }), COUNTS).add(second, [value, 0]);
  }

  #addAssigned({ labels, value }: SeriesDelta, second: number): void {
    const [service = '', version = '', cluster = ''] = labels;
    const places: readonly TrafficOf[] = [
      { of: 'service', service },
      { of: 'target', service, version, cluster },
      { of: 'cluster', cluster },
    ];
    for (const whose of places) ringOf(this.#assigned, keyOf(whose), COUNTS).add(second, [value, 0]);
  }

  #addNew({ labels, value }: SeriesDelta, second: number): void {
    const [service = '', version = '', cluster = ''] = labels;
    for (const whose of [
      { of: 'service', service },
      { of: 'target', service, version, cluster },
    ] as const)
      ringOf(this.#new, keyOf(whose), COUNTS).add(second, [value, 0]);
  }

  #addLatency({ labels, buckets }: SeriesDelta, second: number): void {
    if (buckets?.length !== BUCKETS) return;
    const [service = '', version = '', cluster = ''] = labels;
    for (const key of keysOf({ route: '', service, version, cluster })) ringOf(this.#latency, key, BUCKETS).add(second, buckets);
  }

  #addAnswers({ labels, buckets }: SeriesDelta, second: number): void {
    if (buckets?.length !== BUCKETS) return;
    const [service = '', version = '', cluster = ''] = labels;
    ringOf(this.#answers, keyOf({ of: 'target', service, version, cluster }), ANSWERS).add(second, buckets);
  }

  #addAnswerErrors({ labels, value }: SeriesDelta, second: number): void {
    const [service = '', version = '', cluster = ''] = labels;
    const row = new Array<number>(ANSWERS).fill(0);
    row[BUCKETS] = value;
    ringOf(this.#answers, keyOf({ of: 'target', service, version, cluster }), ANSWERS).add(second, row);
  }
}

/** Rows of numbers, one row per second, the oldest overwritten. */
class Ring {
  newest = -Infinity;
  readonly #width: number;
  readonly #rows: number;
  readonly #values: Float64Array;
  /** The second that a row stands for. */
  readonly #seconds: Float64Array;

  constructor(width: number, rows: number) {
    this.#width = width;
    this.#rows = rows;
    this.#values = new Float64Array(width * rows);
    this.#seconds = new Float64Array(rows).fill(-1);
  }

  add(second: number, amounts: readonly number[]): void {
    const row = second % this.#rows;
    const start = row * this.#width;
    if (this.#seconds[row] !== second) {
      this.#seconds[row] = second;
      this.#values.fill(0, start, start + this.#width);
    }
    amounts.forEach((amount, index) => (this.#values[start + index] = (this.#values[start + index] ?? 0) + amount));
    this.newest = second;
  }

  /** The sum over the `seconds` complete seconds before `second`. */
  sum(second: number, seconds: number): readonly number[] {
    const sums = new Array<number>(this.#width).fill(0);
    for (let one = second - seconds; one < second; one += 1) {
      const row = one % this.#rows;
      if (one < 0 || this.#seconds[row] !== one) continue;
      for (let index = 0; index < this.#width; index += 1) {
        sums[index] = (sums[index] ?? 0) + (this.#values[row * this.#width + index] ?? 0);
      }
    }
    return sums;
  }
}

function ringOf(rings: Map<string, Ring>, key: string, width: number): Ring {
  const found = rings.get(key);
  if (found !== undefined) return found;
  const ring = new Ring(width, (width === COUNTS ? WINDOW_SECONDS : LATENCY_SECONDS) + RUNNING);
  rings.set(key, ring);
  return ring;
}

interface Names {
  readonly route: string;
  readonly service: string;
  readonly version: string;
  readonly cluster: string;
}

/** Every view a request counts in; an empty name is a place the request never came to. */
function keysOf({ route, service, version, cluster }: Names): readonly string[] {
  const keys = [keyOf({ of: 'all' })];
  if (service !== '') keys.push(keyOf({ of: 'service', service }));
  if (cluster !== '') keys.push(keyOf({ of: 'cluster', cluster }), keyOf({ of: 'target', service, version, cluster }));
  if (route !== '') keys.push(keyOf({ of: 'route', route }));
  return keys;
}

/** What would be answered with a 5xx if there were an answer. */
export function isFailure(outcome: string): boolean {
  return isErrorCode(outcome) && ERRORS[outcome].status >= 500;
}

function keyOf(whose: TrafficOf): string {
  switch (whose.of) {
    case 'all':
      return 'all';
    case 'service':
      return `service\n${whose.service}`;
    case 'cluster':
      return `cluster\n${whose.cluster}`;
    case 'target':
      return `target\n${whose.service}\n${whose.version}\n${whose.cluster}`;
    case 'route':
      return `route\n${whose.route}`;
    case 'region':
      return `region\n${whose.service}\n${whose.region}`;
  }
}
