// What each screen lists: rows with an identity, filtered and sorted. Pure; the views only draw them.
import type { ClusterView, EventView, ServiceView, StatusView, TargetView } from '../../balancer/controller/api/views.ts';
import { type Filter, matches, parseFilter, type Searchable } from './filter.ts';

export type ScreenName = 'overview' | 'services' | 'events';
export const SCREENS: readonly ScreenName[] = ['overview', 'services', 'events'];

export interface TargetRow {
  readonly service: ServiceView;
  readonly target: TargetView;
}

/** How a list is looked at. */
export interface ListChoice {
  readonly filter: string;
  /** One of SORTS of the screen. */
  readonly sort: string;
  readonly reverse: boolean;
}

type Compare<Row> = (a: Row, b: Row) => number;

const HEALTH_RANK: Readonly<Record<ClusterView['health'], number>> = { down: 0, degraded: 1, unknown: 2, up: 3 };
const ADMIN_RANK: Readonly<Record<ClusterView['admin'], number>> = { maintenance: 0, drain: 1, active: 2 };

/** The mean of the last minute: rows that swap places every second cannot be read. */
function steadyRate(view: ClusterView): number {
  return view.trend.length === 0 ? view.traffic.rps : view.trend.reduce((sum, each) => sum + each, 0) / view.trend.length;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The sort orders per screen, each with what is most worth seeing first. */
const CLUSTER_SORTS: Readonly<Record<string, Compare<ClusterView>>> = {
  name: (a, b) => byText(a.name, b.name),
  state: (a, b) => HEALTH_RANK[a.health] - HEALTH_RANK[b.health] || ADMIN_RANK[a.admin] - ADMIN_RANK[b.admin],
  rps: (a, b) => steadyRate(b) - steadyRate(a),
  err: (a, b) => b.traffic.errorRatio - a.traffic.errorRatio,
  p95: (a, b) => (b.traffic.p95Ms ?? -1) - (a.traffic.p95Ms ?? -1),
  cap: (a, b) => (b.utilisation ?? -1) - (a.utilisation ?? -1),
};

const TARGET_SORTS: Readonly<Record<string, Compare<TargetRow>>> = {
  name: (a, b) => byText(targetId(a), targetId(b)),
  share: (a, b) => b.target.effectiveShare - a.target.effectiveShare,
  rps: (a, b) => b.target.traffic.rps - a.target.traffic.rps,
  err: (a, b) => b.target.traffic.errorRatio - a.target.traffic.errorRatio,
  p95: (a, b) => (b.target.traffic.p95Ms ?? -1) - (a.target.traffic.p95Ms ?? -1),
};

const EVENT_SORTS: Readonly<Record<string, Compare<EventView>>> = { newest: (a, b) => b.sequence - a.sequence };

export const SORTS: Readonly<Record<ScreenName, readonly string[]>> = {
  overview: Object.keys(CLUSTER_SORTS),
  services: Object.keys(TARGET_SORTS),
  events: Object.keys(EVENT_SORTS),
};

export function clusterRows(status: StatusView, choice: ListChoice): readonly ClusterView[] {
  return arrange(status.clusters, choice, { search: searchCluster, sorts: CLUSTER_SORTS, id: (row) => row.name });
}

export function targetRows(status: StatusView, choice: ListChoice): readonly TargetRow[] {
  const rows = status.services.flatMap((service) => service.targets.map((target) => ({ service, target })));
  return arrange(rows, choice, { search: searchTarget, sorts: TARGET_SORTS, id: targetId });
}

export function eventRows(status: StatusView, choice: ListChoice): readonly EventView[] {
  return arrange(status.events, choice, { search: searchEvent, sorts: EVENT_SORTS, id: (row) => String(row.sequence).padStart(16, '0') });
}

export function targetId({ service, target }: TargetRow): string {
  return `${service.name}/${target.version}/${target.cluster}`;
}

/** The identities of what a screen lists, in the order drawn. */
export function rowIds(status: StatusView | null, screen: ScreenName, choice: ListChoice): readonly string[] {
  if (status === null) return [];
  switch (screen) {
    case 'overview':
      return clusterRows(status, choice).map((row) => row.name);
    case 'services':
      return targetRows(status, choice).map(targetId);
    case 'events':
      return eventRows(status, choice).map((row) => String(row.sequence));
  }
}

interface Arrangement<Row> {
  readonly search: (row: Row) => Searchable;
  readonly sorts: Readonly<Record<string, Compare<Row>>>;
  readonly id: (row: Row) => string;
}

function arrange<Row>(rows: readonly Row[], choice: ListChoice, { search, sorts, id }: Arrangement<Row>): readonly Row[] {
  const filter: Filter = parseFilter(choice.filter);
  const compare = sorts[choice.sort] ?? (() => 0);
  const direction = choice.reverse ? -1 : 1;
  // Equal rows keep the order of their identities, whichever way the column is turned.
  return rows.filter((row) => matches(filter, search(row))).sort((a, b) => direction * compare(a, b) || byText(id(a), id(b)));
}

function searchCluster(row: ClusterView): Searchable {
  const state = [row.admin, row.health, row.agent.state];
  return {
    text: [row.name, row.region ?? '', ...state].join(' '),
    fields: { name: [row.name], region: [row.region ?? ''], state, admin: [row.admin], health: [row.health], agent: [row.agent.state] },
  };
}

function searchTarget({ service, target }: TargetRow): Searchable {
  return {
    text: [service.name, target.version, target.cluster, ...target.reasons].join(' '),
    fields: {
      name: [service.name],
      service: [service.name],
      version: [target.version],
      cluster: [target.cluster],
      state: target.reasons,
      why: target.reasons,
    },
  };
}

function searchEvent(row: EventView): Searchable {
  return { text: `${row.kind} ${row.text}`, fields: { kind: [row.kind], state: [row.kind] } };
}
