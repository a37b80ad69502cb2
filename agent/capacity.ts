// What a cluster can take: the one place of the formula. Pure, and made of figures that can be checked by hand (`weir agent explain`); the reasons
// are in docs/kubernetes.md.
import type { Growth } from './growth.ts';
import type { ServiceReport, UtilisationSource } from './protocol.ts';
import type { EndpointCounts } from './ready-endpoints.ts';

/** What each place that can tell of use says; null: it does not. 0 to 1, above 1 under overload. */
export interface KnownUse {
  readonly application: number | null;
  readonly pods: number | null;
  readonly nodes: number | null;
}

/** Above this a figure is none. */
export const MOST_UTILISATION = 100;

/** The one nearest to what answers requests: the application's own word, then its pods, then the nodes they are on. */
export function utilisationOf(known: KnownUse): { readonly value: number | null; readonly of: UtilisationSource | null } {
  for (const source of ['application', 'pods', 'nodes'] as const) {
    const value = known[source];
    if (value !== null && value >= 0 && value <= MOST_UTILISATION) return { value, of: source };
  }
  return { value: null, of: null };
}

export interface ServiceFigures {
  readonly service: string;
  readonly endpoints: EndpointCounts;
  readonly rate: { readonly value: number | null; readonly of: 'declared' | 'learned' | null };
  /** 0 to 1. */
  readonly scaler: number;
  readonly use: KnownUse;
  readonly growth: Growth;
}

/**
 * `capacity = ready × rate × scaler`. Endpoints on their way out count when there is nothing else: they answer still, and a service that is
 * being replaced is not gone. Use does not lower it: the edge makes of both what it sends (`requests / use`), and would count it twice.
 */
export function serviceCapacity({ service, endpoints, rate, scaler, use, growth }: ServiceFigures): ServiceReport {
  const { value: utilisation, of } = utilisationOf(use);
  return {
    service,
    ...endpoints,
    ratePerEndpoint: rate.value,
    rateOf: rate.of,
    capacityRps: rate.value === null ? null : countedEndpoints(endpoints) * rate.value * scaler,
    utilisation,
    utilisationOf: of,
    growth: growth.factor,
    growthBound: growth.bound,
  };
}

/** Endpoints that capacity is counted by. */
export function countedEndpoints({ ready, serving }: EndpointCounts): number {
  return ready > 0 ? ready : serving;
}

/** `capacity × (1 − use)`: how many more requests it can take now; null: not known. For people; shares go by capacity, as headroom swings. */
export function headroomRps({ capacityRps, utilisation }: Pick<ServiceReport, 'capacityRps' | 'utilisation'>): number | null {
  return capacityRps === null || utilisation === null ? null : Math.max(0, capacityRps * (1 - utilisation));
}

export interface GatewayFigures {
  readonly endpoints: EndpointCounts;
  /** Null: it is not what bounds the cluster. */
  readonly ratePerEndpoint: number | null;
  readonly growth: Growth;
}

export interface ClusterInput {
  readonly services: readonly ServiceReport[];
  readonly gateways: readonly GatewayFigures[];
  /** A ceiling that people set; null: none. */
  readonly declaredRps: number | null;
  readonly nodesUtilisation: number | null;
}

export interface ClusterCapacity {
  /** Null: nothing is known of it. */
  readonly capacityRps: number | null;
  readonly bound: 'declared' | 'gateways' | 'services' | null;
  readonly utilisation: number | null;
  readonly utilisationOf: UtilisationSource | null;
  readonly growth: number;
}

/** An agent cannot take its cluster out of service: health and operators do that. So nothing is told as next to nothing. */
export const LEAST_RPS = 1;

/**
 * The weakest link: `min(declared, Σ gateways, Σ services)` of those that are known. A sum is known when each part of it is: one service without a
 * rate could be all of the traffic.
 */
export function clusterCapacity({ services, gateways, declaredRps, nodesUtilisation }: ClusterInput): ClusterCapacity {
  const ofServices = sumOf(services.map(({ capacityRps }) => capacityRps));
  const ofGateways = sumOf(gateways.map(gatewayRps));
  const links = [
    ['declared', declaredRps],
    ['gateways', ofGateways],
    ['services', ofServices],
  ] as const;
  let capacityRps: number | null = null;
  let bound: ClusterCapacity['bound'] = null;
  for (const [link, rps] of links) if (rps !== null && rps < (capacityRps ?? Infinity)) [capacityRps, bound] = [rps, link];
  const use = clusterUse(services, nodesUtilisation);
  const grown = Math.min(
    declaredRps ?? Infinity,
    sumOf(gateways.map((gateway) => times(gatewayRps(gateway), gateway.growth.factor))) ?? Infinity,
    sumOf(services.map((service) => times(service.capacityRps, service.growth))) ?? Infinity,
  );
  return {
    capacityRps: capacityRps === null ? null : Math.max(LEAST_RPS, capacityRps),
    bound,
    ...use,
    growth: capacityRps === null || capacityRps === 0 || grown === Infinity ? 1 : Math.max(1, grown / capacityRps),
  };
}

/** `Σ capacity × use / Σ capacity` over services whose use is known; without capacities each counts the same. Else that of the nodes. */
function clusterUse(
  services: readonly ServiceReport[],
  nodesUtilisation: number | null,
): Pick<ClusterCapacity, 'utilisation' | 'utilisationOf'> {
  let [used, whole] = [0, 0];
  let of: UtilisationSource | null = null;
  const weighed = services.every(({ capacityRps }) => capacityRps !== null);
  for (const { capacityRps, utilisation, utilisationOf: source } of services) {
    if (utilisation === null || source === null) continue;
    const weight = weighed ? (capacityRps ?? 0) : 1;
    used += weight * utilisation;
    whole += weight;
    // The weakest source names the sum.
    of = of === null || ORDER.indexOf(source) > ORDER.indexOf(of) ? source : of;
  }
  if (whole > 0) return { utilisation: used / whole, utilisationOf: of };
  return { utilisation: nodesUtilisation, utilisationOf: nodesUtilisation === null ? null : 'nodes' };
}

const ORDER: readonly UtilisationSource[] = ['application', 'pods', 'nodes', 'host'];

function gatewayRps({ endpoints, ratePerEndpoint }: GatewayFigures): number | null {
  return times(ratePerEndpoint, countedEndpoints(endpoints));
}

function times(value: number | null, factor: number): number | null {
  return value === null ? null : value * factor;
}

/** Null: one of them is not known, or there are none. */
function sumOf(parts: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const part of parts) {
    if (part === null) return null;
    sum += part;
  }
  return parts.length === 0 ? null : sum;
}
