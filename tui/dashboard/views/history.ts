// Requests, errors, latency and shares over time: of the last seconds, or of a stretch of time that somebody went back to.
import { blockChart, meanOf, quantileOf, spread } from '../charts.ts';
import { formatErrorRatio, formatLatency, formatRate, formatShare, formatTimeOfDay } from '../format.ts';
import { type Cell, cell, type Frame, type Line, type Style } from '../frame.ts';
import { dayOf, firstSecondMs, pastText, spanText } from '../past.ts';
import type { Sight } from '../screen-definition.ts';
import { applianceTimeMs, type HeatColumn, type HistorySeries } from '../state.ts';
import { ruleLine } from './parts.ts';

export interface ChartedHere {
  /** `all`, `cluster/NAME`, `service/NAME`, `version/SERVICE/VERSION` */
  readonly of: string;
  /** Requests per second of the last minute, if the news has them; null: what this dashboard has counted itself. */
  readonly live: readonly number[] | null;
  readonly height: number;
}

const LABEL_WIDTH = 7;
const VALUE_WIDTH = 7;
/** A rule and one line for each of the three. */
const LEAST_HEIGHT = 4;
/** Of one chart. */
const MOST_ROWS = 4;
/** An error in ten thousand is not drawn as high as one in two. */
const LEAST_ERROR_TOP = 0.01;

/** One quantity over time. */
interface Chart {
  readonly label: string;
  readonly values: readonly number[];
  /** What the full height stands for at least. */
  readonly top?: number;
  readonly text: (value: number) => string;
  readonly style: Style;
}

/** Nothing where there is too little room. */
export function timeCharts(sight: Sight, { of, live, height }: ChartedHere): Frame {
  if (height < LEAST_HEIGHT) return [];
  const { state, glyphs } = sight;
  const width = state.size.columns - LABEL_WIDTH - VALUE_WIDTH - 2;
  const figures = state.past === null ? liveFigures(sight, of, live) : pastFigures(state.past.series?.get(of), width);
  const marks = height > LEAST_HEIGHT ? revisionMarks(sight, of, { width, columns: figures.rps.length }) : [];
  const room = height - 1 - marks.length;
  const all = chartsOf(figures);
  const charts = all.slice(0, Math.max(3, Math.min(all.length, room)));
  const rows = Math.max(1, Math.min(MOST_ROWS, Math.floor(room / charts.length)));
  return [
    ruleLine(timeTitle(sight, of, figures.rps.length), state.size.columns, glyphs),
    ...charts.flatMap((chart) => chartLines(sight, chart, { width, rows })),
    ...marks,
  ];
}

function chartsOf({ rps, errors, p95, share }: Figures): readonly Chart[] {
  const charts: readonly Chart[] = [
    { label: 'RPS', values: rps, text: formatRate, style: 'accent' },
    { label: 'ERR%', values: errors, top: LEAST_ERROR_TOP, text: formatErrorRatio, style: 'bad' },
    { label: 'P95', values: p95, text: formatLatency, style: 'warn' },
  ];
  return share.some(Number.isFinite) ? [...charts, { label: 'EFF%', values: share, text: formatShare, style: 'good' }] : charts;
}

/** Behind the first line stands what its full height is, behind the last one what the newest value is. */
function chartLines({ glyphs }: Sight, chart: Chart, { width, rows }: { readonly width: number; readonly rows: number }): Frame {
  const { label, values, top = 0, text, style } = chart;
  const highest = Math.max(top, 0, ...values.filter(Number.isFinite));
  const last = values.at(-1);
  const newest = last === undefined || !Number.isFinite(last) ? '-' : text(last);
  return blockChart(values, { width, height: rows, top }, glyphs).map((line, index): Line => {
    const isLast = index === rows - 1;
    const beside = isLast ? newest : index === 0 && highest > 0 ? text(highest) : '';
    return [
      cell(`  ${(isLast ? label : '').padEnd(LABEL_WIDTH - 2)}`, 'dim'),
      cell(line, style),
      cell(` ${beside.padStart(VALUE_WIDTH)}`, isLast ? 'plain' : 'dim'),
    ];
  });
}

