// One cluster: its three axes, capacity and what the agent reports, its endpoints, what of each service goes there, and what happened to it.
import type { ClusterView, EndpointView } from '../../../balancer/controller/api/views.ts';
import { countdown } from '../../format.ts';
import { dialText } from '../../glide-text.ts';
import { byText } from '../arrange.ts';
import type { Table } from '../columns.ts';
import { formatAge, formatErrorRatio, formatLatency, formatRate, formatShare, formatTimeOfDay } from '../format.ts';
import { cell, type Frame, type Line, type Style } from '../frame.ts';
import { listScreen, type Looking, type Sight } from '../screen-definition.ts';
import { bar } from '../sparkline.ts';
import { type HistorySeries, isStale } from '../state.ts';
import { HEALTH_STYLE, HIGH_UTILISATION } from '../views/cluster-table.ts';
import { healthStrip, timeCharts } from '../views/history.ts';
import { isNamed } from '../views/naming.ts';
import { fittingParts, ruleLine } from '../views/parts.ts';

/** The one that was opened, else the first. */
export function clusterOf({ state, snapshot }: Pick<Looking, 'state' | 'snapshot'>): ClusterView | null {
  const { clusters } = snapshot.status;
  return clusters.find(({ name }) => name === state.subjects.cluster) ?? clusters[0] ?? null;
}

const HEALTH_RANK: Readonly<Record<EndpointView['health'], number>> = { down: 0, degraded: 1, unknown: 2, up: 3 };
/** Lines of the services and of the timeline, their rules with them. */
const SERVICES_HEIGHT = 5;
const TIMELINE_HEIGHT = 6;
/** The rule, the three axes, traffic, capacity, and that there is an agent. */
const HEAD_HEIGHT = 5;

export const clusterScreen = listScreen<EndpointView>({
  name: 'cluster',
  label: 'cluster',
  key: '3',
  about: 'cluster',
  noun: 'endpoints',
  id: ({ id }) => id,
  search: ({ id, health, reason }) => ({ text: [id, health, reason].join(' '), fields: { name: [id], state: [health], health: [health] } }),
  sorts: { name: (a, b) => byText(a.id, b.id), state: (a, b) => HEALTH_RANK[a.health] - HEALTH_RANK[b.health] },
  rows: (looking) => clusterOf(looking)?.endpoints ?? [],
  none: ({ snapshot }) => (snapshot.status.clusters.length === 0 ? 'no clusters are configured' : 'no endpoints: its agent names them'),
  subject: () => ({}),
  charts: (_, looking) => {
    const cluster = clusterOf(looking);
    return cluster === null ? null : { of: `cluster/${cluster.name}` };
  },
  table: endpointTable,
  above: headLines,
  below: (sight, height) => {
    const timeline = height >= TIMELINE_HEIGHT ? timelineLines(sight, TIMELINE_HEIGHT - 1) : [];
    const services = height - timeline.length >= SERVICES_HEIGHT ? serviceLines(sight, SERVICES_HEIGHT - 2) : [];
    const cluster = clusterOf(sight);
    const rest = height - timeline.length - services.length;
    const charts = cluster === null ? [] : timeCharts(sight, { of: `cluster/${cluster.name}`, live: cluster.trend, height: rest });
    return [...services, ...charts, ...timeline];
  },
});

function endpointTable({ glyphs, state }: Sight): Table<EndpointView> {
  const stale = isStale(state);
  return {
    columns: [
      {
        ...{ id: 'name', sort: 'name', title: 'ENDPOINT', align: 'left', narrow: 20, wide: 20 },
        upTo: (rows) => Math.min(48, Math.max(0, ...rows.map(({ id }) => id.length))),
        value: ({ id }) => id,
      },
      {
        ...{ id: 'health', sort: 'state', title: 'HEALTH', align: 'left', narrow: 10, wide: 10 },
        value: ({ health }) => `${stale ? glyphs.outdated : glyphs.health[health]} ${health}`,
        style: ({ health }) => HEALTH_STYLE[health],
      },
      {
        id: 'reason',
        title: 'WHY',
        align: 'left',
        narrow: 10,
        wide: 10,
        upTo: () => Number.MAX_SAFE_INTEGER,
        value: ({ reason }) => reason,
      },
    ],
    steps: [],
  };
}

