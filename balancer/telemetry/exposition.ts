// How metrics are written for who reads them: Prometheus' text format 0.0.4, and OpenMetrics 1.0, which has exemplars. Pure.
import { familyName, unitOf, type MetricDefinition } from './metric-definition.ts';
import type { Exemplar } from './meter.ts';

export type ExpositionFormat = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** What a reader can have, by its `accept` field (RFC 9110 section 12.5.1). Who names no version means one that we have. */
export function formatFor(accept: string | undefined): ExpositionFormat {
  let [openmetrics, text] = [0, 0];
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const said = new Map(parameters.map((parameter) => nameAndValue(parameter)));
    const weight = Number(said.get('q') ?? '1');
    if (type === 'application/openmetrics-text' && (said.get('version') ?? '1.0.0') === '1.0.0')
      openmetrics = Math.max(openmetrics, weight);
    else if (type === 'text/plain' && (said.get('version') ?? '0.0.4') === '0.0.4') text = Math.max(text, weight);
  }
  return openmetrics > 0 && openmetrics >= text ? 'openmetrics' : 'text';
}

function nameAndValue(parameter: string): readonly [string, string] {
  const equals = parameter.indexOf('=');
  return equals === -1
    ? [parameter, '']
    : [
        parameter.slice(0, equals).trim(),
        parameter
          .slice(equals + 1)
          .trim()
          .replaceAll('"', ''),
      ];
}

/** What stands above the samples of a metric. */
export function headText(name: string, { kind, help }: MetricDefinition, format: ExpositionFormat): string {
  if (format === 'text') return `# HELP ${name} ${escapedHelp(help)}\n# TYPE ${name} ${kind}\n`;
  const family = familyName(name);
  const unit = unitOf(name);
  return `# TYPE ${family} ${kind}\n${unit === '' ? '' : `# UNIT ${family} ${unit}\n`}# HELP ${family} ${escapedValue(help)}\n`;
}

/** What stands below everything. */
export const END_TEXT: Readonly<Record<ExpositionFormat, string>> = { text: '', openmetrics: '# EOF\n' };

/** `a="1",b="2"`. */
export function labelsText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, index) => `${name}="${escapedValue(values[index] ?? '')}"`).join(',');
}

const escapedHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const escapedValue = (text: string): string => escapedHelp(text).replaceAll('"', '\\"');

/** How the lines of one histogram begin and go on: made once for all of its series. */
export interface HistogramShape {
  readonly name: string;
  /** For each bucket, the last without a bound: what stands between the labels and the count. */
  readonly bounds: Readonly<Record<ExpositionFormat, readonly string[]>>;
}

export function histogramShape(name: string, buckets: readonly number[]): HistogramShape {
  const ends = (texts: readonly string[]): readonly string[] => [...texts, '+Inf'].map((text) => `,le="${text}"} `);
  // OpenMetrics has whole bounds as 1.0: they are numbers that are not counts.
  const whole = (bound: number): string => (Number.isInteger(bound) ? `${bound}.0` : String(bound));
  return { name, bounds: { text: ends(buckets.map(String)), openmetrics: ends(buckets.map(whole)) } };
}

export interface HistogramSample {
  /** As labelsText writes them. */
  readonly labels: string;
  /** Per bucket, not cumulative. */
  readonly counts: Float64Array;
  readonly sum: number;
  /** By bucket; null: none. */
  readonly exemplars: ReadonlyMap<number, Exemplar> | null;
}

export function histogramText(
  { name, bounds }: HistogramShape,
  { labels, counts, sum, exemplars }: HistogramSample,
  format: ExpositionFormat,
): string {
  const begin = `${name}_bucket{${labels}`;
  const ends = bounds[format];
  const shown = format === 'openmetrics' ? exemplars : null;
  let [text, total] = ['', 0];
  for (let bucket = 0; bucket < counts.length; bucket += 1) {
    total += counts[bucket] ?? 0;
    text += `${begin}${ends[bucket] ?? ''}${total}`;
    const exemplar = shown?.get(bucket);
    text += exemplar === undefined ? '\n' : exemplarText(exemplar);
  }
  return `${text}${name}_sum{${labels}} ${sum}\n${name}_count{${labels}} ${total}\n`;
}

/** Its labels are 40 characters; the format has room for 128. */
function exemplarText({ traceId, value, atMs }: Exemplar): string {
  return ` # {trace_id="${traceId}"} ${value} ${atMs / 1000}\n`;
}