/** When the intent was changed, under the charts: an arrow, and the number of the revision where there is room for it. */
function revisionMarks(sight: Sight, of: string, { width, columns }: { readonly width: number; readonly columns: number }): Frame {
  const { snapshot, glyphs } = sight;
  const range = rangeOf(sight, of, columns);
  if (range === null || columns === 0) return [];
  const places = (snapshot.extras?.revisions ?? [])
    .map(({ revision, at }) => ({ revision, part: (Date.parse(at) - range.fromMs) / (range.toMs - range.fromMs) }))
    .filter(({ part }) => part >= 0 && part < 1)
    .map(({ revision, part }) => ({ revision, at: width - columns + Math.floor(part * columns) }))
    .sort((one, other) => one.at - other.at);
  if (places.length === 0) return [];
  let line = '';
  for (const [index, { revision, at }] of places.entries()) {
    if (at < line.length) continue;
    const room = Math.min(width, places.find((later, each) => each > index && later.at > at)?.at ?? width) - at;
    const named = `${glyphs.arrows.up}${revision}`;
    line = line.padEnd(at) + (named.length < room ? named : glyphs.arrows.up);
  }
  return [[cell(`  ${'REV'.padEnd(LABEL_WIDTH - 2)}`, 'dim'), cell(line, 'accent')]];
}

/** Null: nothing is known of that time. */
function rangeOf({ state, snapshot }: Sight, of: string, seconds: number): { readonly fromMs: number; readonly toMs: number } | null {
  if (state.past === null) {
    const toMs = applianceTimeMs(snapshot, snapshot.receivedAtMs);
    return { fromMs: toMs - seconds * 1000, toMs };
  }
  const series = state.past.series?.get(of);
  return series === undefined ? null : { fromMs: series.startMs, toMs: series.startMs + series.stepMs * series.rps.length };
}

/** `all, 11:04:00 to 12:04:00 UTC, 24 s a point` */
export function timeTitle(sight: Sight, of: string, seconds: number): string {
  const { state, snapshot, nowMs } = sight;
  const { past } = state;
  if (past === null) return `${of}, last ${spanText(Math.max(1, seconds) * 1000)}, seconds  (< the last 10 min)`;
  if (past.problem !== null) return `${of}: ${past.problem}`;
  const wanted = pastText(past, applianceTimeMs(snapshot, nowMs));
  if (past.series === null) return `${of}: asking for the ${past.endMs === null ? '' : 'time of '}${wanted}`;
  const series = past.series.get(of);
  if (series === undefined) return `${of}: nothing is known of ${past.endMs === null ? 'the ' : ''}${wanted}`;
  const endMs = series.startMs + series.stepMs * series.rps.length;
  const [from, to] = [dayOf(series.startMs), dayOf(endMs)];
  const today = snapshot.status.at.slice(0, 10);
  const time = (ms: number, day: string): string => `${day === today && from === to ? '' : `${day.slice(5)} `}${formatTimeOfDay(ms)}`;
  return `${of}, ${time(series.startMs, from)} to ${time(endMs, to)} UTC, ${stepText(series.stepMs)} a point  (< > time, [ ] span, Esc now)`;
}

