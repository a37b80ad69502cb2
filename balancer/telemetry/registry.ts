// The numbers of the whole host, for Prometheus: deltas of all processes added up, monotonic, and written line by line (decision 0034).
import { END_TEXT, headText, histogramShape, histogramText, labelsText, type ExpositionFormat, type HistogramShape } from './exposition.ts';
import type { Exemplar, MetricsDelta, SeriesDelta } from './meter.ts';
import { measuredLabels, type MetricDefinition } from './metric-definition.ts';
import { METRICS, type MetricName } from './metrics.ts';

/** A piece of what is written, in characters: small enough to be made in a millisecond, so that whoever reads holds nobody up. */
const PIECE_CHARS = 128 * 1024;

interface NumberSeries {
  /** Name and labels, up to the value. */
  readonly begin: string;
  value: number;
  /** Gauges: the process that said it, and with which of its deltas. */
  source: string;
  told: number;
}

interface HistogramSeries {
  readonly labels: string;
  readonly counts: Float64Array;
  sum: number;
  exemplars: Map<number, Exemplar> | null;
}

/** One metric with all of its series. */
type Family = { readonly name: MetricName; readonly definition: MetricDefinition } & (
  | { readonly kind: 'counter' | 'gauge'; readonly series: Map<string, NumberSeries> }
  | { readonly kind: 'histogram'; readonly shape: HistogramShape; readonly series: Map<string, HistogramSeries> }
);

/** What is measured for one metric goes into one family or several: by these of its labels. */
interface Feed {
  readonly family: Family;
  /** Places in the list of labels that it is measured by; null: all, in order. */
  readonly places: readonly number[] | null;
}

/** What a source tells at one time. */
interface Round {
  readonly source: string;
  /** Rises. */
  readonly told: number;
  /** Those of which it told something. */
  readonly gauges: Set<Map<string, NumberSeries>>;
}

export class MetricsRegistry {
  readonly #families: readonly Family[] = metricNames().map(familyOf);
  readonly #feeds: ReadonlyMap<string, readonly Feed[]> = feedsOf(this.#families);
  #deltas = 0;

  /**
   * Adds what `source` (a process) counted. The gauges of one metric that are in one delta are all that the source has of it:
   * those it said before and not now are gone.
   */
  add(source: string, delta: MetricsDelta): void {
    const round = this.round(source);
    round.add(delta);
    round.close();
  }

  /** The same, in parts between which others may come in. */
  round(source: string): { add(delta: MetricsDelta): void; close(): void } {
    const told = (this.#deltas += 1);
    const gauges = new Set<Map<string, NumberSeries>>();
    return {
      add: (delta) => this.#add({ source, told, gauges }, delta),
      // Others may have told newer ones meanwhile.
      close: () => gauges.forEach((series) => dropWhere(series, (one) => one.source === source && one.told < told)),
    };
  }

  #add({ source, told, gauges }: Round, delta: MetricsDelta): void {
    for (const series of delta) {
      const feeds = this.#feeds.get(series.name);
      // A number that is none would poison a counter for ever.
      if (feeds === undefined || !Number.isFinite(series.value)) continue;
      if (series.labels.length !== measuredLabels(METRICS[series.name]).length) continue;
      for (const feed of feeds) {
        const { family } = feed;
        if (family.kind === 'histogram') mergeHistogram(family, feed.places, series);
        else {
          setNumber(family, series, source, told);
          if (family.kind === 'gauge') gauges.add(family.series);
        }
      }
    }
  }

