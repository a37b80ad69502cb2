// What the history says to a question of the admin API: which steps, which series, and their columns. Pure but for the reading.
import type { Config } from '../config/config.ts';
import { BUCKETS, quantileMs } from '../telemetry/latency-buckets.ts';
import { METRICS } from '../telemetry/metrics.ts';
import { ALL, type History, type Range, type SeriesName } from '../telemetry/history/history.ts';
import { addPoint, emptyPoint, HEALTH_CODES, NO_SHARE, type Point } from '../telemetry/history/points.ts';
import { stepStart, TIERS, type Tier } from '../telemetry/history/tiers.ts';
import type { HistoryRequest, HistorySeriesView } from './api/history-view.ts';

const DEFAULT_RANGE_MS = 600_000;
const DEFAULT_POINTS = 600;
const DEFAULT_LIMIT = 100;
const MILLION = 1_000_000;
const BOUNDS_MS: readonly number[] = METRICS.weir_request_duration_seconds.buckets.map((bound) => bound * 1000);

export interface HistoryFacts {
  readonly config: Config;
  readonly nowMs: number;
}

/** What is told, in how many steps of which length. */
interface Grid extends Range {
  readonly tier: Tier;
  readonly stepMs: number;
  readonly count: number;
}

/** A text: what is wrong with the question. */
export function historyAnswer(history: History, request: HistoryRequest, facts: HistoryFacts): readonly HistorySeriesView[] | string {
  const grid = gridOf(request, facts.nowMs);
  if (typeof grid === 'string') return grid;
  const series = chosenSeries(history, request, { grid, config: facts.config });
  if (typeof series === 'string') return series;
  const ran = new Set<number>();
  history.read(grid.tier, ALL, grid, (stepMs) => ran.add(Math.floor((stepMs - grid.fromMs) / grid.stepMs)));
  return series.map((name) => columnsOf(history, name, { grid, ran, histogram: request.histogram === true }));
}

function gridOf(request: HistoryRequest, nowMs: number): Grid | string {
  const toMs = request.to === undefined ? nowMs : timeOf(request.to);
  const fromMs = request.from === undefined ? (toMs ?? nowMs) - DEFAULT_RANGE_MS : timeOf(request.from);
  if (fromMs === null)
    return `query.from: expected a time such as 2026-11-21T10:00:00Z, or milliseconds since 1970, got ${JSON.stringify(request.from)}`;
  if (toMs === null)
    return `query.to: expected a time such as 2026-11-21T10:00:00Z, or milliseconds since 1970, got ${JSON.stringify(request.to)}`;
  if (toMs <= fromMs) return 'query.to: expected a time after query.from';
  const points = request.points ?? DEFAULT_POINTS;
  const tier = tierOf(request.step ?? 'auto', { fromMs, toMs, nowMs, points });
  const start = stepStart(tier, fromMs);
  const wanted = Math.ceil((toMs - start) / tier.stepMs);
  const stepMs = tier.stepMs * Math.max(1, Math.ceil(wanted / points));
  return { tier, stepMs, fromMs: start, toMs, count: Math.ceil((toMs - start) / stepMs) };
}

/** The finest that is kept for long enough and makes not too many points; the coarsest where none does. */
function tierOf(step: string, { fromMs, toMs, nowMs, points }: Range & { readonly nowMs: number; readonly points: number }): Tier {
  const named = TIERS.find(({ name }) => name === step);
  if (named !== undefined) return named;
  const fits = TIERS.find(({ stepMs, keepMs }) => nowMs - fromMs <= keepMs && (toMs - fromMs) / stepMs <= points);
  return fits ?? TIERS.findLast(({ keepMs }) => nowMs - fromMs <= keepMs) ?? TIERS[TIERS.length - 1] ?? TIERS[0];
}

