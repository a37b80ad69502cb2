// The numbers of the whole host, for Prometheus: deltas of all processes added up in one monotonic registry. The only importer of prom-client.
import { Counter, Gauge, Histogram, Registry, type MetricObjectWithValues, type MetricValueWithName } from 'prom-client';
import { seriesKey, type MetricsDelta, type SeriesDelta } from './meter.ts';
import { METRICS, type MetricDefinition, type MetricName } from './metrics.ts';

type Labels = Record<string, string>;

/** What each metric is fed through; one per metric of the list. */
type Family =
  | { readonly kind: 'counter'; readonly metric: Counter }
  | { readonly kind: 'gauge'; readonly metric: Gauge }
  | { readonly kind: 'histogram'; readonly metric: MergedHistogram };

export class MetricsRegistry {
  readonly #registry = new Registry();
  readonly #families: ReadonlyMap<MetricName, Family>;
  /** source → metric → series, so that what a process that is gone said about the present goes with it. */
  readonly #gauges = new Map<string, Map<MetricName, Map<string, Labels>>>();

  constructor() {
    this.#families = new Map(metricNames().map((name) => [name, this.#family(name)]));
  }

  /** What to say in `content-type`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /**
   * Adds what `source` (a process) counted. The gauges of one metric that are in one delta are all that the source has of it:
   * those it said before and not now are gone.
   */
  add(source: string, delta: MetricsDelta): void {
    this.#dropGauges(source, new Set(delta.map(({ name }) => name)));
    for (const series of delta) this.#addSeries(source, series);
  }

  /** The process is gone: what it counted stays counted, what it held is no more. */
  forget(source: string): void {
    this.#dropGauges(source, null);
    this.#gauges.delete(source);
  }

  /** The text that Prometheus reads. */
  expose(): Promise<string> {
    return this.#registry.metrics();
  }

  #family(name: MetricName): Family {
    const definition: MetricDefinition = METRICS[name];
    const { kind, help } = definition;
    const settings = { name, help, labelNames: [...definition.labels], registers: [this.#registry] };
    switch (kind) {
      case 'counter':
        return { kind, metric: new Counter(settings) };
      case 'gauge':
        return { kind, metric: new Gauge(settings) };
      case 'histogram':
        return { kind, metric: new MergedHistogram({ ...settings, buckets: [...(definition.buckets ?? [])] }) };
    }
  }

  #addSeries(source: string, series: SeriesDelta): void {
    const { name, value } = series;
    const family = this.#families.get(name);
    const labels = labelsOf(name, series.labels);
    // A number that is none would poison a counter for ever.
    if (family === undefined || labels === null || !Number.isFinite(value)) return;
    switch (family.kind) {
      case 'counter':
        if (value >= 0) family.metric.inc(labels, value);
        return;
      case 'gauge':
        family.metric.set(labels, value);
        this.#keepGauge(source, name, { key: seriesKey(name, series.labels), labels });
        return;
      case 'histogram':
        family.metric.merge(labels, value, series.buckets ?? []);
    }
  }

  #keepGauge(source: string, name: MetricName, { key, labels }: { readonly key: string; readonly labels: Labels }): void {
    const metrics = this.#gauges.get(source) ?? new Map<MetricName, Map<string, Labels>>();
    const series = metrics.get(name) ?? new Map<string, Labels>();
    this.#gauges.set(source, metrics.set(name, series.set(key, labels)));
  }

  /** `names`: of these metrics only; null: of all. */
  #dropGauges(source: string, names: ReadonlySet<MetricName> | null): void {
    for (const [name, series] of this.#gauges.get(source) ?? []) {
      if (names?.has(name) === false) continue;
      const family = this.#families.get(name);
      if (family?.kind === 'gauge') for (const labels of series.values()) family.metric.remove(labels);
      series.clear();
    }
  }
}

/** Takes bucket counts as they come from the workers; prom-client's own histogram takes single values only. */
class MergedHistogram extends Histogram {
  readonly #title: { readonly name: string; readonly help: string };
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, { readonly labels: Labels; readonly counts: Float64Array; sum: number }>();

  constructor(settings: { name: string; help: string; labelNames: string[]; buckets: number[]; registers: Registry[] }) {
    super(settings);
    this.#title = settings;
    this.#bounds = settings.buckets;
  }

  merge(labels: Labels, sum: number, buckets: readonly number[]): void {
    if (buckets.length !== this.#bounds.length + 1 || !buckets.every((count) => count >= 0 && Number.isFinite(count))) return;
    const key = Object.values(labels).join('\n');
    const series = this.#series.get(key) ?? { labels, counts: new Float64Array(buckets.length), sum: 0 };
    buckets.forEach((count, index) => (series.counts[index] = (series.counts[index] ?? 0) + count));
    series.sum += sum;
    this.#series.set(key, series);
  }

  override get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const { name, help } = this.#title;
    const values = [...this.#series.values()].flatMap((series) => this.#values(name, series));
    // prom-client declares a number for the type and writes out the word.
    return Promise.resolve({ name, help, type: 'histogram' as never, aggregator: 'sum', collect: () => undefined, values });
  }

  /** The registry prefers this door to `get` where a metric has it. */
  getForPromString(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    return this.get();
  }

  #values(
    name: string,
    series: { readonly labels: Labels; readonly counts: Float64Array; readonly sum: number },
  ): MetricValueWithName<string>[] {
    let count = 0;
    const values: MetricValueWithName<string>[] = [];
    series.counts.forEach((inBucket, index) => {
      count += inBucket;
      values.push({ metricName: `${name}_bucket`, labels: { ...series.labels, le: this.#bounds[index] ?? '+Inf' }, value: count });
    });
    values.push({ metricName: `${name}_sum`, labels: series.labels, value: series.sum });
    values.push({ metricName: `${name}_count`, labels: series.labels, value: count });
    return values;
  }
}

function metricNames(): readonly MetricName[] {
  const isName = (name: string): name is MetricName => name in METRICS;
  return Object.keys(METRICS).filter(isName);
}

/** Null when the values do not fit the labels of the metric. */
function labelsOf(name: MetricName, values: readonly string[]): Labels | null {
  const names = METRICS[name].labels;
  if (values.length !== names.length) return null;
  return Object.fromEntries(names.map((label, index) => [label, values[index] ?? '']));
}