  /** The process is gone: what it counted stays counted, what it held is no more. */
  forget(source: string): void {
    for (const family of this.#families) if (family.kind === 'gauge') dropWhere(family.series, (one) => one.source === source);
  }

  /** What a reader gets, in pieces. What is added meanwhile may be in the pieces that follow; a histogram is always of one moment. */
  *pieces(format: ExpositionFormat): Generator<string, void> {
    let piece = '';
    for (const family of this.#families) {
      piece += headText(family.name, family.definition, format);
      // A gauge that goes and comes back between two pieces would be there twice.
      for (const text of family.kind === 'histogram' ? histogramTexts(family, format) : numberTexts(family.series)) {
        piece += text;
        if (piece.length < PIECE_CHARS) continue;
        yield piece;
        piece = '';
      }
    }
    yield piece + END_TEXT[format];
  }

  /** All of it at once. */
  text(format: ExpositionFormat = 'text'): string {
    return [...this.pieces(format)].join('');
  }
}

function* numberTexts(series: ReadonlyMap<string, NumberSeries>): Generator<string, void> {
  for (const { begin, value } of [...series.values()]) yield `${begin}${value}\n`;
}

function* histogramTexts({ shape, series }: Family & { readonly kind: 'histogram' }, format: ExpositionFormat): Generator<string, void> {
  for (const one of [...series.values()]) yield histogramText(shape, one, format);
}

function dropWhere(series: Map<string, NumberSeries>, isGone: (series: NumberSeries) => boolean): void {
  for (const [key, one] of series) if (isGone(one)) series.delete(key);
}

function setNumber(
  { name, kind, definition, series }: Family & { readonly kind: 'counter' | 'gauge' },
  delta: SeriesDelta,
  source: string,
  told: number,
): void {
  const { labels, value } = delta;
  if (kind === 'counter' && value < 0) return;
  const key = labels.join('\n');
  let one = series.get(key);
  if (one === undefined) {
    const written = labelsText(definition.labels, labels);
    one = { begin: written === '' ? `${name} ` : `${name}{${written}} `, value: 0, source, told };
    series.set(key, one);
  }
  one.value = kind === 'counter' ? one.value + value : value;
  one.source = source;
  one.told = told;
}

function mergeHistogram(
  { definition, series }: Family & { readonly kind: 'histogram' },
  places: readonly number[] | null,
  delta: SeriesDelta,
): void {
  const { value, buckets = [], exemplars } = delta;
  const size = (definition.buckets?.length ?? 0) + 1;
  if (buckets.length !== size || !buckets.every((count) => count >= 0 && Number.isFinite(count))) return;
  const labels = places === null ? delta.labels : places.map((place) => delta.labels[place] ?? '');
  // Of what weir answers itself there is no cluster to tell of.
  if (places !== null && labels.every((label) => label === '')) return;
  const key = labels.join('\n');
  let one = series.get(key);
  if (one === undefined) {
    one = { labels: labelsText(definition.labels, labels), counts: new Float64Array(size), sum: 0, exemplars: null };
    series.set(key, one);
  }
  const { counts } = one;
  for (let bucket = 0; bucket < size; bucket += 1) counts[bucket] = (counts[bucket] ?? 0) + (buckets[bucket] ?? 0);
  one.sum += value;
  for (const exemplar of exemplars ?? []) (one.exemplars ??= new Map()).set(exemplar.bucket, exemplar);
}

function metricNames(): readonly MetricName[] {
  const isName = (name: string): name is MetricName => name in METRICS;
  return Object.keys(METRICS).filter(isName);
}

function familyOf(name: MetricName): Family {
  const definition: MetricDefinition = METRICS[name];
  const { kind } = definition;
  if (kind !== 'histogram') return { name, definition, kind, series: new Map() };
  return { name, definition, kind, shape: histogramShape(name, definition.buckets ?? []), series: new Map() };
}

function feedsOf(families: readonly Family[]): ReadonlyMap<string, readonly Feed[]> {
  const feeds = new Map<string, Feed[]>();
  for (const family of families) {
    const { name, definition } = family;
    const measuredAs = definition.sumOf ?? name;
    const source: MetricDefinition | undefined = families.find((other) => other.name === measuredAs)?.definition;
    if (source === undefined) throw new Error(`${name} is a sum of ${measuredAs}, which is not in the list`);
    const measured = measuredLabels(source);
    const isAll = measured.length === definition.labels.length;
    const places = isAll ? null : definition.labels.map((label) => measured.indexOf(label));
    feeds.set(measuredAs, [...(feeds.get(measuredAs) ?? []), { family, places }]);
  }
  return feeds;
}