/** Null: it is none. */
function timeOf(text: string): number | null {
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

function chosenSeries(
  history: History,
  { series, limit = DEFAULT_LIMIT }: HistoryRequest,
  { grid, config }: { readonly grid: Grid; readonly config: Config },
): readonly SeriesName[] | string {
  const chosen = new Set<SeriesName>();
  for (const asked of series.split(',').map((one) => one.trim())) {
    const [kind = '', first = '', second] = asked.split('/');
    const depth = { all: 1, service: 2, cluster: 2, version: 3 }[kind];
    if (depth === undefined || asked.split('/').length !== depth || (depth > 1 && (second ?? first) === ''))
      return `query.series: expected all, service/NAME, version/SERVICE/VERSION or cluster/NAME, with * for the last part, got ${JSON.stringify(asked)}`;
    if (asked.endsWith('/*')) for (const name of busiest(history, asked.slice(0, -1), grid).slice(0, limit)) chosen.add(name);
    else if (isKnown(asked, config) || history.names(asked).includes(asked)) chosen.add(asked);
    else return `nothing is known of ${asked}; weir get services and weir get clusters list what there is`;
  }
  return [...chosen].slice(0, limit);
}

function isKnown(series: SeriesName, { services, clusters }: Config): boolean {
  const [kind, first = '', second = ''] = series.split('/');
  if (kind === 'cluster') return Object.hasOwn(clusters, first);
  const service = services[first];
  return kind === ALL || (service !== undefined && (kind === 'service' || service.versions.some(({ name }) => name === second)));
}

/** By requests, as far as coarser steps tell: reading every second of a thousand series would take longer than anybody waits. */
function busiest(history: History, prefix: string, grid: Grid): readonly SeriesName[] {
  const tier = TIERS[Math.min(TIERS.indexOf(grid.tier) + 2, TIERS.length - 1)] ?? grid.tier;
  const range = { fromMs: stepStart(tier, grid.fromMs), toMs: grid.toMs };
  const totals = history.names(prefix).map((name) => {
    let total = -1;
    history.read(tier, name, range, (_, { requests }) => (total = Math.max(total, 0) + requests));
    return { name, total };
  });
  return totals
    .filter(({ total }) => total >= 0)
    .sort((one, other) => other.total - one.total || (one.name < other.name ? -1 : 1))
    .map(({ name }) => name);
}

function columnsOf(
  history: History,
  series: SeriesName,
  { grid, ran, histogram }: { readonly grid: Grid; readonly ran: ReadonlySet<number>; readonly histogram: boolean },
): HistorySeriesView {
  const points = new Map<number, Point>();
  history.read(grid.tier, series, grid, (stepMs, point) => {
    const index = Math.floor((stepMs - grid.fromMs) / grid.stepMs);
    const sum = points.get(index) ?? emptyPoint();
    addPoint(sum, point);
    points.set(index, sum);
  });
  const column = <T>(of: (point: Point) => T | null, idle: T | null = null): readonly (T | null)[] =>
    Array.from({ length: grid.count }, (_, index) => {
      const point = points.get(index);
      return point === undefined ? (ran.has(index) ? idle : null) : of(point);
    });
  const quantile = (part: number) => column(({ buckets }) => quantileMs([...buckets], part));
  const share = (of: (point: Point) => number) => column((point) => (of(point) === NO_SHARE ? null : of(point) / MILLION));
  const isVersion = series.startsWith('version/');
  return {
    ...{ series, startMs: grid.fromMs, stepMs: grid.stepMs },
    rps: column(({ requests }) => (requests * 1000) / grid.stepMs, 0),
    errorRatio: column(({ requests, errors }) => (requests === 0 ? null : errors / requests)),
    ...{ p50Ms: quantile(0.5), p95Ms: quantile(0.95), p99Ms: quantile(0.99) },
    ...(isVersion ? { desiredShare: share(({ desired }) => desired), effectiveShare: share(({ effective }) => effective) } : {}),
    ...(series.startsWith('cluster/') ? { health: column(({ health }) => healthOf(health)) } : {}),
    ...(histogram
      ? { boundsMs: BOUNDS_MS, histogram: column(({ buckets, requests }) => (requests === 0 ? null : [...buckets].slice(0, BUCKETS))) }
      : {}),
  };
}

function healthOf(code: number): Exclude<(typeof HEALTH_CODES)[number], ''> | null {
  const health = HEALTH_CODES[code] ?? '';
  return health === '' ? null : health;
}
