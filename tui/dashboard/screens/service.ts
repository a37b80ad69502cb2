// One service: its targets with their shares, its versions side by side over the last hour, the routes that lead to it, and its requests over time.
import type { DifferenceView, ServiceView } from '../../../balancer/controller/api/views.ts';
import { glideLines } from '../../glide-text.ts';
import { byText } from '../arrange.ts';
import { formatErrorRatio, formatLatency, formatRate, formatShare } from '../format.ts';
import { cell, type Frame, type Line, type Style } from '../frame.ts';
import { shareFigures, trafficFigures } from '../filter.ts';
import { spanText } from '../past.ts';
import { listScreen, type Looking, type Sight } from '../screen-definition.ts';
import { fit } from '../text.ts';
import { timeCharts } from '../views/history.ts';
import { ruleLine } from '../views/parts.ts';
import { splitText, TARGET_TABLE, type TargetRow } from '../views/service-tables.ts';

/** Routes that have a line, the rule and the head above them, and the cells that all but name and match take. */
const ROUTES = 5;
const ROUTES_FRAME = 2;
const FIGURES_WIDTH = 27;

/** The one that was opened, else the first. */
export function serviceOf({ state, snapshot }: Pick<Looking, 'state' | 'snapshot'>): ServiceView | null {
  const { services } = snapshot.status;
  return services.find(({ name }) => name === state.subjects.service) ?? services[0] ?? null;
}

function targetId({ service, target }: TargetRow): string {
  return `${service.name}/${target.version}/${target.cluster}`;
}

export const serviceScreen = listScreen<TargetRow>({
  name: 'service',
  label: 'service',
  key: null,
  about: 'service',
  opens: 'cluster',
  noun: 'targets',
  id: targetId,
  search: ({ service, target }) => ({
    text: [service.name, target.version, target.cluster, ...target.reasons].join(' '),
    fields: {
      ...{ version: [target.version], cluster: [target.cluster], name: [target.cluster] },
      state: target.reasons,
      why: target.reasons,
    },
    figures: { ...trafficFigures(target.traffic), ...shareFigures(target) },
  }),
  sorts: {
    name: (a, b) => byText(targetId(a), targetId(b)),
    share: (a, b) => b.target.effectiveShare - a.target.effectiveShare,
    rps: (a, b) => b.target.traffic.rps - a.target.traffic.rps,
    err: (a, b) => b.target.traffic.errorRatio - a.target.traffic.errorRatio,
    p95: (a, b) => (b.target.traffic.p95Ms ?? -1) - (a.target.traffic.p95Ms ?? -1),
  },
  rows: (looking) => {
    const service = serviceOf(looking);
    return service === null ? [] : service.targets.map((target) => ({ service, target }));
  },
  none: () => 'no such service',
  subject: ({ service, target }) => ({ service: service.name, version: target.version, cluster: target.cluster }),
  charts: (_, looking) => {
    const service = serviceOf(looking);
    return service === null ? null : { of: `service/${service.name}` };
  },
  table: () => TARGET_TABLE,
  above: (sight) => headLines(sight),
  below: (sight, height) => {
    const versions = versionLines(sight, height);
    // Routes go before charts where there is no room for both.
    const routes = routeLines(sight, height - versions.length);
    return [...versions, ...routes, ...charts(sight, height - versions.length - routes.length)];
  },
});

function headLines(sight: Sight): Frame {
  const service = serviceOf(sight);
  const { columns } = sight.state.size;
  if (service === null) return [];
  const lost = service.lostShare > 0 ? [cell(`  lost ${formatShare(service.lostShare)}%`, 'bad')] : [];
  const ageSeconds = (sight.nowMs - sight.snapshot.receivedAtMs) / 1000;
  return [
    ruleLine(`service ${service.name}`, columns, sight.glyphs),
    [cell(`  split ${splitText(service)}`), cell(`  policy ${service.policy}  when unavailable ${service.onUnavailable}`, 'dim'), ...lost],
    ...glideLines(service.glides, ageSeconds).map((line): Line => [cell('  on its way: ', 'warn'), cell(line)]),
  ];
}

