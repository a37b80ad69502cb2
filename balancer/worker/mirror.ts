// Copies of a service's requests for another version: how many, and only where they take nothing from anybody. What cannot go at once is dropped.
import type { MirrorConfig } from '../config/mirror-config.ts';
import { MILLION } from '../config/config.ts';
import type { DownstreamExchange } from '../message/exchange.ts';
import { fieldIndex, type Fields } from '../message/fields.ts';
import type { PlanTarget } from '../steer/plan-shape.ts';
import { SplitChooser } from '../steer/split.ts';
import type { MetricName } from '../telemetry/metrics.ts';
import { MirrorTry } from './mirror-try.ts';
import type { ServiceTarget, SteeringEnvironment } from './service-steering.ts';
import { VersionPlaces } from './version-places.ts';

/** Says to the other version that nobody waits for its answer. Of a stranger's request it is dropped. */
export const MIRROR_MARK = 'x-weir-mirror';

export type DropReason = 'concurrency' | 'no_place' | 'no_capacity' | 'no_room' | 'internal';
export type MirrorOutcome = 'sent' | 'answered' | 'lost' | 'late' | 'gave_way' | 'too_long';

const CREDENTIALS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'proxy-authorization']);
/** Of the place that a choice has in the weights. */
const COPIED = 0;

export class Mirror {
  readonly config: MirrorConfig;
  readonly environment: SteeringEnvironment;
  readonly #service: string;
  readonly #targets: readonly ServiceTarget[];
  readonly #places: VersionPlaces;
  readonly #lots: SplitChooser;
  readonly #methods: ReadonlySet<string>;
  readonly #most: number;
  #inWork = 0;
  /** By target; undefined: the plan does not name it yet. */
  #planned: readonly (PlanTarget | undefined)[] = [];
  #seenChanges = -1;
  #reviewAtMs = -Infinity;
  /** By target: copies that may go now, and since when that is so. */
  readonly #allowed: { tokens: number; atMs: number }[];

  constructor(service: string, config: MirrorConfig, targets: readonly ServiceTarget[], environment: SteeringEnvironment) {
    this.config = config;
    this.environment = environment;
    this.#service = service;
    this.#targets = targets;
    this.#places = new VersionPlaces(config.to, targets, environment);
    this.#lots = new SplitChooser([config.share, MILLION - config.share], environment.random, environment.stratum);
    this.#methods = new Set(config.methods);
    this.#most = Math.max(1, Math.floor(config.concurrency / this.#workers));
    this.#allowed = targets.map(() => ({ tokens: 1, atMs: environment.deadlines.nowMs }));
  }

  applyPlan(planned: readonly PlanTarget[]): void {
    const byKey = new Map(planned.map((target) => [`${target.version}/${target.cluster}`, target]));
    this.#planned = this.#targets.map(({ version, cluster }) => byKey.get(`${version}/${cluster.name}`));
    this.#seenChanges = -1;
  }

  /** A copy of a request on its way to `original`, or null. Whatever goes wrong here is nothing to the request. */
  offer(exchange: DownstreamExchange, fields: Readonly<Fields>, original: ServiceTarget): MirrorTry | null {
    const { request, bodyLength, upgrade } = exchange;
    if (original.version === this.config.to || bodyLength !== 0 || upgrade !== '' || !this.#methods.has(request.method)) return null;
    if (fieldIndex(fields, MIRROR_MARK) >= 0 || this.#lots.next() !== COPIED) return null;
    try {
      return this.#begin(exchange, fields);
    } catch {
      return this.#drop('internal');
    }
  }

  count(outcome: MirrorOutcome): void {
    this.#counted('weir_mirror_requests_total', outcome);
  }

  countComparison(outcome: string): void {
    this.#counted('weir_mirror_comparisons_total', outcome);
  }

  observePair(originalMs: number, mirroredMs: number): void {
    const { meter } = this.environment;
    const labels = [this.#service, this.config.to];
    meter.histogram('weir_mirror_original_seconds', labels).observe(originalMs / 1000);
    meter.histogram('weir_mirror_answer_seconds', labels).observe(mirroredMs / 1000);
  }

  /** A copy is over. */
  leave(): void {
    this.#inWork -= 1;
  }

  get #workers(): number {
    return this.environment.stratum?.of ?? 1;
  }

  #begin(exchange: DownstreamExchange, fields: Readonly<Fields>): MirrorTry | null {
    if (this.#inWork >= this.#most) return this.#drop('concurrency');
    this.#look();
    const target = this.#targets[this.#places.next()];
    if (target === undefined) return this.#drop('no_place');
    const endpoint = target.cluster.pick([], exchange.request);
    if (endpoint === null) return this.#drop('no_place');
    if (!this.#mayTake(target)) return this.#drop('no_capacity');
    const copy = new MirrorTry(this, { target, endpoint }, { exchange, fields: this.#marked(fields) });
    if (!copy.start()) return this.#drop('no_room');
    return copy;
  }

  /** It has its place. */
  enter(): void {
    this.#inWork += 1;
    this.count('sent');
  }

  #look(): void {
    const { evidence, deadlines } = this.environment;
    if (this.#seenChanges === evidence.changes && deadlines.nowMs < this.#reviewAtMs) return;
    this.#seenChanges = evidence.changes;
    this.#reviewAtMs = deadlines.nowMs + REVIEW_MS;
    this.#places.update(this.#planned);
  }

  /** Below what the plan says is spare at the place; a place without a known capacity takes what the other bounds leave. */
  #mayTake({ index }: ServiceTarget): boolean {
    const spareRps = this.#planned[index]?.spareRps;
    const allowed = this.#allowed[index];
    if (spareRps === undefined || allowed === undefined) return true;
    const rate = spareRps / this.#workers;
    const { nowMs } = this.environment.deadlines;
    allowed.tokens = Math.min(Math.max(1, rate), allowed.tokens + (rate * (nowMs - allowed.atMs)) / 1000);
    allowed.atMs = nowMs;
    if (allowed.tokens < 1 || rate === 0) return false;
    allowed.tokens -= 1;
    return true;
  }

  #marked(fields: Readonly<Fields>): Readonly<Fields> {
    const marked: Fields = [MIRROR_MARK, '1'];
    for (let at = 0; at < fields.length; at += 2) {
      const [name = '', value = ''] = [fields[at], fields[at + 1]];
      if (this.config.credentials === 'keep' || !CREDENTIALS.has(name)) marked.push(name, value);
    }
    return marked;
  }

  #drop(reason: DropReason): null {
    this.#counted('weir_mirror_dropped_total', reason);
    return null;
  }

  #counted(
    name: MetricName & ('weir_mirror_requests_total' | 'weir_mirror_dropped_total' | 'weir_mirror_comparisons_total'),
    what: string,
  ): void {
    this.environment.meter.counter(name, [this.#service, this.config.to, what]).add(1);
  }
}

/** Ejections end by themselves. */
const REVIEW_MS = 1000;
