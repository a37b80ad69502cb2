// The fleet of a scenario as the config that plan() reads; what plan() does not read has any value.
import type { ClusterConfig, Config, ServiceConfig } from '../../config/config.ts';
import { toMillionths } from '../../config/millionths.ts';
import type { Intent, ServiceIntent } from '../../intent/intent.ts';
import type { ClusterModel, Scenario, ServiceModel } from './scenario.ts';
import { AT_ONCE } from '../../config/rollout-config.ts';

/** As the defaults of the config have it. */
export const OUTLIER = { consecutive: 5, ratio: 0.5, minRequests: 20, windowMs: 1000, baseEjectionMs: 5000, maxEjectionMs: 300_000 };
export const PROBE = { intervalMs: 1000, rise: 2, fall: 3 };

export function fleetOf({ clusters, services }: Scenario): Pick<Config, 'clusters' | 'services'> & { readonly intent: Intent } {
  const made = Object.entries(services).map(([name, service]): [string, ServiceConfig] => [name, serviceOf(name, service)]);
  return {
    clusters: Object.fromEntries(Object.entries(clusters).map(([name, cluster]) => [name, clusterOf(name, cluster)])),
    services: Object.fromEntries(made),
    intent: {
      revision: 1,
      services: Object.fromEntries(
        made.map(([name, { split, versions }]) => {
          const weights = Object.fromEntries(
            versions.map((version) => [
              version.name,
              Object.fromEntries(version.placements.map(({ cluster, weight }) => [cluster, weight])),
            ]),
          );
          const whole = { split, splitSeed: split, clusterWeights: weights, clusterWeightsSeed: weights };
          return [name, { ...whole, ...splitsOf(services[name]) }];
        }),
      ),
      clusters: {},
    },
  };
}

function splitsOf(service: ServiceModel | undefined): Pick<ServiceIntent, 'clusterSplits'> {
  const splits = Object.entries(service?.clusterSplits ?? {});
  if (splits.length === 0) return {};
  return { clusterSplits: Object.fromEntries(splits.map(([cluster, weights]) => [cluster, toMillionths(weights)])) };
}

function clusterOf(name: string, { declaredRps, region, failback }: ClusterModel): ClusterConfig {
  return {
    name,
    region,
    endpoints: [],
    discovery: null,
    tls: { ca: null, serverName: null, minVersion: 'TLSv1.2', certificate: null, verify: true },
    health: { probe: { kind: 'tcp' }, timeoutMs: 500, ...PROBE },
    outlier: OUTLIER,
    capacity: { rps: declaredRps, learn: false },
    balance: '',
    connectTimeoutMs: 1000,
    keepAliveMs: 60_000,
    maxConnections: 1024,
    http2: { enabled: true, streamsPerConnection: 100 },
    lastResort: false,
    failback,
    agent: { certificates: [] },
    drain: { deadlineMs: null, tunnelsPerSecond: null },
    proxyProtocol: null,
    hash: { key: { kind: 'address' }, factor: 1.25 },
    slowStart: { windowMs: 0, minimum: 0.1, aggression: 1 },
    limits: { requests: 0, requestsPerEndpoint: 0, queueLength: 0, queueMs: 0 },
  };
}

function serviceOf(name: string, { versions, policy, overload, onUnavailable }: ServiceModel): ServiceConfig {
  return {
    name,
    versions: Object.entries(versions).map(([version, { clusters }]) => ({
      name: version,
      placements: Object.entries(clusters).map(([cluster, { weight, priority }]) => ({ cluster, weight, priority, host: null })),
      health: null,
    })),
    split: toMillionths(Object.fromEntries(Object.entries(versions).map(([version, { share }]) => [version, share]))),
    steer: { policy, panicThreshold: 0, overload },
    onUnavailable,
    assign: [],
    mirror: null,
    sticky: null,
    rollout: AT_ONCE,
    timeouts: { firstByteMs: 30_000, betweenBytesMs: 30_000, requestMs: 0, tunnelIdleMs: 3_600_000, tryMs: 0 },
    retries: { attempts: 0, budgetRatio: 0, budgetMin: 0, on: [], hedgeAfter: null },
  };
}
