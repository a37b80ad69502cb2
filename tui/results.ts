// The versions of a service side by side, laid out for reading. Pure.
import type { DifferenceView, ResultsView, VersionResultView } from '../balancer/controller/api/views.ts';
import * as text from './format.ts';
import { table, type Column, type Tone } from './table.ts';

const MIRRORED: readonly Column<VersionResultView>[] = [
  { title: 'COPIES', of: ({ mirrored }) => (mirrored === null ? '' : String(mirrored.compared)), right: true },
  {
    title: 'DIFFER',
    of: ({ mirrored }) => (mirrored === null ? '' : `${mirrored.different}: ${range(mirrored.ratio, percentage, '')}`),
    tone: ({ mirrored }) => (mirrored === null || mirrored.different === 0 ? null : 'warning'),
  },
];

const COLUMNS: readonly Column<VersionResultView>[] = [
  { title: 'VERSION', of: (item) => item.version },
  { title: 'SPLIT', of: (item) => text.percent(item.splitPercent), right: true },
  { title: 'REQUESTS', of: (item) => String(item.requests), right: true },
  { title: 'ERRORS', of: (item) => String(item.errors), right: true },
  { title: 'ERR%', of: (item) => (item.requests === 0 ? text.UNKNOWN : percentage(item.errorRatio)), right: true },
  difference('± ERR%', 'errorRatio', percentage),
  { title: 'P50', of: (item) => text.milliseconds(item.p50Ms), right: true },
  difference('± P50', 'p50Ms', ms),
  { title: 'P95', of: (item) => text.milliseconds(item.p95Ms), right: true },
  difference('± P95', 'p95Ms', ms),
  { title: 'P99', of: (item) => text.milliseconds(item.p99Ms), right: true },
  difference('± P99', 'p99Ms', ms),
];

export function resultsText({ windowSeconds, baseline, versions }: ResultsView, color: boolean): string {
  const title = `results of the last ${text.countdown(windowSeconds)}, differences to ${baseline} with their 95 % intervals:\n`;
  const columns = versions.some(({ mirrored }) => mirrored !== null) ? [...COLUMNS, ...MIRRORED] : COLUMNS;
  return `${title}${table(versions, columns, color).replaceAll(/^(?=.)/gm, '  ')}`;
}

type Field = keyof NonNullable<VersionResultView['difference']>;

function difference(title: string, field: Field, write: (value: number) => string): Column<VersionResultView> {
  return {
    title,
    of: (item) => (item.difference === null ? '' : range(item.difference[field], write)),
    tone: (item) => (item.difference === null ? null : toneOf(item.difference[field])),
  };
}

/** `+0.9% [0.1%, 2%]` */
function range({ value, low, high }: DifferenceView, write: (value: number) => string, plus = '+'): string {
  if (value === null) return text.UNKNOWN;
  const bound = (of: number | null): string => (of === null ? '?' : write(of));
  return `${value > 0 ? plus : ''}${write(value)} [${bound(low)}, ${bound(high)}]`;
}

/** Only what is not chance has a colour: less errors and less time are good. */
function toneOf({ value, low, high }: DifferenceView): Tone | null {
  if (value === null) return null;
  if (low !== null && low > 0) return 'bad';
  return high !== null && high < 0 ? 'good' : null;
}

function percentage(part: number): string {
  return `${Number((part * 100).toFixed(2))}%`;
}

function ms(value: number): string {
  return `${Number(value.toFixed(1))}ms`;
}
