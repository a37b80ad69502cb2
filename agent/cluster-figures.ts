// From what is known of a cluster to what is told of it: every figure with what it was made from. Pure.
import { clusterCapacity, serviceCapacity, type ClusterCapacity, type GatewayFigures, type KnownUse } from './capacity.ts';
import { discoverEndpoints } from './discover.ts';
import { growthOf, pendingPods, roomFor, takenOf, type Growth, type Taken } from './growth.ts';
import type { AutoscalerFacts } from './kubernetes/autoscaler-facts.ts';
import type { ClusterFacts, ClusterView } from './kubernetes/cluster-view.ts';
import type { NodeFacts } from './kubernetes/node-facts.ts';
import type { PodFacts, Resources } from './kubernetes/pod-facts.ts';
import { nodesUse, podsUse } from './measured-use.ts';
import type { EndpointsReport, NodesReport, ServiceReport } from './protocol.ts';
import { countEndpoints, serviceEndpoints, slicesByService, type ServiceEndpoint, type SlicesOf } from './ready-endpoints.ts';
import type { AgentFile, GatewaySettings, ServiceSettings } from './settings.ts';

/** What is not read from the API server. */
export interface ServiceKnowledge {
  readonly learnedRate: number | null;
  readonly applicationUtilisation: number | null;
}

export interface FiguresInput {
  readonly file: AgentFile;
  readonly facts: ClusterFacts;
  readonly sources: ReturnType<ClusterView['sources']>;
  readonly knowledge: ReadonlyMap<string, ServiceKnowledge>;
  readonly wallMs: number;
}

/** A service with what its figures come from, for whoever checks them by hand. */
export interface ExplainedService {
  readonly report: ServiceReport;
  readonly scaler: number;
  readonly use: KnownUse;
  readonly growth: Growth;
  /** Of its pods, the largest. */
  readonly podSize: Resources | null;
  readonly autoscaler: string | null;
}

export interface ExplainedGateway extends GatewayFigures {
  readonly service: string;
}

export interface ClusterFigures {
  readonly cluster: ClusterCapacity;
  readonly services: readonly ExplainedService[];
  readonly gateways: readonly ExplainedGateway[];
  readonly endpoints: EndpointsReport | undefined;
  readonly nodes: NodesReport;
  readonly nodesUtilisation: number | null;
  readonly pendingPods: number;
  /** Of ready nodes, for pods; at least 1. */
  readonly cores: number;
}

/** What is the same for all services. */
interface Surroundings extends Pick<FiguresInput, 'facts' | 'knowledge'> {
  /** Null: nodes are not known. */
  readonly room: ((size: Resources) => number) | null;
  readonly slices: SlicesOf;
  readonly pending: ReadonlySet<string>;
  readonly autoscalers: ReadonlyMap<string, AutoscalerFacts>;
}

export function clusterFigures({ file, facts, sources, knowledge, wallMs }: FiguresInput): ClusterFigures {
  const pods = facts.pods ?? new Map<string, PodFacts>();
  const pending = pendingPods(pods.values(), wallMs);
  const slices = slicesByService(facts.slices?.values() ?? []);
  const surroundings: Surroundings = {
    ...{ facts, knowledge, slices },
    room: facts.nodes === null ? null : roomBySize([...facts.nodes.values()], takenOf(pods.values())),
    pending: new Set(pending.map(({ owner }) => owner)),
    autoscalers: new Map([...(facts.autoscalers?.values() ?? [])].map((autoscaler) => [autoscaler.target, autoscaler])),
  };
  const services = file.services.map((settings) => explainedService(settings, surroundings));
  const gateways = file.gateways.map((settings) => explainedGateway(settings, surroundings));
  const nodesUtilisation = nodesUse(facts.nodes, facts.nodeUses, null);
  return {
    cluster: clusterCapacity({
      ...{ gateways, nodesUtilisation },
      services: services.map(({ report }) => report),
      declaredRps: file.capacityRps,
    }),
    ...{ services, gateways, nodesUtilisation },
    endpoints: discoverEndpoints(file.gateways, { facts, slices }, sources),
    nodes: nodesReport(facts),
    pendingPods: pending.length,
    cores: coresOf(facts),
  };
}

