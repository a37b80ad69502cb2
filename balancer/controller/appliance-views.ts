// What the operator sees of the edge host: shares asked for, planned and measured, health, agents, workers, in one consistent picture.
import { versionTotals } from '../intent/cluster-totals.ts';
import type { ClusterConfig, ServiceConfig } from '../config/config.ts';
import { MILLION } from '../config/config.ts';
import type { ClusterIntent, Intent, Revision } from '../intent/intent.ts';
import { toldChanges } from '../intent/told.ts';
import type { ClusterHealth, PlanTarget, ServicePlan } from '../steer/plan-shape.ts';
import { WINDOW_SECONDS, type TrafficOf } from '../telemetry/window.ts';
import type {
  AgentView,
  ClusterView,
  EdgeView,
  ListView,
  RegionShareView,
  RolloutView,
  RouteView,
  ServiceView,
  StatusView,
  TargetView,
  TrafficView,
  WorkerView,
} from './api/views.ts';
import { alertsOf, textsOf } from './alerts.ts';
import { approvalViews } from './approval/approval-views.ts';
import type { UsedCertificate } from './certificate-watch.ts';
import { headroomText } from '../steer/headroom.ts';
import { clusterLoads, clusterShares } from './cluster-shares.ts';
import type { Edge } from './edge.ts';
import { describeHost } from './fleet/describe-host.ts';
import type { Peer } from './fleet/fleet.ts';
import { glidesOf } from './glide-views.ts';
import { intentNow } from './intent-now.ts';
import { underWay } from './rollout-views.ts';
import { timedViews } from './timed-views.ts';
import { fleetWallMs } from './fleet/fleet-time.ts';

/** Newest events in a status. */
const STATUS_EVENTS = 50;

export function listOf<T>(edge: Edge, kind: string, items: readonly T[]): ListView<T> {
  return { kind, revision: edge.keeper.intent.revision, items };
}

export function clusterViews(edge: Edge): readonly ClusterView[] {
  const { plan, standings } = edge.loop.planned;
  const losses = new Map(edge.loop.losses()?.map(({ cluster, shedRps }) => [cluster, shedRps]));
  const demand = edge.demand();
  const shares = clusterShares(plan, demand);
  const loads = clusterLoads(plan, demand, edge.assigned());
  const agents = new Map(agentViews(edge).map((agent) => [agent.cluster, agent]));
  const all = trafficOf(edge, { of: 'all' }).rps;
  const timed = timedViews(edge);
  const glides = glidesOf(edge);
  const { clusters } = intentNow(edge);
  return Object.values(edge.config.clusters).map((cluster): ClusterView => {
    const { name } = cluster;
    const asked = clusters[name];
    const traffic = trafficOf(edge, { of: 'cluster', cluster: name });
    const returns = timed.find(({ fields }) => fields.some((field) => field.cluster === name));
    const capacityRps = standings[name]?.capacityRps ?? null;
    return {
      name,
      region: cluster.region,
      admin: asked?.admin ?? 'active',
      dialPercent: asked?.dialPercent ?? 100,
      health: healthOf(edge, cluster)?.state ?? 'unknown',
      ...drainView(edge, name, asked),
      glides: glides.cluster(name),
      returnsInSeconds: returns?.remainingSeconds ?? null,
      failback: standings[name]?.failback ?? 'in',
      ramp: standings[name]?.ramp ?? 1,
      agent: agents.get(name) ?? absentAgent(name),
      endpoints: edge.prober.endpoints(name),
      desiredShare: shares.get(name)?.desired ?? 0,
      effectiveShare: shares.get(name)?.effective ?? 0,
      observedShare: all === 0 ? 0 : traffic.rps / all,
      traffic,
      capacityRps,
      utilisation: capacityRps === null || capacityRps === 0 ? null : (loads.get(name) ?? 0) / capacityRps,
      lossShedRps: losses.get(name) ?? null,
      trend: edge.window.trend({ of: 'cluster', cluster: name }, WINDOW_SECONDS),
    };
  });
}