/** The rule, the head, and a line for each version. */
function versionHeight({ state }: Sight): number {
  return state.results === null ? 0 : state.results.versions.length + 2;
}

function versionLines(sight: Sight, height: number): Frame {
  const { results, size } = sight.state;
  const service = serviceOf(sight);
  if (results === null || results.service !== service?.name || height < versionHeight(sight)) return [];
  const title = `versions side by side, last ${spanText(results.windowSeconds * 1000)}, against ${results.baseline}`;
  const head = '  VERSION      REQUESTS  ERR%  A/B            P95  A/B';
  const lines = results.versions.map(({ version, requests, errorRatio, p95Ms, difference }): Line => [
    cell(`  ${version.slice(0, 12).padEnd(12)} ${String(requests).padStart(8)}  ${formatErrorRatio(errorRatio).padStart(4)}  `),
    cell(
      (difference === null ? 'baseline' : differenceText(difference.errorRatio, 100, ' pt')).padEnd(14),
      verdict(difference?.errorRatio),
    ),
    cell(` ${formatLatency(p95Ms).padStart(5)}  `),
    cell(difference === null ? '' : differenceText(difference.p95Ms, 1, 'ms'), verdict(difference?.p95Ms)),
  ]);
  return [ruleLine(title, size.columns, sight.glyphs), [cell(head, 'head')], ...lines];
}

/** The busiest of those that lead to it. */
function routeLines(sight: Sight, height: number): Frame {
  const { state, glyphs } = sight;
  const { routes, size } = state;
  if (routes === null || routes.items.length === 0 || routes.service !== serviceOf(sight)?.name) return [];
  const most = Math.min(ROUTES, height - ROUTES_FRAME);
  if (most < 1) return [];
  const busiest = routes.items.toSorted((one, other) => other.traffic.rps - one.traffic.rps || byText(one.name, other.name));
  const rows = busiest.slice(0, most);
  const nameWidth = Math.min(24, Math.max(5, ...rows.map(({ name }) => name.length)));
  const width = Math.max(5, size.columns - nameWidth - FIGURES_WIDTH);
  const lines = rows.map(({ name, hosts, path, traffic }): Line => [
    cell(`  ${fit(name, nameWidth, 'left', glyphs.ellipsis)} `),
    cell(`${fit(`${hosts.length === 0 ? '*' : hosts.join(' ')} ${path}`, width, 'left', glyphs.ellipsis)} `, 'dim'),
    cell(`${formatRate(traffic.rps).padStart(6)}  ${formatErrorRatio(traffic.errorRatio).padStart(5)}  `),
    cell(formatLatency(traffic.p95Ms).padStart(6)),
  ]);
  const hidden = routes.items.length - rows.length;
  const title = `routes ${routes.items.length}${hidden > 0 ? `, ${hidden} more: weir get routes` : ''}`;
  const head = `  ${'ROUTE'.padEnd(nameWidth)} ${'MATCH'.padEnd(width)} ${'RPS'.padStart(6)}  ${'ERR%'.padStart(5)}  ${'P95'.padStart(6)}`;
  return [ruleLine(title, size.columns, glyphs), [cell(head, 'head')], ...lines];
}

function differenceText({ value, low, high }: DifferenceView, factor: number, unit: string): string {
  if (value === null) return 'not known';
  const shown = value * factor;
  const sure = low !== null && high !== null ? (low > 0 || high < 0 ? '' : ' ?') : ' ?';
  return `${shown >= 0 ? '+' : ''}${shown.toFixed(2)}${unit}${sure}`;
}

/** More than chance: the interval leaves out zero. */
function verdict(difference: DifferenceView | undefined): Style {
  if (difference?.low !== null && difference !== undefined && difference.low > 0) return 'bad';
  return difference?.high !== null && difference !== undefined && difference.high < 0 ? 'good' : 'plain';
}

function charts(sight: Sight, height: number): Frame {
  const service = serviceOf(sight);
  return service === null ? [] : timeCharts(sight, { of: `service/${service.name}`, live: null, height });
}
