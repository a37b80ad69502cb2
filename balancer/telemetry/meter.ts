// The instruments a worker writes to, and the deltas it sends: plain numbers on the hot path, nothing resolved per request.
import { measuredLabels, type MetricDefinition, type MetricKind } from './metric-definition.ts';
import { METRICS, type MetricName } from './metrics.ts';

export interface Counter {
  add(amount: number): void;
}

export interface Histogram {
  /** In the metric's base unit (seconds, bytes). */
  observe(value: number): void;
  /** A value that was observed belongs to a request of which there is a trace. `atMs`: time of day. */
  exemplify(value: number, traceId: string, atMs: number): void;
}

/** A request that a bucket counts and a trace tells of. */
export interface Exemplar {
  readonly bucket: number;
  readonly traceId: string;
  readonly value: number;
  /** Time of day. */
  readonly atMs: number;
}

export interface Gauge {
  set(value: number): void;
}

/** What changed since the last delta. Counters and histograms add up; gauges replace. */
export interface SeriesDelta {
  readonly name: MetricName;
  /** In the order of the labels that the metric is measured by. */
  readonly labels: readonly string[];
  /** Counter: the increase. Gauge: the value. Histogram: the sum of the observed values. */
  readonly value: number;
  /** Histogram only: increase per bucket, the last for +Inf; not cumulative. */
  readonly buckets?: readonly number[];
  /** Histogram only: the newest of each bucket that has one; absent: none. */
  readonly exemplars?: readonly Exemplar[];
}

export type MetricsDelta = readonly SeriesDelta[];

/** The metrics of one kind that are measured. */
export type MetricOf<Kind extends MetricKind> = {
  [Name in MetricName]: (typeof METRICS)[Name] extends { readonly kind: Kind }
    ? (typeof METRICS)[Name] extends { readonly sumOf: string }
      ? never
      : Name
    : never;
}[MetricName];

export { METRICS, type MetricName };

/**
 * All instruments of a process. Asking for the same name and labels gives the same instrument; ask once and keep it, the
 * instrument itself is what the hot path touches.
 */
export class Meter {
  readonly #counters = new Series<CounterCell>();
  readonly #gauges = new Series<GaugeCell>();
  readonly #histograms = new Series<HistogramCell>();

  counter(name: MetricOf<'counter'>, labels: readonly string[]): Counter {
    return this.#counters.get(name, labels, () => new CounterCell());
  }

  gauge(name: MetricOf<'gauge'>, labels: readonly string[]): Gauge {
    return this.#gauges.get(name, labels, () => new GaugeCell());
  }

  histogram(name: MetricOf<'histogram'>, labels: readonly string[]): Histogram {
    return this.#histograms.get(name, labels, () => new HistogramCell(METRICS[name].buckets));
  }

  /**
   * Everything that happened since the last call, and starts anew. Without a change there is nothing in it, but for new counters and
   * histograms, which are told once as they are: a rate needs to see where a series began.
   */
  takeDelta(): MetricsDelta {
    const delta: SeriesDelta[] = [];
    for (const { name, labels, cell } of this.#counters.all()) {
      const value = cell.take();
      if (value !== null) delta.push({ name, labels, value });
    }
    for (const { name, labels, cell } of this.#gauges.all()) {
      const value = cell.take();
      if (value !== null) delta.push({ name, labels, value });
    }
    for (const { name, labels, cell } of this.#histograms.all()) {
      const taken = cell.take();
      if (taken !== null) delta.push({ name, labels, ...taken });
    }
    return delta;
  }
}

interface Entry<Cell> {
  readonly name: MetricName;
  readonly labels: readonly string[];
  readonly cell: Cell;
}

/** One cell per name and labels. */
class Series<Cell> {
  readonly #entries = new Map<string, Entry<Cell>>();

  get(name: MetricName, labels: readonly string[], create: () => Cell): Cell {
    const key = seriesKey(name, labels);
    const found = this.#entries.get(key);
    if (found !== undefined) return found.cell;
    const definition: MetricDefinition = METRICS[name];
    const names = measuredLabels(definition);
    if (labels.length !== names.length) throw new Error(`${name} has the labels ${names.join(', ')}; ${labels.length} values were given`);
    const cell = create();
    this.#entries.set(key, { name, labels: [...labels], cell });
    return cell;
  }

  all(): Iterable<Entry<Cell>> {
    return this.#entries.values();
  }
}

/** One string per series; label values hold no control characters, so no two series share one. */
export function seriesKey(name: MetricName, labels: readonly string[]): string {
  return `${name}\n${labels.join('\n')}`;
}

class CounterCell implements Counter {
  #value = 0;
  #told = false;

  add(amount: number): void {
    this.#value += amount;
  }

  /** Null: told before, and nothing since. */
  take(): number | null {
    const value = this.#value;
    if (value === 0 && this.#told) return null;
    this.#value = 0;
    this.#told = true;
    return value;
  }
}

class GaugeCell implements Gauge {
  #value: number | null = null;

  set(value: number): void {
    this.#value = value;
  }

  /** Null: not set since the last time. */
  take(): number | null {
    const value = this.#value;
    this.#value = null;
    return value;
  }
}

class HistogramCell implements Histogram {
  readonly #bounds: Float64Array;
  /** One more than there are bounds: the last is +Inf. */
  readonly #counts: Float64Array;
  #sum = 0;
  /** Of each bucket; null: none. */
  #exemplars: Map<number, Exemplar> | null = null;
  /** A new one is told as it is. */
  #touched = true;

  constructor(bounds: readonly number[]) {
    this.#bounds = Float64Array.from(bounds);
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const index = bucketOf(this.#bounds, value);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
    this.#touched = true;
  }

  exemplify(value: number, traceId: string, atMs: number): void {
    const bucket = bucketOf(this.#bounds, value);
    (this.#exemplars ??= new Map()).set(bucket, { bucket, traceId, value, atMs });
  }

  take(): Omit<SeriesDelta, 'name' | 'labels'> | null {
    if (!this.#touched) return null;
    const taken = {
      value: this.#sum,
      buckets: [...this.#counts],
      ...(this.#exemplars === null ? {} : { exemplars: [...this.#exemplars.values()] }),
    };
    this.#exemplars = null;
    this.#counts.fill(0);
    this.#sum = 0;
    this.#touched = false;
    return taken;
  }
}

/** The first bucket whose upper bound is not below `value` (bounds are inclusive, as Prometheus has them); past the last: +Inf. */
export function bucketOf(bounds: Float64Array, value: number): number {
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bounds[middle] ?? Infinity) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
