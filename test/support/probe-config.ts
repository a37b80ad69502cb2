// Clusters, services and configs with as little in them as health needs; each word takes what the test wants to be different.
import type { ClusterConfig, Config, EndpointConfig, ProbeConfig, ServiceConfig, VersionConfig } from '../../balancer/config/config.ts';
import { AT_ONCE } from '../../balancer/config/rollout-config.ts';

/** Quick checks, so that tests on the system's clock are short. */
export const QUICK_PROBE: ProbeConfig = {
  probe: { kind: 'http', path: '/healthz', host: null, statuses: [{ from: 200, to: 399 }] },
  intervalMs: 40,
  timeoutMs: 2000,
  rise: 2,
  fall: 2,
};

export function endpoint(port: number): EndpointConfig {
  return { id: `127.0.0.1:${port}`, scheme: 'http', host: '127.0.0.1', port };
}

export function cluster(name: string, wish: Partial<ClusterConfig>): ClusterConfig {
  return {
    name,
    region: null,
    endpoints: [],
    discovery: null,
    tls: { ca: null, serverName: null, minVersion: 'TLSv1.2', certificate: null, verify: true },
    health: null,
    outlier: { consecutive: 5, ratio: 0.5, minRequests: 20, windowMs: 1000, baseEjectionMs: 5000, maxEjectionMs: 300_000 },
    capacity: null,
    agent: { certificates: [] },
    balance: 'round-robin',
    hash: { key: { kind: 'address' }, factor: 1.25 },
    slowStart: { windowMs: 0, minimum: 0.1, aggression: 1 },
    limits: { requests: 0, requestsPerEndpoint: 0, queueLength: 100, queueMs: 100 },
    connectTimeoutMs: 1000,
    keepAliveMs: 60_000,
    maxConnections: 100,
    http2: { enabled: true, streamsPerConnection: 100 },
    lastResort: false,
    drain: { deadlineMs: null, tunnelsPerSecond: null },
    failback: { mode: 'ramp', windowMs: 60_000 },
    proxyProtocol: null,
    ...wish,
  };
}

/** A version in the named clusters. */
export function version(name: string, clusters: readonly string[], wish: Partial<VersionConfig> = {}): VersionConfig {
  return { name, placements: clusters.map((at) => ({ cluster: at, weight: 1, priority: 0, host: null })), health: null, ...wish };
}

export function service(name: string, versions: readonly VersionConfig[]): ServiceConfig {
  return {
    name,
    versions,
    split: {},
    steer: { policy: 'weighted', panicThreshold: 0, overload: 'shed' },
    onUnavailable: 'redistribute',
    assign: [],
    mirror: null,
    sticky: null,
    rollout: AT_ONCE,
    timeouts: { firstByteMs: 1000, betweenBytesMs: 1000, requestMs: 0, tryMs: 'adaptive', tunnelIdleMs: 1000 },
    retries: { attempts: 0, budgetRatio: 0, budgetMin: 0, on: [], hedgeAfter: null },
  };
}

export function configOf(clusters: readonly ClusterConfig[], services: readonly ServiceConfig[] = []): Config {
  return {
    hostName: 'edge-1',
    stateDir: '/nowhere',
    redis: null,
    workers: 1,
    drainDeadlineMs: 1000,
    lameDuckMs: 0,
    overloadDelayMs: 0,
    hangMs: 0,
    drills: {},
    decisionLog: { maxBytes: 0, maxAgeMs: 1000 },
    sessionTickets: { rotateMs: 3_600_000 },
    listeners: [],
    admin: { bind: null, tls: null },
    agents: null,
    metrics: null,
    accessLog: null,
    tracing: null,
    history: { maxBytes: 0, maxSeries: 1 },
    events: { webhooks: [] },
    clusters: Object.fromEntries(clusters.map((one) => [one.name, one])),
    services: Object.fromEntries(services.map((one) => [one.name, one])),
    routes: [],
    hostRegion: null,
    safety: {
      requireExpiry: [],
      minActiveClusters: 1,
      maxShift: 1_000_000,
      maxCapacityOut: 0.5,
      freeze: [],
      approval: { services: [], waitMs: 3_600_000 },
    },
    gates: {},
    regions: {},
    clientRegions: {},
    clientLocations: null,
    consumers: {},
    credentials: { pepper: null },
    issuers: {},
    limits: {},
    hash: '',
  };
}
