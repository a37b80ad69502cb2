// The overview: clusters first, rollouts under way and services below them while there is room, the newest events at the bottom.
import type { StatusView } from '../../../balancer/controller/api/views.ts';
import { fitColumns, headLine, rowLine } from '../columns.ts';
import { cell, type Frame, type Line, restyle } from '../frame.ts';
import type { Glyphs } from '../glyphs.ts';
import { type DashboardState, isStale, shown, type Snapshot } from '../model.ts';
import { clusterRows } from '../rows.ts';
import { clusterTable, returnsOf } from './cluster-table.ts';
import { EVENT_TABLE } from './event-table.ts';
import { listLines, listTitle, ruleLine } from './parts.ts';
import { rolloutRows, rolloutTable } from './rollout-table.ts';
import { SERVICE_TABLE } from './service-tables.ts';

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

export function overviewLines(state: DashboardState, glyphs: Glyphs, height: number): Frame {
  const { snapshot, nowMs } = shown(state);
  if (snapshot === null) return [];
  const { status } = snapshot;
  const heights = overviewHeights(height, {
    clusters: status.clusters.length,
    rollouts: status.rollouts.length,
    services: status.services.length,
  });
  return [
    ...clusterSection(state, glyphs, { snapshot, nowMs, height: heights.clusters }),
    ...(heights.rollouts > 0 ? rolloutSection(state, glyphs, { snapshot, nowMs, height: heights.rollouts }) : []),
    ...(heights.services > 0 ? serviceSection(state, glyphs, { status, height: heights.services }) : []),
    ...(heights.events > 0 ? eventSection(state, glyphs, { status, height: heights.events }) : []),
  ];
}

interface UpperSection {
  readonly snapshot: Snapshot;
  readonly nowMs: number;
  readonly height: number;
}

function clusterSection(state: DashboardState, glyphs: Glyphs, { snapshot, nowMs, height }: UpperSection): Frame {
  const list = state.lists.overview;
  const rows = clusterRows(snapshot.status, list);
  const all = snapshot.status.clusters.length;
  const table = clusterTable({ glyphs, snapshotAgeMs: nowMs - snapshot.receivedAtMs, stale: isStale(state), returns: returnsOf(rows) });
  const empty = all === 0 ? 'no clusters are configured' : 'no cluster matches the filter; Esc clears it';
  const lines = listLines({ state, list, glyphs, rows, id: (row) => row.name, table, height, empty });
  const padded = Array.from({ length: height + 1 }, (_, index): Line => lines[index] ?? []);
  return [ruleLine(listTitle('clusters', list, { shown: rows.length, all }), state.size.columns, glyphs), ...padded];
}

function rolloutSection(state: DashboardState, glyphs: Glyphs, { snapshot, nowMs, height }: UpperSection): Frame {
  const { rollouts } = snapshot.status;
  const rows = rolloutRows(rollouts).slice(0, height);
  const columns = fitColumns(rolloutTable(nowMs - snapshot.receivedAtMs), state.size.columns - 2, rows);
  const lines = rows.map((row) => faded([cell('  '), ...rowLine(columns, row, glyphs)], isStale(state)));
  const hidden = rollouts.length - rows.length;
  const title = `rollouts ${rollouts.length}${hidden > 0 ? `, ${hidden} more` : ''}`;
  return [ruleLine(title, state.size.columns, glyphs), [cell('  '), ...headLine(columns, glyphs)], ...lines];
}

interface LowerSection {
  readonly status: StatusView;
  readonly height: number;
}

function serviceSection(state: DashboardState, glyphs: Glyphs, { status, height }: LowerSection): Frame {
  const rows = status.services.slice(0, height);
  const columns = fitColumns(SERVICE_TABLE, state.size.columns - 2, rows);
  const lines = rows.map((row) => faded([cell('  '), ...rowLine(columns, row, glyphs)], isStale(state)));
  const hidden = status.services.length - rows.length;
  const title = `services ${status.services.length}${hidden > 0 ? `, ${hidden} more on 2` : ''}`;
  return [ruleLine(title, state.size.columns, glyphs), [cell('  '), ...headLine(columns, glyphs)], ...lines];
}

function eventSection(state: DashboardState, glyphs: Glyphs, { status, height }: LowerSection): Frame {
  const rows = status.events.slice(0, height);
  const columns = fitColumns(EVENT_TABLE, state.size.columns - 2, rows);
  return [ruleLine('events', state.size.columns, glyphs), ...rows.map((row): Line => [cell('  '), ...rowLine(columns, row, glyphs)])];
}

function faded(line: Line, stale: boolean): Line {
  return stale ? restyle(line, 'stale') : line;
}