const part = (keep: number, text: string, style: Style = 'plain'): { readonly keep: number; readonly line: Line } => ({
  keep,
  line: [cell(text, style)],
});

function headLines(sight: Sight, height: number): Frame {
  const cluster = clusterOf(sight);
  const { columns } = sight.state.size;
  if (cluster === null) return [ruleLine('cluster', columns, sight.glyphs)];
  const fit = (parts: Parameters<typeof fittingParts>[0]): Line => fittingParts(parts, columns).flatMap(({ line }) => line);
  const { snapshot } = sight;
  const lines = (parts: readonly Parameters<typeof fittingParts>[0][]): Frame => parts.filter((each) => each.length > 0).map(fit);
  const index = snapshot.status.clusters.indexOf(cluster) + 1;
  const title = `cluster ${cluster.name}, ${index} of ${snapshot.status.clusters.length}  (left, right: the others)`;
  return [
    ruleLine(title, columns, sight.glyphs),
    ...lines([stateParts(sight, cluster), trafficParts(cluster), capacityParts(sight, cluster), agentParts(sight, cluster)]),
    ...lines([signalParts(cluster), ...wishParts(sight, cluster)]).slice(0, Math.max(0, height - HEAD_HEIGHT)),
  ];
}

function stateParts({ glyphs, state, nowMs, snapshot }: Sight, cluster: ClusterView): Parameters<typeof fittingParts>[0] {
  const stale = isStale(state);
  const sign = (known: string): string => (stale ? glyphs.outdated : known);
  const returns =
    cluster.returnsInSeconds === null ? '' : `  back in ${countdown(cluster.returnsInSeconds - (nowMs - snapshot.receivedAtMs) / 1000)}`;
  const { requests, tunnels } = cluster.running;
  const failback =
    cluster.failback === 'in' ? '' : `  failback ${cluster.failback}${cluster.ramp < 1 ? ` ${formatShare(cluster.ramp)}%` : ''}`;
  return [
    part(9, `  ${sign(glyphs.admin[cluster.admin])} ${cluster.admin}`, cluster.admin === 'active' ? 'good' : 'warn'),
    part(8, `  ${sign(glyphs.health[cluster.health])} ${cluster.health}`, HEALTH_STYLE[cluster.health]),
    part(
      7,
      cluster.glides.length > 0 ? `  dial ${dialText(cluster)}` : `  dial ${Number(cluster.dialPercent.toFixed(2))}%`,
      cluster.dialPercent < 100 ? 'warn' : 'plain',
    ),
    part(6, returns, 'warn'),
    part(5, failback, 'warn'),
    part(4, `  running ${requests} requests, ${tunnels} tunnels`),
    part(3, cluster.empty === true ? '  empty' : ''),
    part(1, `  region ${cluster.region ?? 'none'}`, 'dim'),
  ];
}

function trafficParts({ traffic, desiredShare, effectiveShare, observedShare }: ClusterView): Parameters<typeof fittingParts>[0] {
  return [
    part(9, `  RPS ${formatRate(traffic.rps)}`),
    part(8, `  err ${formatErrorRatio(traffic.errorRatio)}%`, traffic.errorRatio >= 0.01 ? 'bad' : 'plain'),
    part(7, `  share asked ${formatShare(desiredShare)}%  planned ${formatShare(effectiveShare)}%  seen ${formatShare(observedShare)}%`),
    part(5, `  p50 ${formatLatency(traffic.p50Ms)}  p95 ${formatLatency(traffic.p95Ms)}  p99 ${formatLatency(traffic.p99Ms)}`),
  ];
}

