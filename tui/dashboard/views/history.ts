// Requests, errors and latency over time: of the last minute, or of a time before now that somebody went back to.
import { blockChart, quantileOf } from '../charts.ts';
import { formatErrorRatio, formatLatency, formatRate, formatTimeOfDay } from '../format.ts';
import { cell, type Frame, type Line, type Style } from '../frame.ts';
import type { Sight } from '../screen-definition.ts';
import type { HeatColumn, HistorySeries } from '../state.ts';
import { ruleLine } from './parts.ts';

export interface Charted {
  /** `all`, `cluster/NAME`, `service/NAME` */
  readonly of: string;
  /** Requests per second of the last minute, if the news has them; null: what this dashboard has counted itself. */
  readonly live: readonly number[] | null;
  readonly height: number;
}

const LABEL_WIDTH = 6;
const VALUE_WIDTH = 7;
/** A rule and one line for each of the three. */
const LEAST_HEIGHT = 4;

/** Nothing where there is too little room. */
export function timeCharts(sight: Sight, { of, live, height }: Charted): Frame {
  if (height < LEAST_HEIGHT) return [];
  const { state, glyphs } = sight;
  const figures = state.past === null ? liveFigures(sight, of, live) : pastFigures(state.past.series?.get(of));
  const rows = Math.max(1, Math.min(4, Math.floor((height - 1) / 3)));
  const width = state.size.columns - LABEL_WIDTH - VALUE_WIDTH - 2;
  const one = (
    label: string,
    values: readonly number[],
    { text, style }: { readonly text: (value: number) => string; readonly style: Style },
  ): Frame => {
    const lines = blockChart(values, { width, height: rows }, glyphs);
    const last = values.at(-1);
    const shown = last === undefined || !Number.isFinite(last) ? '-' : text(last);
    return lines.map((line, index): Line => {
      const isLast = index === lines.length - 1;
      return [
        cell(`  ${(isLast ? label : '').padEnd(LABEL_WIDTH - 2)}`, 'dim'),
        cell(line, style),
        cell(` ${isLast ? shown.padStart(VALUE_WIDTH) : ''}`),
      ];
    });
  };
  return [
    ruleLine(timeTitle(sight, of), state.size.columns, glyphs),
    ...one('RPS', figures.rps, { text: formatRate, style: 'accent' }),
    ...one('ERR%', figures.errors, { text: formatErrorRatio, style: 'bad' }),
    ...one('P95', figures.p95, { text: formatLatency, style: 'warn' }),
  ];
}

/** `over time of all, 11:04 to 12:04 UTC, 6 s a column` */
export function timeTitle({ state, snapshot }: Sight, of: string): string {
  const { past } = state;
  if (past === null) return `${of}, last minute, seconds  (< goes back in time)`;
  if (past.problem !== null) return `${of}: ${past.problem}`;
  if (past.series === null) return `${of}: asking for the time ${agoText(past.beforeNowMs)}`;
  const series = past.series.get(of);
  if (series === undefined) return `${of}: nothing is known of the time ${agoText(past.beforeNowMs)}`;
  const endMs = series.startMs + series.stepMs * series.rps.length;
  const day = new Date(series.startMs).toISOString().slice(0, 10);
  const today = snapshot.status.at.slice(0, 10);
  const span = `${day === today ? '' : `${day} `}${formatTimeOfDay(series.startMs)} to ${formatTimeOfDay(endMs)} UTC`;
  return `${of}, ${span}, ${stepText(series.stepMs)} a column  (> goes on, Esc to now)`;
}

export function agoText(ms: number): string {
  const [minutes, hours] = [Math.round(ms / 60_000), Math.round(ms / 3_600_000)];
  if (minutes < 60) return `${minutes} min ago`;
  return hours < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} days ago`;
}

function stepText(ms: number): string {
  if (ms < 60_000) return `${Math.round(ms / 1000)} s`;
  return ms < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

interface Figures {
  readonly rps: readonly number[];
  readonly errors: readonly number[];
  readonly p95: readonly number[];
}

/** The news tells errors as of its last seconds alone, so that their line begins when the dashboard does. */
function liveFigures({ state, snapshot }: Sight, of: string, live: readonly number[] | null): Figures {
  const boundsMs = snapshot.extras?.latency.boundsMs ?? [];
  const counts = state.heat.map((column) => column.counts.get(of) ?? []);
  const rps = counts.map((each) => each.reduce((sum, count) => sum + count, 0));
  return {
    rps: live ?? rps,
    errors: state.heat.map((column) => column.errors.get(of) ?? Number.NaN),
    p95: counts.map((each) => quantileOf(each, boundsMs, 0.95) ?? Number.NaN),
  };
}

function pastFigures(series: HistorySeries | undefined): Figures {
  const known = (values: readonly (number | null)[] | undefined): readonly number[] => (values ?? []).map((value) => value ?? Number.NaN);
  return { rps: known(series?.rps), errors: known(series?.errorRatio), p95: known(series?.p95Ms) };
}

/** The columns of a heat strip: what was counted, or what the history has. */
export function heatColumns({ state }: Sight, of: string): readonly (readonly number[] | null)[] {
  if (state.past === null) return state.heat.map((column: HeatColumn) => column.counts.get(of) ?? []);
  return state.past.series?.get(of)?.histogram ?? [];
}