function stepText(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  return ms < 2 * 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

interface Figures {
  readonly rps: readonly number[];
  readonly errors: readonly number[];
  readonly p95: readonly number[];
  /** Of versions, in the past; else empty. */
  readonly share: readonly number[];
}

/** The news tells errors and latencies of now alone: what was before the dashboard began, the history has. */
function liveFigures(sight: Sight, of: string, live: readonly number[] | null): Figures {
  const { state, snapshot } = sight;
  const boundsMs = snapshot.extras?.latency.boundsMs ?? [];
  const width = state.size.columns - LABEL_WIDTH - VALUE_WIDTH - 2;
  const { heat } = state;
  const before = latelyColumns(sight, of);
  const counts = heat.map((column) => column.counts.get(of) ?? []);
  const rps = [...before.rps, ...counts.map((each) => each.reduce((sum, count) => sum + count, 0))].slice(-width);
  const figures = {
    errors: [...before.errorRatio, ...heat.map((column) => column.errors.get(of) ?? null)],
    p95: [...before.p95Ms, ...counts.map((each) => quantileOf(each, boundsMs, 0.95))],
  };
  return {
    // As soon as this dashboard knows of more than the news tells, what it has goes further back.
    rps: live !== null && live.length >= rps.length ? live.slice(-width) : rps.map(known),
    errors: figures.errors.slice(-width).map(known),
    p95: figures.p95.slice(-width).map(known),
    share: [],
  };
}

type Columns = Pick<HistorySeries, 'rps' | 'errorRatio' | 'p95Ms' | 'histogram'>;
/** Seconds that were not kept yet when they were asked for. */
const MOST_MISSING = 10;
const NO_COLUMNS: Columns = { rps: [], errorRatio: [], p95Ms: [], histogram: [] };

/** The seconds up to the first that this dashboard has seen, one for each, nothing in those that are not kept. */
function latelyColumns({ state }: Sight, of: string): Columns {
  const { lately } = state;
  const firstMs = firstSecondMs(state);
  if (firstMs === null || lately?.of !== of || lately.series === null || lately.series.stepMs !== 1000) return NO_COLUMNS;
  const { startMs, rps, errorRatio, p95Ms, histogram } = lately.series;
  const seconds = Math.max(0, Math.round((firstMs - startMs) / 1000));
  // Of another beginning.
  if (seconds > rps.length + MOST_MISSING) return NO_COLUMNS;
  const fitted = <Value>(values: readonly (Value | null)[]): readonly (Value | null)[] =>
    Array.from({ length: seconds }, (_, second) => values[second] ?? null);
  return { rps: fitted(rps), errorRatio: fitted(errorRatio), p95Ms: fitted(p95Ms), histogram: fitted(histogram) };
}

function pastFigures(series: HistorySeries | undefined, width: number): Figures {
  const drawn = (values: readonly (number | null)[] | undefined): readonly number[] => spread(values ?? [], width, meanOf).map(known);
  return { rps: drawn(series?.rps), errors: drawn(series?.errorRatio), p95: drawn(series?.p95Ms), share: drawn(series?.effectiveShare) };
}

const known = (value: number | null): number => value ?? Number.NaN;

const HEALTH_RANK: Readonly<Record<NonNullable<HistorySeries['health'][number]>, number>> = { up: 0, unknown: 1, degraded: 2, down: 3 };
const HEALTH_STYLE: Readonly<Record<NonNullable<HistorySeries['health'][number]>, Style>> = {
  ...{ up: 'good', unknown: 'warn', degraded: 'warn', down: 'bad' },
};

/** The worst health of each piece of time, as a strip from the left edge to the right one: higher is worse, nothing where nothing is known. */
export function healthStrip({ state, glyphs }: Pick<Sight, 'state' | 'glyphs'>, series: HistorySeries): Line {
  const worst = (values: HistorySeries['health']): HistorySeries['health'][number] =>
    values.reduce((one, other) => (one === null || (other !== null && HEALTH_RANK[other] > HEALTH_RANK[one]) ? other : one), null);
  const cells: Cell[] = [cell('  ')];
  for (const health of spread(series.health, state.size.columns - 4, worst)) {
    const style: Style = health === null ? 'dim' : HEALTH_STYLE[health];
    const text = health === null ? ' ' : health === 'unknown' ? '?' : glyphs.healthBar[health];
    const last = cells.at(-1);
    if (last?.style === style && cells.length > 1) cells[cells.length - 1] = cell(last.text + text, style);
    else cells.push(cell(text, style));
  }
  return cells;
}

/** The columns of a heat strip: what was counted, or what the history has. */
export function heatColumns(sight: Sight, of: string): readonly (readonly number[] | null)[] {
  const { state } = sight;
  if (state.past === null)
    return [...latelyColumns(sight, of).histogram, ...state.heat.map((column: HeatColumn) => column.counts.get(of) ?? [])];
  return state.past.series?.get(of)?.histogram ?? [];
}