function capacityParts({ glyphs }: Sight, { capacityRps, utilisation, lossShedRps }: ClusterView): Parameters<typeof fittingParts>[0] {
  const used = utilisation ?? 0;
  const loss =
    lossShedRps === null
      ? 'whether it can be lost is not known'
      : lossShedRps === 0
        ? 'it can be lost'
        : `if it is lost, ${formatRate(lossShedRps)} requests/s are refused`;
  return [
    part(9, capacityRps === null ? '  capacity not known' : `  capacity ${formatRate(capacityRps)} requests/s`),
    part(
      8,
      utilisation === null ? '' : `  ${bar(used, 16, glyphs)} ${Math.round(used * 100)}%`,
      used >= HIGH_UTILISATION ? 'bad' : 'accent',
    ),
    part(7, `  ${loss}`, lossShedRps !== null && lossShedRps > 0 ? 'warn' : 'dim'),
  ];
}

function agentParts({ glyphs, nowMs, snapshot }: Sight, { agent }: ClusterView): Parameters<typeof fittingParts>[0] {
  const percent = (ratio: number | null): string => (ratio === null ? '-' : `${Math.round(ratio * 100)}%`);
  const age = agent.ageMs === null ? '' : ` ${formatAge(agent.ageMs + nowMs - snapshot.receivedAtMs)} ago`;
  return [
    part(9, `  agent ${glyphs.agent[agent.state]} ${agent.state}${age}`, agent.state === 'fresh' ? 'plain' : 'warn'),
    part(8, agent.connected || agent.state === 'absent' ? '' : '  not connected', 'warn'),
    part(
      7,
      `  cpu ${percent(agent.cpuUtilisation)} ${bar(agent.cpuUtilisation ?? 0, 8, glyphs)}`,
      (agent.cpuUtilisation ?? 0) >= HIGH_UTILISATION ? 'bad' : 'plain',
    ),
    part(
      6,
      `  memory ${percent(agent.memoryUtilisation)} ${bar(agent.memoryUtilisation ?? 0, 8, glyphs)}`,
      (agent.memoryUtilisation ?? 0) >= HIGH_UTILISATION ? 'bad' : 'plain',
    ),
    part(5, agent.capacityRps === null ? '' : `  reports ${formatRate(agent.capacityRps)} requests/s`),
    part(1, agent.agentVersion === null ? '' : `  version ${agent.agentVersion}`, 'dim'),
  ];
}

/** What the agent says of a Kubernetes cluster; nothing of another one. */
function signalParts({ agent: { reported } }: ClusterView): Parameters<typeof fittingParts>[0] {
  if (reported === undefined) return [];
  const { nodes, pendingPods = 0, controlPlane, growth, utilisation, utilisationOf, sources = {} } = reported;
  const old = Object.entries(sources).filter(([, source]) => source.state === 'stale');
  const ages = old.map(([name, { ageMs }]) => `${name} ${ageMs === null ? '-' : formatAge(ageMs)}`);
  const parts = [
    nodes === undefined ? null : part(9, `  nodes ${nodes.ready}/${nodes.total} ready`, nodes.ready < nodes.total ? 'warn' : 'plain'),
    nodes === undefined || nodes.pressed === 0 ? null : part(7, `  ${nodes.pressed} under pressure`, 'warn'),
    pendingPods === 0 ? null : part(8, `  ${pendingPods} pods without a place`, 'bad'),
    controlPlane === undefined || controlPlane === 'ready' ? null : part(8, `  API server ${controlPlane}`, 'warn'),
    utilisation === undefined
      ? null
      : part(5, `  in use ${Math.round(utilisation * 100)}%${utilisationOf === undefined ? '' : ` by ${utilisationOf}`}`),
    growth === undefined ? null : part(3, `  can be ${growth.toFixed(1)} times as large in two minutes`, 'dim'),
    ages.length === 0 ? null : part(4, `  old: ${ages.join(', ')}`, 'warn'),
  ];
  const known = parts.filter((one) => one !== null);
  // Of a plain host there is nothing of this but the use of the machine, which stands above.
  return nodes === undefined && pendingPods === 0 && controlPlane === undefined ? [] : known;
}