function drainView(
  edge: Edge,
  name: string,
  asked: ClusterIntent | undefined,
): Pick<ClusterView, 'running' | 'empty' | 'tunnelsCloseInSeconds'> {
  const { admin = 'active', tunnels } = asked ?? {};
  const leftMs = tunnels === undefined ? null : Date.parse(tunnels.at) - fleetWallMs(edge);
  return {
    running: edge.running.of(name),
    empty: admin === 'active' ? null : edge.isEmpty(name),
    tunnelsCloseInSeconds: leftMs === null ? null : Math.max(0, Math.ceil(leftMs / 1000)),
  };
}

export function serviceViews(edge: Edge): readonly ServiceView[] {
  const { plan } = edge.loop;
  const [glides, intent] = [glidesOf(edge), intentNow(edge)];
  return Object.values(edge.config.services).map((service): ServiceView => {
    const planned = plan.services[service.name];
    const traffic = trafficOf(edge, { of: 'service', service: service.name });
    return {
      name: service.name,
      policy: service.steer.policy,
      onUnavailable: service.onUnavailable,
      split: splitPercents(intent, service),
      glides: glides.service(service.name),
      targets: planned?.targets.map((target) => targetView(edge, service, target)) ?? [],
      regions: planned?.regions === undefined ? [] : regionViews(edge, service.name, planned.regions),
      lostShare: (planned?.lost ?? 0) / MILLION,
      shedShare: (planned?.shed ?? 0) / MILLION,
      traffic,
    };
  });
}

/** `of`: those that lead to a service; null: all. */
export function routeViews(edge: Edge, of: string | null): readonly RouteView[] {
  const routes = of === null ? edge.config.routes : edge.config.routes.filter(({ service }) => service === of);
  return routes.map(({ name, match, service }) => ({
    name,
    hosts: match.hosts,
    path: match.path.kind === 'prefix' ? match.path.value : `${match.path.kind}: ${match.path.value}`,
    service,
    traffic: trafficOf(edge, { of: 'route', route: name }),
  }));
}

export function workerViews(edge: Edge): readonly WorkerView[] {
  return edge.links.workers().map(({ name, pid, state, generation, plan, restarts }) => {
    const { residentBytes, heapBytes, eventLoopDelayMs } = edge.figures.of(name);
    const sockets = edge.figures.socketsOf(name);
    return { name, pid, state, generation, plan, restarts, residentBytes, heapBytes, sockets, eventLoopDelayMs };
  });
}

export function agentViews(edge: Edge): readonly AgentView[] {
  return edge.agents.hub?.agents() ?? Object.keys(edge.config.clusters).map(absentAgent);
}

/** This host, and then the others of its fleet by name. */
export function edgeViews(edge: Edge, id: string): readonly EdgeView[] {
  return [ownEdgeView(edge, id), ...edge.fleet.peers().map(peerView)];
}

function peerView({ id, presence, silentMs }: Peer): EdgeView {
  const { name, configHash, generation, plan, revision, servedRevision, workersReady, workers, version, leads, skewMs, problem } = presence;
  return {
    ...{ name, id, configHash, generation, plan, revision, servedRevision, workersReady, workers, version, leads, skewMs, problem },
    ...{ silentMs, localFields: presence.localFields ?? [] },
  };
}

function ownEdgeView(edge: Edge, id: string): EdgeView {
  const { leads, skewMs, problem } = edge.fleet;
  const { configHash, version, servedRevision } = describeHost(edge);
  return {
    ...{ leads, skewMs, problem, silentMs: null, configHash, version, servedRevision, localFields: edge.local.fields() },
    name: edge.config.hostName,
    id,
    generation: edge.generation,
    plan: edge.loop.number,
    revision: edge.keeper.intent.revision,
    workersReady: workersReady(edge),
    workers: edge.config.workers,
  };
}

export interface StatusParts {
  /** The newest of each service. */
  readonly rollouts: readonly RolloutView[];
  readonly certificates: readonly UsedCertificate[];
  readonly startedAt: string;
}

