// The clusters table: the three axes and the three shares side by side, never merged.
import type { ClusterView } from '../../../balancer/controller/api/views.ts';
import { countdown } from '../../format.ts';
import type { Column, Table } from '../columns.ts';
import { formatAge, formatErrorRatio, formatLatency, formatRate, formatShare } from '../format.ts';
import type { Style } from '../frame.ts';
import type { Glyphs } from '../glyphs.ts';
import { bar, sparkline } from '../sparkline.ts';
import { meanOf, spread } from '../charts.ts';
import type { HistorySeries } from '../state.ts';

/** What the table needs to know beside a row. */
export interface TableContext {
  readonly glyphs: Glyphs;
  /** How old the snapshot is: ages in it have grown by this. */
  readonly snapshotAgeMs: number;
  /** Nothing in it is to be believed: states lose their glyph, so that no green stays on the screen. */
  readonly stale: boolean;
  /** Some of the clusters return by themselves. */
  readonly returns: boolean;
  /** What the trend shows in place of the last minute, by `cluster/NAME`; null or absent: the last minute. */
  readonly past?: ReadonlyMap<string, HistorySeries> | null;
}

/** Whether any of them has a time. */
export function returnsOf(rows: readonly ClusterView[]): boolean {
  return rows.some(({ returnsInSeconds }) => returnsInSeconds !== null);
}

const SHORT_ADMIN: Readonly<Record<ClusterView['admin'], string>> = { active: 'active', drain: 'drain', maintenance: 'maint' };
const SHORT_HEALTH: Readonly<Record<ClusterView['health'], string>> = { up: 'up', degraded: 'degr', down: 'down', unknown: 'unkn' };
const SHORT_AGENT: Readonly<Record<ClusterView['agent']['state'], string>> = { fresh: '', stale: '', absent: 'none' };

const ADMIN_STYLE: Readonly<Record<ClusterView['admin'], Style>> = { active: 'good', drain: 'warn', maintenance: 'warn' };
export const HEALTH_STYLE: Readonly<Record<ClusterView['health'], Style>> = { up: 'good', degraded: 'warn', down: 'bad', unknown: 'warn' };
const AGENT_STYLE: Readonly<Record<ClusterView['agent']['state'], Style>> = { fresh: 'plain', stale: 'warn', absent: 'dim' };

/** Above this part of its capacity a cluster is marked. */
export const HIGH_UTILISATION = 0.9;
/** Above this ratio of errors a row is marked. */
export const HIGH_ERROR_RATIO = 0.01;

export function clusterTable(context: TableContext): Table<ClusterView> {
  return {
    columns: [
      nameColumn(),
      ...stateColumns(context),
      ...(context.returns ? [returnColumn(context)] : []),
      ...shareColumns(),
      ...trafficColumns(),
      ...loadColumns(context),
    ],
    // The trend is the first to go as the terminal shrinks, then what is observed, then the capacity, then when clusters return.
    steps: ['back', 'cap', 'observed', 'health', 'agent', 'trend', 'admin'],
  };
}

function nameColumn(): Column<ClusterView> {
  return {
    id: 'name',
    sort: 'name',
    title: 'CLUSTER',
    align: 'left',
    narrow: 8,
    wide: 8,
    upTo: (rows) => Math.min(32, Math.max(0, ...rows.map((row) => row.name.length))),
    value: (row) => row.name,
  };
}

function stateColumns({ glyphs, snapshotAgeMs, stale }: TableContext): readonly Column<ClusterView>[] {
  const glyph = (known: string): string => (stale ? glyphs.outdated : known);
  return [
    {
      id: 'admin',
      title: 'ADMIN',
      align: 'left',
      narrow: 8,
      wide: 13,
      value: (row, width) => adminText(row, width < 13, { glyph: glyph(glyphs.admin[row.admin]), snapshotAgeMs }),
      style: (row) => (row.admin === 'active' && row.dialPercent < 100 ? 'warn' : ADMIN_STYLE[row.admin]),
    },
    {
      id: 'health',
      sort: 'state',
      title: 'HEALTH',
      align: 'left',
      narrow: 6,
      wide: 10,
      value: (row, width) => `${glyph(glyphs.health[row.health])} ${width < 10 ? SHORT_HEALTH[row.health] : row.health}`,
      style: (row) => HEALTH_STYLE[row.health],
    },
    {
      id: 'agent',
      title: 'AGENT',
      align: 'left',
      narrow: 6,
      wide: 12,
      value: ({ agent }, width) => {
        const word = width < 12 ? SHORT_AGENT[agent.state] : agent.state;
        const age = agent.ageMs === null || (width < 12 && agent.state === 'absent') ? '' : formatAge(agent.ageMs + snapshotAgeMs);
        return [glyph(glyphs.agent[agent.state]), word, age].filter(Boolean).join(' ');
      },
      style: (row) => AGENT_STYLE[row.agent.state],
    },
  ];
}