const WISH_STYLE: Readonly<Record<NonNullable<ClusterView['agent']['wishes']>[number]['state'], Style>> = {
  asked: 'dim',
  taken: 'plain',
  done: 'good',
  unable: 'bad',
  refused: 'warn',
};
const WISHES = 2;

/** What the agent was told, and what it has made of it. */
function wishParts({ nowMs, snapshot }: Sight, { agent: { wishes = [] } }: ClusterView): readonly Parameters<typeof fittingParts>[0][] {
  return wishes.slice(0, WISHES).map(({ text, state, detail, endsInSeconds }, index) => {
    const left = endsInSeconds === null ? '' : `  ${countdown(endsInSeconds - (nowMs - snapshot.receivedAtMs) / 1000)} yet`;
    const more = index === WISHES - 1 && wishes.length > WISHES ? `  (${wishes.length - WISHES} more)` : '';
    return [
      part(9, `  told: ${text}`),
      part(8, `  ${state}`, WISH_STYLE[state]),
      part(6, `${left}${more}`, 'dim'),
      part(4, detail === '' ? '' : `  ${detail}`, 'dim'),
    ];
  });
}

/** What of each service goes here, the most first. */
function serviceLines(sight: Sight, height: number): Frame {
  const cluster = clusterOf(sight);
  const { columns } = sight.state.size;
  const targets = sight.snapshot.status.services
    .flatMap((service) =>
      service.targets.filter((target) => target.cluster === cluster?.name).map((target) => ({ service: service.name, target })),
    )
    .sort((one, other) => other.target.traffic.rps - one.target.traffic.rps);
  const lines = targets.slice(0, height).map(({ service, target }): Line => {
    const name = `${service}/${target.version}`.slice(0, 30).padEnd(30);
    const shares = `DES ${formatShare(target.desiredShare).padStart(4)}  EFF ${formatShare(target.effectiveShare).padStart(4)}  OBS ${formatShare(target.observedShare).padStart(4)}`;
    return [
      cell(`  ${name} ${shares}  RPS ${formatRate(target.traffic.rps)}`),
      cell(`  ${target.reasons.join(', ').replaceAll('_', ' ')}`, 'dim'),
    ];
  });
  const hidden = targets.length - lines.length;
  return [ruleLine(`services here ${targets.length}${hidden > 0 ? `, ${hidden} more` : ''}`, columns, sight.glyphs), ...lines];
}

/** How its health was, and what happened to it, newest first. */
function timelineLines(sight: Sight, height: number): Frame {
  const { state, snapshot, glyphs } = sight;
  const cluster = clusterOf(sight);
  const names = cluster === null ? [] : [cluster.name, ...cluster.endpoints.map(({ id }) => id)];
  const health = healthOf(sight, cluster);
  const strip = health === null ? [] : [healthStrip(sight, health)];
  const events = snapshot.status.events.filter(({ text }) => names.some((name) => isNamed(text, name))).slice(0, height - strip.length);
  const lines = events.map((event): Line => [
    cell(`  ${formatTimeOfDay(Date.parse(event.at))} `, 'dim'),
    cell(`${event.kind.padEnd(10)} ${event.text}`),
  ]);
  const none: Line = [cell('  nothing in the last events', 'dim')];
  const legend = `${glyphs.healthBar.up} up ${glyphs.healthBar.degraded} degraded ${glyphs.healthBar.down} down`;
  const when = state.past === null ? 'last hour' : 'as above';
  const title = health === null ? 'what happened to it' : `health, ${when}: ${legend}, and what happened to it`;
  return [ruleLine(title, state.size.columns, glyphs), ...strip, ...(lines.length === 0 ? [none] : lines)];
}

/** Of the time that the charts show; of the last hour while they show now. Null: it is not known. */
function healthOf({ state }: Sight, cluster: ClusterView | null): HistorySeries | null {
  if (cluster === null) return null;
  const series =
    state.past === null
      ? state.timeline?.of === cluster.name
        ? state.timeline.series
        : null
      : (state.past.series?.get(`cluster/${cluster.name}`) ?? null);
  return series === null || series.health.length === 0 ? null : series;
}
