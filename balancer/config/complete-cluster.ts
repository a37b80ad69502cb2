// Clusters of the file → clusters of the config.
import { parseEndpoint, parseStatuses } from './addresses.ts';
import type { Completion } from './completion.ts';
import type { ClusterAgent, ClusterCapacity } from './capacity-config.ts';
import type { ClusterConfig, ClusterTls, EndpointConfig, ProbeConfig, ProbeKind } from './config.ts';
import type { DiscoveryConfig } from './discovery-config.ts';
import type { ValuePath } from './problems.ts';
import { parseKeySource, type KeySource } from '../message/request-key.ts';
import { durationMs, percentRatio } from './quantities.ts';
import type { ClusterFile, HealthFile } from './schema-fleet.ts';

export function completeCluster(name: string, file: ClusterFile, completion: Completion): ClusterConfig {
  const path = ['clusters', name];
  const { outlier } = file;
  const [baseEjectionMs, maxEjectionMs] = [durationMs(outlier.baseEjection), durationMs(outlier.maxEjection)];
  if (baseEjectionMs > maxEjectionMs && !completion.isTouched([...path, 'outlier']))
    completion.report(
      [...path, 'outlier', 'baseEjection'],
      `"${outlier.baseEjection}" is longer than maxEjection "${outlier.maxEjection}"; expected at most that`,
    );
  return {
    name,
    region: file.region ?? null,
    endpoints: Array.isArray(file.endpoints) ? completeEndpoints(file.endpoints, [...path, 'endpoints'], completion) : [],
    discovery: Array.isArray(file.endpoints) ? null : completeDiscovery(file.endpoints),
    tls: completeTls(file.tls, [...path, 'tls'], completion),
    health: completeHealth(file.health, [...path, 'health'], completion),
    outlier: {
      consecutive: outlier.consecutive,
      ratio: percentRatio(outlier.ratio),
      minRequests: outlier.minRequests,
      windowMs: durationMs(outlier.window),
      baseEjectionMs,
      maxEjectionMs,
    },
    capacity: file.capacity === undefined ? null : completeCapacity(file.capacity, [...path, 'capacity'], completion),
    agent: completeAgent(file.agent, [...path, 'agent'], completion),
    balance: file.balance,
    hash: { key: keySource(file.hash.key), factor: file.hash.factor },
    slowStart: {
      windowMs: durationMs(file.slowStart.window),
      minimum: percentRatio(file.slowStart.minimum),
      aggression: file.slowStart.aggression,
    },
    limits: {
      requests: file.limits.requests,
      requestsPerEndpoint: file.limits.requestsPerEndpoint,
      queueLength: file.limits.queue.length,
      queueMs: durationMs(file.limits.queue.time),
    },
    connectTimeoutMs: durationMs(file.connectTimeout),
    keepAliveMs: durationMs(file.keepAlive),
    maxConnections: file.maxConnections,
    http2: { enabled: file.http2.enabled, streamsPerConnection: file.http2.streamsPerConnection },
    lastResort: file.lastResort,
    failback: { mode: file.failback.mode, windowMs: durationMs(file.failback.window) },
    drain: {
      deadlineMs: file.drain.deadline === undefined ? null : durationMs(file.drain.deadline),
      tunnelsPerSecond: file.drain.tunnelsPerSecond ?? null,
    },
    proxyProtocol: file.proxyProtocol ?? null,
  };
}

/** Of a text that passed the schema. */
export function keySource(text: string): KeySource {
  return parseKeySource(text) ?? { kind: 'address' };
}

function completeTls(file: ClusterFile['tls'], path: ValuePath, completion: Completion): ClusterTls {
  const read = (key: 'ca' | 'cert' | 'key'): string | null => {
    const name = file[key];
    return name === undefined ? null : completion.readableFile([...path, key], name);
  };
  const [ca, cert, key] = [read('ca'), read('cert'), read('key')];
  if ((cert === null) !== (key === null) && !completion.isTouched(path))
    completion.report(
      [...path, cert === null ? 'key' : 'cert'],
      'a certificate and its key are given together; name both cert and key, or none',
    );
  return {
    ca,
    serverName: file.serverName ?? null,
    minVersion: file.minVersion,
    certificate: cert === null || key === null ? null : { cert, key },
    verify: file.verify,
  };
}

function completeDiscovery(file: Exclude<ClusterFile['endpoints'], string[]>): DiscoveryConfig {
  const { scheme = 'https', within = [], names = [] } = file === 'agent' ? {} : file.agent;
  return { scheme, within, names };
}

function completeEndpoints(urls: readonly string[], path: ValuePath, completion: Completion): readonly EndpointConfig[] {
  const endpoints: EndpointConfig[] = [];
  urls.forEach((url, index) => {
    const endpoint = parseEndpoint(url);
    // Told already: a list may hold entries that do not fit.
    if (endpoint === null) return;
    const first = endpoints.findIndex(({ id }) => id === endpoint.id);
    if (first >= 0)
      completion.report([...path, index], `"${url}" is the same address as the endpoint at index ${first}; name each address once`);
    endpoints.push(endpoint);
  });
  return endpoints;
}

/** Longer would keep pods that nobody asks. */
const LONGEST_AHEAD_MS = 3_600_000;
const LONGEST_PRESCALE_MS = 6 * 3_600_000;

function completeAgent({ certificates, prescale }: ClusterFile['agent'], path: ValuePath, completion: Completion): ClusterAgent {
  if (prescale === undefined) return { certificates };
  const [aheadMs, forMs] = [durationMs(prescale.ahead), durationMs(prescale.for)];
  const at = (key: string): ValuePath => [...path, 'prescale', key];
  if (aheadMs > LONGEST_AHEAD_MS) completion.report(at('ahead'), `"${prescale.ahead}" is too long before; expected at most 1h`);
  if (forMs > LONGEST_PRESCALE_MS)
    completion.report(at('for'), `"${prescale.for}" is too long to keep pods that nobody asks; expected at most 6h`);
  return { certificates, prescale: { aheadMs, forMs, mostRps: prescale.most ?? null } };
}

/** What is believed without a ceiling of its own: a mistake or a stolen token is not to draw all traffic to one cluster. */
const CEILING_OVER_DECLARED = 2;

function completeCapacity(file: NonNullable<ClusterFile['capacity']>, path: ValuePath, completion: Completion): ClusterCapacity {
  const { rps = null, ceiling, learn } = file;
  if (ceiling !== undefined && rps !== null && ceiling < rps)
    completion.report([...path, 'ceiling'], `${ceiling} is below rps, ${rps}; expected at least that`);
  return { rps, learn, ceilingRps: ceiling ?? (rps === null ? null : rps * CEILING_OVER_DECLARED) };
}

/** Null: `none`. */
export function completeHealth(file: HealthFile | 'none', path: ValuePath, completion: Completion): ProbeConfig | null {
  if (file === 'none') return null;
  if (file.http !== undefined && file.tcp !== undefined)
    completion.report([...path, 'tcp'], 'http and tcp stand together; keep one of them, a probe is of one kind');
  return {
    probe: probeKind(file),
    intervalMs: durationMs(file.interval),
    timeoutMs: durationMs(file.timeout),
    rise: file.rise,
    fall: file.fall,
  };
}

function probeKind(file: HealthFile): ProbeKind {
  if (file.http === undefined) return { kind: 'tcp' };
  const statuses = parseStatuses(file.http.statuses);
  if (statuses === null) throw new Error('statuses passed the schema and cannot be read');
  return { kind: 'http', path: file.http.path, host: file.http.host ?? null, statuses };
}
