// Small fleets for tests of intent and steering: only what a test names differs from the defaults.
import type {
  ClusterConfig,
  Config,
  OnUnavailable,
  PlacementConfig,
  RouteConfig,
  ServiceConfig,
  SteerPolicy,
} from '../../balancer/config/config.ts';
import { toMillionths } from '../../balancer/config/millionths.ts';
import type { ClusterHealth, HealthState, HealthView } from '../../balancer/steer/plan-shape.ts';
import { AT_ONCE } from '../../balancer/config/rollout-config.ts';

/** version → cluster → weight, or what else is not default about the place. */
export type Places = Readonly<Record<string, Readonly<Record<string, number | Partial<PlacementConfig>>>>>;

export interface ServiceSketch {
  readonly versions: Places;
  /** Any total; default: the first version has all. */
  readonly split?: Readonly<Record<string, number>>;
  readonly policy?: SteerPolicy;
  readonly onUnavailable?: OnUnavailable;
}

export interface FleetSketch {
  readonly services: Readonly<Record<string, ServiceSketch>>;
  /** Clusters that no service names, or that are not default. */
  readonly clusters?: Readonly<Record<string, Partial<ClusterConfig>>>;
  /** Names of routes with their service; default: one per service, named like it. */
  readonly routes?: Readonly<Record<string, string>>;
}

export function fleetConfig(sketch: FleetSketch): Pick<Config, 'services' | 'clusters' | 'routes'> {
  const named = Object.values(sketch.services).flatMap(({ versions }) => Object.values(versions).flatMap((places) => Object.keys(places)));
  const clusters = [...new Set([...named, ...Object.keys(sketch.clusters ?? {})])];
  const routes = sketch.routes ?? Object.fromEntries(Object.keys(sketch.services).map((name) => [name, name]));
  return {
    services: Object.fromEntries(Object.entries(sketch.services).map(([name, service]) => [name, serviceConfig(name, service)])),
    clusters: Object.fromEntries(clusters.map((name) => [name, { ...clusterConfig(name), ...sketch.clusters?.[name] }])),
    routes: Object.entries(routes).map(([name, service]) => routeConfig(name, service)),
  };
}

function serviceConfig(name: string, { versions, split, policy, onUnavailable }: ServiceSketch): ServiceConfig {
  const names = Object.keys(versions);
  const asked = split ?? { [names[0] ?? '']: 1 };
  return {
    name,
    versions: Object.entries(versions).map(([version, places]) => ({
      name: version,
      placements: Object.entries(places).map(([cluster, place]) => ({
        ...{ cluster, weight: 1, priority: 0, host: null },
        ...(typeof place === 'number' ? { weight: place } : place),
      })),
      health: null,
    })),
    split: toMillionths(Object.fromEntries(names.map((version) => [version, asked[version] ?? 0]))),
    steer: { policy: policy ?? 'capacity', panicThreshold: 0, overload: 'shed' },
    onUnavailable: onUnavailable ?? 'redistribute',
    assign: [],
    mirror: null,
    sticky: null,
    rollout: AT_ONCE,
    timeouts: { firstByteMs: 1000, betweenBytesMs: 1000, requestMs: 0, tryMs: 'adaptive', tunnelIdleMs: 1000 },
    retries: { attempts: 1, budgetRatio: 0.2, budgetMin: 3, on: [], hedgeAfter: null },
  };
}

function clusterConfig(name: string): ClusterConfig {
  return {
    name,
    region: null,
    endpoints: [{ id: '127.0.0.1:1', scheme: 'http', host: '127.0.0.1', port: 1 }],
    discovery: null,
    tls: { ca: null, serverName: null, minVersion: 'TLSv1.2', certificate: null, verify: true },
    health: { probe: { kind: 'tcp' }, intervalMs: 1000, timeoutMs: 500, rise: 2, fall: 3 },
    outlier: { consecutive: 5, ratio: 0.5, minRequests: 20, windowMs: 1000, baseEjectionMs: 30_000, maxEjectionMs: 300_000 },
    capacity: null,
    agent: { certificates: [] },
    balance: 'pick-of-two',
    hash: { key: { kind: 'address' }, factor: 1.25 },
    slowStart: { windowMs: 0, minimum: 0.1, aggression: 1 },
    limits: { requests: 0, requestsPerEndpoint: 0, queueLength: 100, queueMs: 100 },
    connectTimeoutMs: 1000,
    keepAliveMs: 60_000,
    maxConnections: 16,
    http2: { enabled: true, streamsPerConnection: 100 },
    lastResort: false,
    drain: { deadlineMs: null, tunnelsPerSecond: null },
    failback: { mode: 'ramp', windowMs: 60_000 },
    proxyProtocol: null,
  };
}

function routeConfig(name: string, service: string): RouteConfig {
  const match = { hosts: [], path: { kind: 'prefix', value: '/' }, methods: [], headers: [], query: [] } as const;
  const paths = { escapedSlashes: 'keep', mergeSlashes: true, parameters: 'keep' } as const;
  return { name, listeners: [], match, paths, service, priorityClass: 'normal', clientCertificate: 'none', filters: [] };
}

/** A cluster of `total` endpoints of which `healthy` are up. */
export function clusterHealth(healthy: number, total: number): ClusterHealth {
  const state = healthy === 0 ? 'down' : healthy === total ? 'up' : 'degraded';
  const endpoints = Array.from({ length: total }, (_, index) => ({
    endpoint: `e${index}`,
    state: index < healthy ? ('up' as const) : ('down' as const),
  }));
  return { state, endpoints };
}

/** Clusters in a state, with one endpoint each in the same state. */
export function healthView(
  states: Readonly<Record<string, HealthState | ClusterHealth>>,
  ejectedTargets: readonly string[] = [],
): HealthView {
  const whole = (state: HealthState): ClusterHealth => ({ state, endpoints: [{ endpoint: 'e0', state }] });
  return {
    clusters: Object.fromEntries(Object.entries(states).map(([name, state]) => [name, typeof state === 'string' ? whole(state) : state])),
    ejectedTargets,
  };
}
