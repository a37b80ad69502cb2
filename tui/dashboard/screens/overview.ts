// The overview: clusters first, rollouts under way and services below them while there is room, the newest events at the bottom.
import type { ClusterView, ServiceView } from '../../../balancer/controller/api/views.ts';
import { arrange, type Arrangement, byText } from '../arrange.ts';
import { fitColumns, headLine, rowLine } from '../columns.ts';
import { type Searchable, shareFigures, trafficFigures } from '../filter.ts';
import { cell, type Frame, type Line, restyle } from '../frame.ts';
import { listScreen, type ListScreen, listSection, type ScreenDefinition, type Sight } from '../screen-definition.ts';
import { isStale } from '../state.ts';
import { clusterTable, HIGH_ERROR_RATIO, returnsOf } from '../views/cluster-table.ts';
import { eventTable } from '../views/event-table.ts';
import { ruleLine } from '../views/parts.ts';
import { rolloutRows, rolloutTable } from '../views/rollout-table.ts';
import { SERVICE_TABLE } from '../views/service-tables.ts';

const HEALTH_RANK: Readonly<Record<ClusterView['health'], number>> = { down: 0, degraded: 1, unknown: 2, up: 3 };
const ADMIN_RANK: Readonly<Record<ClusterView['admin'], number>> = { maintenance: 0, drain: 1, active: 2 };

/** The mean of the last minute: rows that swap places every second cannot be read. */
function steadyRate(view: ClusterView): number {
  return view.trend.length === 0 ? view.traffic.rps : view.trend.reduce((sum, each) => sum + each, 0) / view.trend.length;
}

export const CLUSTERS: Arrangement<ClusterView> = {
  id: (row) => row.name,
  search: searchCluster,
  sorts: {
    name: (a, b) => byText(a.name, b.name),
    state: (a, b) => HEALTH_RANK[a.health] - HEALTH_RANK[b.health] || ADMIN_RANK[a.admin] - ADMIN_RANK[b.admin],
    rps: (a, b) => steadyRate(b) - steadyRate(a),
    err: (a, b) => b.traffic.errorRatio - a.traffic.errorRatio,
    p95: (a, b) => (b.traffic.p95Ms ?? -1) - (a.traffic.p95Ms ?? -1),
    cap: (a, b) => (b.utilisation ?? -1) - (a.utilisation ?? -1),
  },
};

function searchCluster(row: ClusterView): Searchable {
  const state = [row.admin, row.health, row.agent.state];
  return {
    text: [row.name, row.region ?? '', ...state].join(' '),
    fields: { name: [row.name], region: [row.region ?? ''], state, admin: [row.admin], health: [row.health], agent: [row.agent.state] },
    figures: { ...trafficFigures(row.traffic), ...shareFigures(row), cap: row.utilisation === null ? null : row.utilisation * 100 },
  };
}

const LIST: ListScreen<ClusterView> = {
  ...CLUSTERS,
  name: 'overview',
  label: 'overview',
  key: '1',
  opens: 'cluster',
  noun: 'clusters',
  rows: ({ snapshot }) => snapshot.status.clusters,
  none: () => 'no clusters are configured',
  subject: ({ name }) => ({ cluster: name }),
  charts: () => ({ of: 'cluster/*' }),
  table: ({ state, snapshot, nowMs, glyphs }, rows) =>
    clusterTable({
      ...{ glyphs, snapshotAgeMs: nowMs - snapshot.receivedAtMs, stale: isStale(state), returns: returnsOf(rows) },
      past: state.past?.series ?? null,
    }),
};

export const overviewScreen: ScreenDefinition = { ...listScreen(LIST), lines: overviewLines };

/** Lines for rows in each section; 0: the section is left out. */
export interface OverviewHeights {
  readonly clusters: number;
  readonly rollouts: number;
  readonly services: number;
  readonly events: number;
}

/** What there is to show. */
export type OverviewCounts = Omit<OverviewHeights, 'events'>;

/** Lines a section takes besides its rows: a rule and a head, events a rule. */
const SECTION = { clusters: 2, rollouts: 2, services: 2, events: 1 } as const;
/** Fewer rows than this are not worth a section, unless there are no more. */
const LEAST = { clusters: 3, services: 2, events: 2 } as const;

/**
 * Shares `height` lines out: clusters get all they need while the others keep the least that is of use. What is in progress goes before services, and
 * has a line for each as far as clusters keep theirs.
 */
