// Latency: percentiles of all requests, clusters and busy services, and of the chosen one a heat strip over time and a histogram.
import { byText } from '../arrange.ts';
import { heatStrip, quantileOf, spread, sumOfCounts } from '../charts.ts';
import type { Column, Table } from '../columns.ts';
import { formatLatency, formatRate } from '../format.ts';
import { cell, type Frame, type Line } from '../frame.ts';
import { listScreen, type Looking, type Sight, type Subject } from '../screen-definition.ts';
import { bar } from '../sparkline.ts';
import { indexOfSelection } from '../state.ts';
import { heatColumns, timeTitle } from '../views/history.ts';
import { ruleLine } from '../views/parts.ts';

export interface LatencyRow {
  readonly of: string;
  readonly rps: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

function rowsOf({ snapshot: { status } }: Looking): readonly LatencyRow[] {
  const { p50Ms, p95Ms, p99Ms, rps } = status.traffic;
  return [
    { of: 'all', rps, p50Ms, p95Ms, p99Ms },
    ...status.clusters.map(({ name, traffic }) => ({ of: `cluster/${name}`, ...traffic })),
    ...status.services.map(({ name, traffic }) => ({ of: `service/${name}`, ...traffic })),
  ];
}

function subjectOf({ of }: LatencyRow): Subject {
  const [kind, name] = of.split('/');
  if (name === undefined) return {};
  return kind === 'cluster' ? { cluster: name } : { service: name };
}

const figure = (id: string, title: string, value: (row: LatencyRow) => string): Column<LatencyRow> => ({
  ...{ id, sort: id, title, align: 'right' as const, narrow: 7, wide: 7 },
  value,
});

const TABLE: Table<LatencyRow> = {
  columns: [
    {
      ...{ id: 'name', sort: 'name', title: 'OF', align: 'left', narrow: 14, wide: 14 },
      upTo: (rows) => Math.min(48, Math.max(0, ...rows.map(({ of }) => of.length))),
      value: ({ of }) => of,
    },
    figure('rps', 'RPS', ({ rps }) => formatRate(rps)),
    figure('p50', 'P50', ({ p50Ms }) => formatLatency(p50Ms)),
    figure('p95', 'P95', ({ p95Ms }) => formatLatency(p95Ms)),
    figure('p99', 'P99', ({ p99Ms }) => formatLatency(p99Ms)),
  ],
  steps: [],
};

/** All first, whatever its name; then clusters, then services. */
const PLACE: Readonly<Record<string, number>> = { all: 0, cluster: 1, service: 2 };
const placeOf = ({ of }: LatencyRow): number => PLACE[of.split('/')[0] ?? ''] ?? 3;

export const latencyScreen = listScreen<LatencyRow>({
  name: 'latency',
  label: 'latency',
  key: '6',
  noun: 'latencies',
  id: ({ of }) => of,
  search: ({ of, rps, p50Ms, p95Ms, p99Ms }) => ({
    text: of,
    fields: { name: [of.split('/').at(-1) ?? ''], kind: [of.split('/')[0] ?? ''], state: [] },
    figures: { rps, p50: p50Ms, p95: p95Ms, p99: p99Ms },
  }),
  sorts: {
    name: (a, b) => placeOf(a) - placeOf(b) || byText(a.of, b.of),
    rps: (a, b) => b.rps - a.rps,
    p50: (a, b) => (b.p50Ms ?? -1) - (a.p50Ms ?? -1),
    p95: (a, b) => (b.p95Ms ?? -1) - (a.p95Ms ?? -1),
    p99: (a, b) => (b.p99Ms ?? -1) - (a.p99Ms ?? -1),
  },
  rows: rowsOf,
  none: () => 'no requests yet',
  subject: subjectOf,
  charts: (row) => ({ of: row?.of ?? 'all', histogram: true }),
  table: () => TABLE,
  below: chartLines,
});

const LABEL_WIDTH = 9;
const LEAST_HEIGHT = 6;
/** Buckets of the histogram that have a line at most. */
const MAX_BARS = 14;

/** The heat strip gets half of the room, the histogram the other. */
function chartLines(sight: Sight, height: number, rows: readonly LatencyRow[]): Frame {
  if (height < LEAST_HEIGHT) return [];
  const chosen =
    rows[
      indexOfSelection(
        rows.map(({ of }) => of),
        sight.list.selection,
      )
    ]?.of ?? 'all';
  const { state, snapshot, glyphs } = sight;
  const boundsMs = snapshot.extras?.latency.boundsMs ?? [];
  const columns = heatColumns(sight, chosen);
  const width = state.size.columns - LABEL_WIDTH - 2;
  const drawn = state.past === null ? columns : spread(columns, width, sumOfCounts);
  const strip = heatStrip({ columns: drawn, boundsMs, width, rows: Math.max(2, Math.min(12, Math.floor((height - 2) / 2))) }, glyphs);
  if (strip.length === 0) {
    const why =
      snapshot.extras === null ? 'this appliance does not tell latencies by the second' : 'no requests of it were seen in this time';
    return [ruleLine(timeTitle(sight, chosen, columns.length), state.size.columns, glyphs), [cell(`  ${why}`, 'dim')]];
  }
  const lines = strip.map(({ fromMs, cells }): Line => [
    cell(`  ${formatLatency(fromMs).padStart(LABEL_WIDTH - 3)} `, 'dim'),
    cell(cells, 'accent'),
  ]);
  const histogram = histogramLines(sight, columns, height - lines.length - 2);
  return [ruleLine(timeTitle(sight, chosen, columns.length), state.size.columns, glyphs), ...lines, ...histogram];
}

function histogramLines({ state, snapshot, glyphs }: Sight, columns: readonly (readonly number[] | null)[], height: number): Frame {
  const boundsMs = snapshot.extras?.latency.boundsMs ?? [];
  const counts = sumOfCounts(columns);
  const all = counts.reduce((sum, count) => sum + count, 0);
  const used = counts.flatMap((count, bucket) => (count > 0 ? [bucket] : []));
  if (height < 2 || all === 0) return [];
  const [first, last] = [used[0] ?? 0, used.at(-1) ?? 0];
  const perBar = Math.ceil((last - first + 1) / Math.min(MAX_BARS, height));
  const bars: { readonly fromMs: number; readonly count: number }[] = [];
  for (let bucket = first; bucket <= last; bucket += perBar)
    bars.push({ fromMs: boundsMs[bucket - 1] ?? 0, count: counts.slice(bucket, bucket + perBar).reduce((sum, count) => sum + count, 0) });
  const most = Math.max(...bars.map(({ count }) => count));
  const width = Math.max(10, state.size.columns - LABEL_WIDTH - 20);
  const quantiles = (
    [
      ['p50', 0.5],
      ['p95', 0.95],
      ['p99', 0.99],
    ] as const
  ).map(([name, part]) => `${name} ${formatLatency(quantileOf(counts, boundsMs, part))}`);
  return [
    ruleLine(`histogram of ${all} requests, ${quantiles.join(', ')}`, state.size.columns, glyphs),
    ...bars.map(({ fromMs, count }): Line => [
      cell(`  ${formatLatency(fromMs).padStart(LABEL_WIDTH - 3)} `, 'dim'),
      cell(bar(count / most, width, { ...glyphs, bar: { ...glyphs.bar, empty: ' ' } }), 'accent'),
      cell(` ${((count / all) * 100).toFixed(1)}%`),
    ]),
  ];
}