/** Until the admin state or the dial returns by itself. */
function returnColumn({ snapshotAgeMs }: TableContext): Column<ClusterView> {
  const value = (row: ClusterView): string => returnText(row, snapshotAgeMs);
  return { id: 'back', title: 'BACK IN', align: 'right', narrow: 7, wide: 7, optional: true, value, style: () => 'warn' };
}

function returnText({ returnsInSeconds }: ClusterView, snapshotAgeMs: number): string {
  return returnsInSeconds === null ? '' : countdown(returnsInSeconds - snapshotAgeMs / 1000);
}

/**
 * What a drained cluster still has running stands behind the state. A dial below 100 stands behind the state; where there is no room it stands in its
 * place, as does the time until a cluster that is out returns.
 */
function adminText(
  row: ClusterView,
  short: boolean,
  { glyph, snapshotAgeMs }: { readonly glyph: string; readonly snapshotAgeMs: number },
): string {
  const {
    admin,
    dialPercent,
    returnsInSeconds,
    running: { requests, tunnels },
  } = row;
  if (admin !== 'active' && requests + tunnels > 0) return `${glyph} ${short ? '' : `${SHORT_ADMIN[admin]} `}${requests + tunnels}`;
  const dial = `${Math.round(dialPercent)}%`;
  const dialled = dialPercent < 100 && admin !== 'maintenance';
  if (!short) return dialled ? `${glyph} ${admin} ${dial}` : `${glyph} ${admin}`;
  if (admin !== 'active' && returnsInSeconds !== null) return `${glyph} ${returnText(row, snapshotAgeMs)}`;
  return dialled && admin === 'active' ? `${glyph} ${dial}` : `${glyph} ${SHORT_ADMIN[admin]}`;
}

function shareColumns(): readonly Column<ClusterView>[] {
  return [
    { id: 'desired', title: 'DES%', align: 'right', narrow: 4, wide: 4, value: (row) => formatShare(row.desiredShare) },
    {
      id: 'effective',
      title: 'EFF%',
      align: 'right',
      narrow: 4,
      wide: 4,
      value: (row) => formatShare(row.effectiveShare),
      // Where the plan departs from what was asked by more than a percentage point, somebody will want to know why.
      style: (row) => (Math.abs(row.effectiveShare - row.desiredShare) > 0.01 ? 'warn' : 'plain'),
    },
    { id: 'observed', title: 'OBS%', align: 'right', narrow: 4, wide: 4, optional: true, value: (row) => formatShare(row.observedShare) },
  ];
}

function trafficColumns(): readonly Column<ClusterView>[] {
  return [
    { id: 'rps', sort: 'rps', title: 'RPS', align: 'right', narrow: 5, wide: 5, value: (row) => formatRate(row.traffic.rps) },
    {
      id: 'errors',
      sort: 'err',
      title: 'ERR%',
      align: 'right',
      narrow: 4,
      wide: 4,
      value: (row) => formatErrorRatio(row.traffic.errorRatio),
      style: (row) => (row.traffic.errorRatio >= HIGH_ERROR_RATIO ? 'bad' : 'plain'),
    },
    { id: 'p95', sort: 'p95', title: 'P95', align: 'right', narrow: 5, wide: 5, value: (row) => formatLatency(row.traffic.p95Ms) },
  ];
}

const BAR_WIDTH = 6;
/** Seconds of history that a row carries. */
const TREND_SECONDS = 60;

function loadColumns({ glyphs, past = null }: TableContext): readonly Column<ClusterView>[] {
  return [
    {
      id: 'cap',
      sort: 'cap',
      title: 'CAP',
      align: 'left',
      narrow: BAR_WIDTH + 5,
      wide: BAR_WIDTH + 5,
      optional: true,
      value: ({ utilisation }) =>
        utilisation === null
          ? '-'
          : `${bar(utilisation, BAR_WIDTH, glyphs)} ${String(Math.min(999, Math.round(utilisation * 100))).padStart(3)}%`,
      style: ({ utilisation }) => (utilisation !== null && utilisation >= HIGH_UTILISATION ? 'bad' : 'plain'),
    },
    {
      id: 'trend',
      title: 'TREND',
      align: 'right',
      narrow: 8,
      wide: 8,
      optional: true,
      upTo: (rows) => (past === null ? Math.min(TREND_SECONDS, Math.max(0, ...rows.map((row) => row.trend.length))) : TREND_SECONDS),
      value: (row, width) => sparkline(past === null ? row.trend : pastTrend(past.get(`cluster/${row.name}`), width), width, glyphs),
      style: () => 'accent',
    },
  ];
}

function pastTrend(series: HistorySeries | undefined, width: number): readonly number[] {
  return spread(series?.rps ?? [], width, meanOf).map((value) => value ?? Number.NaN);
}
