// What differs between two configs, in an operator's words: one line per thing that changes.
import { sameJson } from './canonical-json.ts';
import { routePieces } from './route-pieces.ts';
import type { ConsumerConfig } from './consumer-config.ts';
import type { LimitConfig } from './limit-config.ts';
import type { IssuerConfig } from './issuer-config.ts';
import type { AskedGateConfig } from './gate-config.ts';
import type { ClusterConfig, Config, ListenerConfig, RouteConfig, ServiceConfig, VersionConfig } from './config.ts';

export interface ConfigDifference {
  /** `service shop: version green added`, `cluster eu-west: endpoints changed` */
  readonly differences: readonly string[];
  /** Those of them that only a restart of the host brings in. */
  readonly needsRestart: readonly string[];
}

export function diffConfig(before: Config, after: Config): ConfigDifference {
  const needsRestart = hostDifferences(before, after);
  return {
    needsRestart,
    differences: [
      ...needsRestart,
      ...fieldDifferences('host', pickLive(before), pickLive(after)),
      ...compare('listener', byName(before.listeners), byName(after.listeners), LISTENER_WORDS),
      ...changed('regions', before.regions, after.regions),
      ...changed('safety', before.safety, after.safety),
      ...compare('gate', before.gates, after.gates, GATE_WORDS),
      ...changed('drills', before.drills, after.drills),
      ...changed('clientRegions', before.clientRegions, after.clientRegions),
      ...changed('clientLocations', before.clientLocations, after.clientLocations),
      ...compare('cluster', before.clusters, after.clusters, CLUSTER_WORDS),
      ...Object.entries(after.services).flatMap(([name, service]) => serviceDifferences(before.services[name], service)),
      ...removed('service', before.services, after.services),
      ...compare('consumer', before.consumers, after.consumers, CONSUMER_WORDS),
      ...changed('credentials', before.credentials, after.credentials),
      ...compare('issuer', before.issuers, after.issuers, ISSUER_WORDS),
      ...compare('limit', before.limits, after.limits, LIMIT_WORDS),
      ...routeDifferences(before.routes, after.routes),
    ],
  };
}

/** Field → how it is called in the file; every field has one, so a new field cannot be forgotten. */
type Words<T> = Readonly<Record<Exclude<keyof T, 'name'>, string>>;

const LISTENER_WORDS: Words<ListenerConfig> = {
  bind: 'bind',
  protocol: 'protocol',
  tls: 'tls',
  proxyProtocol: 'proxyProtocol',
  trustedPeers: 'trustedPeers',
  timeouts: 'timeouts',
  limits: 'limits',
  headers: 'headers',
  http2: 'http2',
};

const CLUSTER_WORDS: Words<ClusterConfig> = {
  region: 'region',
  endpoints: 'endpoints',
  discovery: 'endpoints.agent',
  tls: 'tls',
  health: 'health',
  outlier: 'outlier',
  capacity: 'capacity',
  agent: 'agent',
  balance: 'balance',
  hash: 'hash',
  slowStart: 'slowStart',
  limits: 'limits',
  connectTimeoutMs: 'connectTimeout',
  keepAliveMs: 'keepAlive',
  maxConnections: 'maxConnections',
  http2: 'http2',
  lastResort: 'lastResort',
  drain: 'drain',
  failback: 'failback',
  proxyProtocol: 'proxyProtocol',
};

const GATE_WORDS: Words<AskedGateConfig> = {
  source: 'question',
  bound: 'bound',
  everyMs: 'every',
  timeoutMs: 'timeout',
  failures: 'failures',
  authorization: 'authorization',
  headers: 'headers',
  ca: 'ca',
};

const CONSUMER_WORDS: Words<ConsumerConfig> = {
  groups: 'groups',
  scopes: 'scopes',
  tags: 'tags',
  plan: 'plan',
  keys: 'keys',
  passwords: 'passwords',
  signingKeys: 'signingKeys',
  subjects: 'subjects',
  certificates: 'certificates',
};

const ISSUER_WORDS: Words<IssuerConfig> = {
  issuer: 'issuer',
  audiences: 'audiences',
  keys: 'keys',
  algorithms: 'algorithms',
  leewayMs: 'leeway',
  type: 'type',
  consumerClaim: 'consumerClaim',
  scopeClaim: 'scopeClaim',
  groupsClaim: 'groupsClaim',
};

const LIMIT_WORDS: Words<LimitConfig> = {
  by: 'by',
  algorithm: 'algorithm',
  limit: 'allow',
  windowMs: 'per',
  calendar: 'calendar',
  ofPlans: 'plans',
  plan: 'plan',
  burst: 'burst',
  onUnavailable: 'onUnavailable',
  fleet: 'scope',
  shadow: 'shadow',
  exemptConsumers: 'exempt.consumers',
  exemptAddresses: 'exempt.addresses',
  headers: 'headers',
};

