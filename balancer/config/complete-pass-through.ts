// What a route may ask for by the protocol of its listeners, and where it may lead: of bytes that are passed on nothing else can be known.
import type { Completion } from './completion.ts';
import type { ClusterConfig, EndpointConfig, ListenerConfig, ListenerProtocol, ServiceConfig } from './config.ts';
import type { ValuePath } from './problems.ts';
import type { RouteFile } from './schema-fleet.ts';

/** What routes refer to, as far as it can be used. */
export interface Neighbours {
  readonly listeners: readonly ListenerConfig[];
  readonly clusters: Readonly<Record<string, ClusterConfig>>;
  readonly services: Readonly<Record<string, ServiceConfig>>;
}

export interface Context {
  readonly neighbours: Neighbours;
  readonly completion: Completion;
}

const HTTP_CONDITIONS = ['path', 'exact', 'regex', 'headers', 'query'] as const;

/** The protocol of the listeners that a route names; null: it cannot be told, and why is another problem. */
export function routeProtocol(file: RouteFile, path: ValuePath, { neighbours, completion }: Context): ListenerProtocol | null {
  const { listeners } = neighbours;
  // What was taken out is not the default that stands in its place.
  const isKnown = ({ name }: ListenerConfig): boolean => !completion.isTouched(['listeners', name, 'protocol']);
  if (completion.isTouched([...path, 'listeners']) || !listeners.every(isKnown)) return null;
  if (file.listeners.length === 0) {
    const others = listeners.filter(({ protocol }) => protocol !== 'readiness');
    if (listeners.length > 0 && others.every(({ protocol }) => protocol !== 'http'))
      completion.report(
        path,
        `the route names no listeners, so it is for those that speak http, and there is none; ${others[0] === undefined ? 'add one' : `write listeners: [${others[0].name}]`}`,
      );
    return 'http';
  }
  const [first, ...others] = file.listeners.map((name) => listeners.find((listener) => listener.name === name));
  if (first === undefined || others.includes(undefined)) return null;
  if ([first, ...others].some((listener) => listener?.protocol === 'readiness')) {
    completion.report([...path, 'listeners'], 'a readiness listener answers by itself and has no routes; name another listener');
    return null;
  }
  const other = others.find((listener) => listener?.protocol !== first.protocol);
  if (other === undefined) return first.protocol;
  completion.report(
    [...path, 'listeners'],
    `listener ${first.name} speaks ${first.protocol} and ${other.name} ${other.protocol}; write one route for each protocol`,
  );
  return null;
}

/** Tells what the route asks for that cannot be had with `protocol`, and endpoints of its service that cannot serve it. */
export function reportMismatches(file: RouteFile, protocol: ListenerProtocol, path: ValuePath, context: Context): void {
  if (protocol !== 'http') reportHttpParts(file, protocol, path, context.completion);
  const service = context.neighbours.services[file.service];
  if (service === undefined) return;
  const at = [...path, 'service'];
  for (const version of service.versions) {
    for (const { cluster, host } of version.placements) {
      if (protocol !== 'http' && host !== null)
        context.completion.report(
          at,
          `version ${version.name} of service "${service.name}" is told apart in cluster ${cluster} by the host "${host}", which a ${protocol} listener cannot change; give the version a cluster of its own`,
        );
      if (protocol === 'http' && typeof context.neighbours.clusters[cluster]?.proxyProtocol === 'string')
        context.completion.report(
          at,
          `service "${service.name}" runs in cluster ${cluster}, whose connections begin with one client's addresses by proxyProtocol, but requests of many clients share them; remove proxyProtocol (requests carry x-forwarded-for), or name listeners with protocol tcp or tls-passthrough`,
        );
      const unfit = schemesOf(context.neighbours.clusters[cluster]).find((endpoint) => !CARRIES[endpoint.scheme].includes(protocol));
      if (unfit !== undefined)
        context.completion.report(
          at,
          `service "${service.name}" runs in cluster ${cluster}, whose endpoint ${unfitReason(unfit, protocol)}`,
        );
    }
  }
}

function reportHttpParts(file: RouteFile, protocol: ListenerProtocol, path: ValuePath, completion: Completion): void {
  const foreign: readonly string[] = [
    ...HTTP_CONDITIONS.filter((key) => file.match[key] !== undefined),
    ...(file.match.methods.length > 0 ? ['methods'] : []),
  ];
  const listener = file.listeners[0] ?? '';
  for (const key of foreign)
    completion.reportKey(
      [...path, 'match', key],
      `${key} is a condition on HTTP requests, and listener ${listener} (${protocol}) passes bytes on unread; remove it, or write protocol: http for the listener`,
    );
  if (protocol === 'tcp' && file.match.hosts.length > 0)
    completion.reportKey(
      [...path, 'match', 'hosts'],
      `a TCP connection names no host, so nothing can be compared; remove hosts, or write protocol: tls-passthrough for listener ${listener} to compare the server name of TLS`,
    );
  if (file.filters.length > 0)
    completion.reportKey(
      [...path, 'filters'],
      `filters change HTTP messages, and listener ${listener} (${protocol}) passes bytes on unread; remove them, or write protocol: http for the listener`,
    );
}

/** Scheme of an endpoint → protocols of listeners whose connections it can take. */
const CARRIES: Readonly<Record<EndpointConfig['scheme'], readonly ListenerProtocol[]>> = {
  http: ['http', 'tcp'],
  https: ['http', 'tls-passthrough'],
  h2c: ['http', 'tcp'],
  tcp: ['tcp', 'tls-passthrough'],
};

/** Of endpoints that are discovered the scheme is known, and nothing else. */
function schemesOf(cluster: ClusterConfig | undefined): readonly Pick<EndpointConfig, 'scheme' | 'id'>[] {
  if (cluster === undefined) return [];
  return cluster.discovery === null ? cluster.endpoints : [{ scheme: cluster.discovery.scheme, id: '(from its agent)' }];
}

function unfitReason({ scheme, id }: Pick<EndpointConfig, 'scheme' | 'id'>, protocol: ListenerProtocol): string {
  const url = `${scheme}://${id}`;
  if (protocol === 'http')
    return `${url} is not known to speak HTTP; write http:// or https:// for it, or name listeners with protocol tcp or tls-passthrough`;
  if (protocol === 'tcp') return `${url} is reached over TLS, which a tcp listener does not add; write tcp:// for it`;
  return `${url} speaks no TLS; write https:// or tcp:// for it`;
}

/**
 * A pass-through listener that no route names closes every connection, and a route without `listeners` is not for it: most likely
 * somebody took it to be. `named`: what the routes name; a file without routes has them elsewhere.
 */
export function reportUnrouted(named: ReadonlySet<string>, { neighbours, completion }: Context): void {
  for (const { name, protocol } of neighbours.listeners) {
    if (protocol === 'http' || protocol === 'readiness' || named.has(name)) continue;
    completion.report(
      ['listeners', name],
      `no route names this ${protocol} listener, so it would close every connection; add listeners: [${name}] to a route`,
    );
  }
}
