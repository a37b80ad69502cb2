// Services and their versions: a line for each version, with its three shares, latency and errors, and how it differs from the others.
import type { ServiceView, StatusView, TargetView } from '../../../balancer/controller/api/views.ts';
import { byText, remember } from '../arrange.ts';
import type { Table } from '../columns.ts';
import { formatErrorRatio, formatLatency, formatRate } from '../format.ts';
import type { Style } from '../frame.ts';
import { shareFigures, trafficFigures } from '../filter.ts';
import { listScreen } from '../screen-definition.ts';
import { type DashboardState, indexOfSelection } from '../state.ts';
import { HIGH_ERROR_RATIO } from '../views/cluster-table.ts';
import { timeCharts } from '../views/history.ts';
import { named, share } from '../views/service-tables.ts';

/** A version over all its clusters. */
export interface VersionRow {
  readonly service: ServiceView;
  readonly version: string;
  readonly desiredShare: number;
  readonly effectiveShare: number;
  readonly observedShare: number;
  readonly rps: number;
  readonly errorRatio: number;
  /** The worst of its clusters. */
  readonly p95Ms: number | null;
  readonly clusters: number;
  /** Why its share is what it is, beside what was asked for. */
  readonly reasons: readonly string[];
  /** Its rollout, if one is under way. */
  readonly rollout: string;
}

/** Of the charts below the list. */
const MOST_CHART_LINES = 14;

const rowsOf = remember<readonly VersionRow[]>();

export function versionRows(status: StatusView): readonly VersionRow[] {
  return rowsOf([status], () => status.services.flatMap((service) => rowsOfService(service, status)));
}

function rowsOfService(service: ServiceView, status: StatusView): readonly VersionRow[] {
  const rollout = status.rollouts.find((one) => one.service === service.name);
  const targets = new Map<string, TargetView[]>(Object.keys(service.split).map((version) => [version, []]));
  for (const target of service.targets) (targets.get(target.version) ?? []).push(target);
  return [...targets].map(([version, own]): VersionRow => {
    const sum = (of: (target: TargetView) => number): number => own.reduce((all, target) => all + of(target), 0);
    const rps = sum(({ traffic }) => traffic.rps);
    const errors = sum(({ traffic }) => traffic.rps * traffic.errorRatio);
    const latencies = own.flatMap(({ traffic }) => traffic.p95Ms ?? []);
    return {
      ...{ service, version, rps, clusters: own.length },
      // Sums of shares of a whole can be a rounding above it.
      desiredShare: Math.min(
        1,
        sum((target) => target.desiredShare),
      ),
      effectiveShare: Math.min(
        1,
        sum((target) => target.effectiveShare),
      ),
      observedShare: Math.min(
        1,
        sum((target) => target.observedShare),
      ),
      errorRatio: rps === 0 ? 0 : errors / rps,
      p95Ms: latencies.length === 0 ? null : Math.max(...latencies),
      reasons: [...new Set(own.flatMap(({ reasons }) => reasons))].filter((reason) => reason !== 'intent'),
      rollout: rollout?.to === version ? `${rollout.phase} ${rollout.step + 1}/${rollout.steps.length}` : '',
    };
  });
}

/** What is counted now is counted by service; what was is kept by version. */
const chartedOf = (row: VersionRow, { past }: Pick<DashboardState, 'past'>): string =>
  past === null ? `service/${row.service.name}` : `version/${versionId(row)}`;

const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));

/** Where the plan departs from what was asked by more than a percentage point. */
const departs = (row: VersionRow): Style => (Math.abs(row.effectiveShare - row.desiredShare) > 0.01 ? 'warn' : 'plain');

const whyText = ({ reasons, rollout }: VersionRow): string =>
  [...(rollout === '' ? [] : [`rollout ${rollout}`]), ...reasons.map((reason) => reason.replaceAll('_', ' '))].join(', ');

const TABLE: Table<VersionRow> = {
  columns: [
    { ...named<VersionRow>('service', 'SERVICE', 8, (row) => row.service.name), sort: 'name' },
    named('version', 'VERSION', 7, (row) => row.version),
    share('desired', 'DES%', (row) => row.desiredShare),
    { ...share<VersionRow>('effective', 'EFF%', (row) => row.effectiveShare, departs), sort: 'share' },
    share('observed', 'OBS%', (row) => row.observedShare),
    { id: 'rps', sort: 'rps', title: 'RPS', align: 'right', narrow: 5, wide: 5, value: (row) => formatRate(row.rps) },
    {
      ...{ id: 'errors', sort: 'err', title: 'ERR%', align: 'right', narrow: 4, wide: 4 },
      value: (row) => formatErrorRatio(row.errorRatio),
      style: (row) => (row.errorRatio >= HIGH_ERROR_RATIO ? 'bad' : 'plain'),
    },
    { id: 'p95', sort: 'p95', title: 'P95', align: 'right', narrow: 5, wide: 5, value: (row) => formatLatency(row.p95Ms) },
    { id: 'difference', title: 'ERR A/B', align: 'right', narrow: 7, wide: 7, optional: true, value: errorsAgainst, style: worse },
    { id: 'slower', title: 'P95 A/B', align: 'right', narrow: 7, wide: 7, optional: true, value: latencyAgainst },
    { id: 'clusters', title: 'IN', align: 'right', narrow: 3, wide: 3, optional: true, value: (row) => String(row.clusters) },
    {
      ...{ id: 'why', title: 'WHY', align: 'left', narrow: 12, wide: 20, optional: true },
      upTo: (rows) => longest(rows.map(whyText)),
      value: whyText,
      style: () => 'warn',
    },
  ],
  steps: ['difference', 'slower', 'why', 'clusters', 'why'],
};