const SERVICE_WORDS: Words<Omit<ServiceConfig, 'versions'>> = {
  split: 'split',
  steer: 'steer',
  onUnavailable: 'onUnavailable',
  assign: 'assign',
  mirror: 'mirror',
  sticky: 'sticky',
  rollout: 'rollout',
  timeouts: 'timeouts',
  retries: 'retries',
  circuit: 'circuit',
};

const VERSION_WORDS: Words<VersionConfig> = { placements: 'clusters', health: 'health' };

const ROUTE_WORDS: Words<RouteConfig> = {
  listeners: 'listeners',
  match: 'match',
  paths: 'paths',
  service: 'service',
  priorityClass: 'priorityClass',
  clientCertificate: 'clientCertificate',
  logged: 'logged',
  filters: 'filters',
};

function hostDifferences(before: Config, after: Config): readonly string[] {
  return [
    ...changed('host.name', before.hostName, after.hostName),
    ...changed('host.region', before.hostRegion, after.hostRegion),
    ...changed('state.dir', before.stateDir, after.stateDir),
    ...changed('state.redis', before.redis, after.redis),
    ...changed('admin', before.admin, after.admin),
    ...changed('agents', before.agents, after.agents),
    ...changed('metrics', before.metrics, after.metrics),
  ];
}

const pickLive = ({
  workers,
  drainDeadlineMs,
  lameDuckMs,
  overloadDelayMs,
  hangMs,
  sessionTickets,
  accessLog,
  tracing,
  history,
  events,
  decisionLog,
}: Config): object => ({
  workers,
  drainDeadline: drainDeadlineMs,
  lameDuck: lameDuckMs,
  overloadDelay: overloadDelayMs,
  hangDeadline: hangMs,
  sessionTickets,
  accessLog,
  tracing,
  history,
  events,
  decisionLog,
});

function serviceDifferences(before: ServiceConfig | undefined, after: ServiceConfig): readonly string[] {
  const title = `service ${after.name}`;
  if (before === undefined) return [`${title} added`];
  const [versionsBefore, versionsAfter] = [byName(before.versions), byName(after.versions)];
  const versions = compare('version', versionsBefore, versionsAfter, VERSION_WORDS).map((line) => `${title}: ${line}`);
  return [...versions, ...fieldDifferences(title, before, after, SERVICE_WORDS)];
}

function compare<T extends object>(
  kind: string,
  before: Readonly<Record<string, T>>,
  after: Readonly<Record<string, T>>,
  words: Words<T>,
): readonly string[] {
  const lines = Object.entries(after).flatMap(([name, value]) => {
    const old = before[name];
    return old === undefined ? [`${kind} ${name} added`] : fieldDifferences(`${kind} ${name}`, old, value, words);
  });
  return [...lines, ...removed(kind, before, after)];
}

function removed(kind: string, before: object, after: object): readonly string[] {
  return Object.keys(before).flatMap((name) => (Object.hasOwn(after, name) ? [] : [`${kind} ${name} removed`]));
}

function fieldDifferences(title: string, before: object, after: object, words?: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(words ?? after).flatMap((field) =>
    changed(`${title}: ${words?.[field] ?? field}`, Reflect.get(before, field), Reflect.get(after, field)),
  );
}

function changed(title: string, before: unknown, after: unknown): readonly string[] {
  return sameJson(before, after) ? [] : [`${title} changed`];
}

/** Of thousands of routes a change touches few: what is the same at both ends is left out before names are looked up. */
function routeDifferences(before: readonly RouteConfig[], after: readonly RouteConfig[]): readonly string[] {
  const most = Math.min(before.length, after.length);
  let first = sameRoutesAtStart(before, after);
  while (first < most && sameJson(before[first], after[first])) first += 1;
  let last = 0;
  while (last < most - first && sameJson(before[before.length - 1 - last], after[after.length - 1 - last])) last += 1;
  const [earlier, later] = [before.slice(first, before.length - last), after.slice(first, after.length - last)];
  return [...compare('route', byName(earlier), byName(later), ROUTE_WORDS), ...orderDifference(earlier, later)];
}

/** As many as pieces of text that are the same tell at once. */
function sameRoutesAtStart(before: readonly RouteConfig[], after: readonly RouteConfig[]): number {
  const earlier = routePieces(before);
  let count = 0;
  for (const [index, { text, routes }] of routePieces(after).entries()) {
    if (text !== earlier[index]?.text) break;
    count += routes.length;
  }
  return count;
}

/** Between routes of the same rank the first wins, so moving one is a change. */
function orderDifference(before: readonly RouteConfig[], after: readonly RouteConfig[]): readonly string[] {
  const [earlier, later] = [before.map(({ name }) => name), after.map(({ name }) => name)];
  const common = (names: readonly string[], others: readonly string[]): readonly string[] => {
    const kept = new Set(others);
    return names.filter((name) => kept.has(name));
  };
  return changed('routes: order', common(earlier, later), common(later, earlier));
}

function byName<T extends { readonly name: string }>(values: readonly T[]): Readonly<Record<string, T>> {
  return Object.fromEntries(values.map((value) => [value.name, value]));
}