export function overviewHeights(height: number, count: OverviewCounts): OverviewHeights {
  const leastClusters = Math.min(LEAST.clusters, Math.max(1, count.clusters));
  const events = SECTION.events + LEAST.events;
  const room = height - SECTION.clusters - events;
  const rollouts = Math.max(0, Math.min(count.rollouts, room - leastClusters - SECTION.rollouts));
  const forClusters = room - (rollouts === 0 ? 0 : rollouts + SECTION.rollouts);
  const services = count.services === 0 ? 0 : SECTION.services + Math.min(LEAST.services, count.services);
  const withServices = services > 0 && forClusters - services >= leastClusters;
  const clusters = Math.max(1, Math.min(Math.max(1, count.clusters), forClusters - (withServices ? services : 0)));
  const rest = forClusters + events - clusters;
  const serviceRows = withServices ? Math.min(count.services, rest - events - SECTION.services) : 0;
  const eventRows = rest - (withServices ? serviceRows + SECTION.services : 0) - SECTION.events;
  return { clusters, rollouts, services: serviceRows, events: Math.max(0, eventRows) };
}

function overviewLines(sight: Sight, height: number): Frame {
  const { status } = sight.snapshot;
  const heights = overviewHeights(height, {
    clusters: status.clusters.length,
    rollouts: status.rollouts.length,
    services: status.services.length,
  });
  return [
    ...clusterSection(sight, heights.clusters),
    ...(heights.rollouts > 0 ? rolloutSection(sight, heights.rollouts) : []),
    ...(heights.services > 0 ? serviceSection(sight, heights.services) : []),
    ...(heights.events > 0 ? eventSection(sight, heights.events) : []),
  ];
}

function clusterSection(sight: Sight, height: number): Frame {
  const rows = arrange(sight.snapshot.status.clusters, sight.list, CLUSTERS);
  const lines = listSection(LIST, { sight, rows }, height);
  return Array.from({ length: height + SECTION.clusters }, (_, index): Line => lines[index] ?? []);
}

/** Also of the screen of changes. */
export function rolloutSection({ state, snapshot, nowMs, glyphs }: Sight, height: number): Frame {
  const { rollouts } = snapshot.status;
  const rows = rolloutRows(rollouts).slice(0, height);
  const columns = fitColumns(rolloutTable(nowMs - snapshot.receivedAtMs), state.size.columns - 2, rows);
  const lines = rows.map((row) => faded([cell('  '), ...rowLine(columns, row, glyphs)], isStale(state)));
  const hidden = rollouts.length - rows.length;
  const title = `rollouts ${rollouts.length}${hidden > 0 ? `, ${hidden} more` : ''}`;
  return [ruleLine(title, state.size.columns, glyphs), [cell('  '), ...headLine(columns, glyphs)], ...lines];
}

function serviceSection({ state, snapshot: { status }, glyphs }: Sight, height: number): Frame {
  const rows = worstFirst(status.services).slice(0, height);
  const columns = fitColumns(SERVICE_TABLE, state.size.columns - 2, rows);
  const lines = rows.map((row) => faded([cell('  '), ...rowLine(columns, row, glyphs)], isStale(state)));
  const hidden = status.services.length - rows.length;
  const title = `services ${status.services.length}${hidden > 0 ? `, ${hidden} more on 2` : ''}`;
  return [ruleLine(title, state.size.columns, glyphs), [cell('  '), ...headLine(columns, glyphs)], ...lines];
}

/** Where there is room for few, those that need somebody. */
function worstFirst(services: readonly ServiceView[]): readonly ServiceView[] {
  const rank = ({ lostShare, traffic }: ServiceView): number => (lostShare > 0 ? 2 : 0) + (traffic.errorRatio >= HIGH_ERROR_RATIO ? 1 : 0);
  return services.some((service) => rank(service) > 0) ? services.toSorted((one, other) => rank(other) - rank(one)) : services;
}

function eventSection({ state, snapshot: { status }, glyphs }: Sight, height: number): Frame {
  const rows = status.events.slice(0, height);
  const columns = fitColumns(eventTable(status.at.slice(0, 10)), state.size.columns - 2, rows);
  return [ruleLine('events', state.size.columns, glyphs), ...rows.map((row): Line => [cell('  '), ...rowLine(columns, row, glyphs)])];
}

function faded(line: Line, stale: boolean): Line {
  return stale ? restyle(line, 'stale') : line;
}