function explainedService(settings: ServiceSettings, surroundings: Surroundings): ExplainedService {
  const { facts, knowledge } = surroundings;
  const endpoints = serviceEndpoints(settings, facts.services, surroundings.slices);
  const known = knowledge.get(settings.name);
  const podKeys = endpoints.filter(({ state, pod }) => state === 'ready' && pod !== '').map(({ pod }) => pod);
  const nodes = new Set(podKeys.map((key) => facts.pods?.get(key)?.node ?? ''));
  const use: KnownUse = {
    application: known?.applicationUtilisation ?? null,
    pods: podsUse(podKeys, facts),
    nodes: nodesUse(facts.nodes, facts.nodeUses, nodes),
  };
  const growing = growthOfEndpoints(endpoints, surroundings);
  const { ratePerEndpoint, learnP95Ms } = settings;
  const learned = learnP95Ms === null ? null : (known?.learnedRate ?? null);
  const value = ratePerEndpoint ?? learned;
  const of = ratePerEndpoint !== null ? 'declared' : learned !== null ? 'learned' : null;
  const { scaler } = settings;
  const counts = countEndpoints(endpoints);
  const report = serviceCapacity({ service: settings.name, endpoints: counts, rate: { value, of }, scaler, use, growth: growing.growth });
  return { report, scaler, use, ...growing };
}

function explainedGateway(settings: GatewaySettings, surroundings: Surroundings): ExplainedGateway {
  const endpoints = serviceEndpoints(settings, surroundings.facts.services, surroundings.slices);
  const counts = countEndpoints(endpoints);
  const { growth } = growthOfEndpoints(endpoints, surroundings);
  return { service: settings.service, endpoints: counts, ratePerEndpoint: settings.ratePerEndpoint, growth };
}

/** Whatever scales the pods of a Service scales it; of several the first that an autoscaler names. */
function growthOfEndpoints(
  endpoints: readonly ServiceEndpoint[],
  { facts, pending, autoscalers, ...surroundings }: Surroundings,
): Pick<ExplainedService, 'growth' | 'podSize' | 'autoscaler'> {
  const pods = endpoints.flatMap(({ pod }) => facts.pods?.get(pod) ?? []);
  const owners = [...new Set(pods.map(({ owner }) => owner))].filter((owner) => owner !== '').sort();
  const scaled = owners.find((owner) => autoscalers.has(owner)) ?? null;
  const autoscaler = scaled === null ? null : (autoscalers.get(scaled) ?? null);
  const podSize = sizeOf(pods);
  const room = podSize === null ? null : (surroundings.room?.(podSize) ?? null);
  const isPending = owners.some((owner) => pending.has(owner));
  return { growth: growthOf({ autoscaler, room, isPending }), podSize, autoscaler: autoscaler?.key ?? null };
}

/** Hundreds of services have pods of few sizes. */
function roomBySize(nodes: readonly NodeFacts[], taken: ReadonlyMap<string, Taken>): (size: Resources) => number {
  const known = new Map<string, number>();
  return (size) => {
    const key = `${size.cpuCores} ${size.memoryBytes}`;
    const room = known.get(key) ?? roomFor(size, nodes, taken);
    known.set(key, room);
    return room;
  };
}

/** During a rollout there are two sizes; the next pod is likely of the larger one, and to promise less is the safe side. */
function sizeOf(pods: readonly PodFacts[]): Resources | null {
  if (pods.length === 0) return null;
  return {
    cpuCores: Math.max(...pods.map(({ requested }) => requested.cpuCores)),
    memoryBytes: Math.max(...pods.map(({ requested }) => requested.memoryBytes)),
  };
}

function nodesReport({ nodes }: ClusterFacts): NodesReport {
  const all = [...(nodes?.values() ?? [])];
  return {
    ready: all.filter(({ ready }) => ready).length,
    total: all.length,
    pressed: all.filter(({ pressed }) => pressed).length,
    schedulable: all.filter(({ schedulable }) => schedulable).length,
  };
}

function coresOf({ nodes }: ClusterFacts): number {
  const cores = [...(nodes?.values() ?? [])].reduce((sum, { ready, cpuCores }) => sum + (ready ? cpuCores : 0), 0);
  return Math.max(1, Math.round(cores));
}