/** The other versions of its service that get requests; null: there are none, or it gets none itself. */
function othersOf(row: VersionRow): { readonly rps: number; readonly errorRatio: number } | null {
  const others = row.service.targets.filter(({ version, traffic }) => version !== row.version && traffic.rps > 0);
  const rps = others.reduce((sum, { traffic }) => sum + traffic.rps, 0);
  if (rps === 0 || row.rps === 0) return null;
  return { rps, errorRatio: others.reduce((sum, { traffic }) => sum + traffic.rps * traffic.errorRatio, 0) / rps };
}

/** Only where both run: a version is not slow for being far away. Null: they meet nowhere. */
function latenciesSideBySide({ service, version }: VersionRow): { readonly own: number; readonly others: number } | null {
  const known = service.targets.filter(({ traffic }) => traffic.rps > 0 && traffic.p95Ms !== null);
  const shared = (cluster: string): boolean =>
    known.some((one) => one.cluster === cluster && one.version === version) &&
    known.some((one) => one.cluster === cluster && one.version !== version);
  const worst = (isOwn: boolean): number =>
    Math.max(0, ...known.flatMap((one) => (shared(one.cluster) && (one.version === version) === isOwn ? [one.traffic.p95Ms ?? 0] : [])));
  const [own, others] = [worst(true), worst(false)];
  return own === 0 || others === 0 ? null : { own, others };
}

/** In percentage points, with its sign. */
function errorsAgainst(row: VersionRow): string {
  const others = othersOf(row);
  if (others === null) return '-';
  const points = ((row.errorRatio - others.errorRatio) * 100).toFixed(2);
  return Number(points) === 0 ? '0.00' : `${points.startsWith('-') ? '' : '+'}${points}`;
}

function worse(row: VersionRow): Style {
  const others = othersOf(row);
  return others !== null && row.errorRatio - others.errorRatio >= HIGH_ERROR_RATIO ? 'bad' : 'plain';
}

function latencyAgainst(row: VersionRow): string {
  const both = latenciesSideBySide(row);
  return both === null ? '-' : `x${(both.own / both.others).toFixed(2)}`;
}

export function versionId({ service, version }: Pick<VersionRow, 'service' | 'version'>): string {
  return `${service.name}/${version}`;
}

export const servicesScreen = listScreen<VersionRow>({
  name: 'services',
  label: 'services',
  key: '2',
  opens: 'service',
  noun: 'versions',
  id: versionId,
  search: (row) => ({
    text: [row.service.name, row.version, row.rollout, ...row.reasons].join(' '),
    fields: {
      ...{ name: [row.service.name], service: [row.service.name], version: [row.version], policy: [row.service.policy] },
      cluster: row.service.targets.filter(({ version }) => version === row.version).map(({ cluster }) => cluster),
      ...{ state: row.reasons, why: row.reasons },
    },
    figures: { ...trafficFigures(row), ...shareFigures(row) },
  }),
  sorts: {
    name: (a, b) => byText(versionId(a), versionId(b)),
    share: (a, b) => b.effectiveShare - a.effectiveShare,
    rps: (a, b) => b.rps - a.rps,
    err: (a, b) => b.errorRatio - a.errorRatio,
    p95: (a, b) => (b.p95Ms ?? -1) - (a.p95Ms ?? -1),
  },
  rows: ({ snapshot }) => versionRows(snapshot.status),
  none: () => 'no services are configured',
  subject: ({ service, version }) => ({ service: service.name, version }),
  charts: (row, { state }) => (row === null ? null : { of: chartedOf(row, state) }),
  below: (sight, height, rows) => {
    const row = rows[indexOfSelection(rows.map(versionId), sight.list.selection)];
    if (row === undefined) return [];
    return timeCharts(sight, { of: chartedOf(row, sight.state), live: null, height: Math.min(height, MOST_CHART_LINES) });
  },
  table: () => TABLE,
});