/** But for what the caller may do. */
export function statusView(edge: Edge, { rollouts, certificates, startedAt }: StatusParts): Omit<StatusView, 'role'> {
  const clusters = clusterViews(edge);
  const services = serviceViews(edge);
  const { newest } = edge.keeper;
  const alerts = alertsOf(edge, { clusters, services, rollouts, workersReady: workersReady(edge), certificates });
  return {
    host: edge.config.hostName,
    version: edge.options.version,
    at: new Date(edge.options.clock.wallMs()).toISOString(),
    startedAt,
    revision: edge.keeper.intent.revision,
    generation: edge.generation,
    plan: edge.loop.number,
    degraded: textsOf(alerts, 'problem'),
    alerts,
    localChanges: edge.local.held.length,
    warnings: textsOf(alerts, 'warning'),
    workersReady: workersReady(edge),
    workers: edge.config.workers,
    inFlight: edge.figures.inFlight(),
    traffic: trafficOf(edge, { of: 'all' }),
    headroom: headroomText(edge.loop.losses()),
    clusters,
    services,
    timed: timedViews(edge),
    rollouts: underWay(rollouts),
    approvals: approvalViews(edge),
    lastRevision: newest === null ? null : lastRevision(newest),
    events: edge.events.newest(STATUS_EVENTS),
  };
}

function lastRevision({ revision, at, author, reason, touched }: Revision): NonNullable<StatusView['lastRevision']> {
  return { revision, at, author: author.name, text: `${toldChanges(touched).join('; ')}${reason === '' ? '' : ` (${reason})`}` };
}

/** Serve the newest config, and the newest plan or the one before it, which is on its way. */
function workersReady(edge: Edge): number {
  return edge.links.workers().filter(({ state, generation }) => state === 'ready' && generation === edge.generation).length;
}

function targetView(edge: Edge, { name: service, sticky }: ServiceConfig, target: PlanTarget): TargetView {
  const { version, cluster, desired, effective, reasons } = target;
  const traffic = trafficOf(edge, { of: 'target', service, version, cluster });
  // Of what the split decides on.
  const all = edge.window.splitRps({ of: 'service', service });
  const observed = all === 0 ? 0 : edge.window.splitRps({ of: 'target', service, version, cluster }) / all;
  const allNew = sticky === null ? 0 : edge.window.newRps({ of: 'service', service });
  const newHere = allNew === 0 ? 0 : edge.window.newRps({ of: 'target', service, version, cluster }) / allNew;
  const accuracy = edge.accuracy.of(service, version, cluster);
  return {
    version,
    cluster,
    desiredShare: desired / MILLION,
    effectiveShare: effective / MILLION,
    observedShare: observed,
    newShare: sticky === null ? null : newHere,
    observedLow: accuracy?.low ?? null,
    observedHigh: accuracy?.high ?? null,
    respected: accuracy?.respected ?? null,
    reasons,
    traffic,
  };
}

/** By the name of the region, those that are found nowhere first. */
function regionViews(edge: Edge, service: string, regions: NonNullable<ServicePlan['regions']>): readonly RegionShareView[] {
  const names = Object.keys(regions).sort();
  const asked = names.map((region) => edge.window.rps({ of: 'region', service, region }));
  const all = asked.reduce((sum, rps) => sum + rps, 0);
  return names.flatMap((region, index) =>
    (regions[region]?.targets ?? []).map(({ version, cluster, desired, effective, reasons }) => ({
      ...{ region, asks: all === 0 ? 0 : (asked[index] ?? 0) / all, version, cluster },
      desiredShare: desired / MILLION,
      effectiveShare: effective / MILLION,
      reasons,
    })),
  );
}

function splitPercents(intent: Intent, service: ServiceConfig): Readonly<Record<string, number>> {
  const split = intent.services[service.name] === undefined ? service.split : versionTotals(intent, service);
  return Object.fromEntries(service.versions.map(({ name }) => [name, ((split[name] ?? 0) * 100) / MILLION]));
}

function healthOf(edge: Edge, { name }: ClusterConfig): ClusterHealth | undefined {
  return edge.prober.view().clusters[name];
}

function trafficOf(edge: Edge, whose: TrafficOf): TrafficView {
  return edge.window.figures(whose);
}

function absentAgent(cluster: string): AgentView {
  const nothing = { connected: false, ageMs: null, capacityRps: null, cpuUtilisation: null, memoryUtilisation: null, agentVersion: null };
  return { cluster, state: 'absent', ...nothing };
}
