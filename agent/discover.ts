// Where the gateways of a cluster are, for an edge that takes its endpoints from the agent. Pure.
import type { ClusterFacts } from './kubernetes/cluster-view.ts';
import type { NodeFacts } from './kubernetes/node-facts.ts';
import type { ServiceFacts } from './kubernetes/service-facts.ts';
import { MOST_ENDPOINTS, type EndpointsReport, type ReportedEndpoint, type SourceReport } from './protocol.ts';
import { portOf, serviceEndpoints, type ServiceEndpoint, type SlicesOf } from './ready-endpoints.ts';
import type { AddressKind, GatewaySettings } from './settings.ts';

type Sources = Readonly<Record<'nodes' | 'services' | 'endpointSlices', SourceReport>>;

/** What each kind of address is read from: while that is not fresh, the list may be what once was. */
const READ_FROM: Readonly<Record<AddressKind, readonly (keyof Sources)[]>> = {
  loadBalancer: ['services'],
  nodePort: ['services', 'nodes', 'endpointSlices'],
  pod: ['services', 'endpointSlices'],
};

interface Known {
  readonly facts: ClusterFacts;
  readonly slices: SlicesOf;
}

/** Absent where no gateway is named. In a fixed order, so that a report changes only when something did. */
export function discoverEndpoints(gateways: readonly GatewaySettings[], known: Known, sources: Sources): EndpointsReport | undefined {
  if (gateways.length === 0) return undefined;
  const fresh = gateways.every(({ addresses }) => READ_FROM[addresses].every((source) => sources[source].state === 'fresh'));
  const byAddress = new Map<string, ReportedEndpoint>();
  for (const gateway of gateways) {
    for (const endpoint of endpointsOfGateway(gateway, known)) {
      const key = `${endpoint.host} ${endpoint.port}`;
      const known = byAddress.get(key);
      if (known === undefined || known.draining === true) byAddress.set(key, endpoint);
    }
  }
  const list = [...byAddress].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
  return { fresh, list: list.slice(0, MOST_ENDPOINTS) };
}

function endpointsOfGateway(gateway: GatewaySettings, { facts, slices }: Known): readonly ReportedEndpoint[] {
  const service = facts.services?.get(gateway.service);
  if (service === undefined) return [];
  const port = portOf(service, gateway.port);
  if (port === undefined) return [];
  const endpoints = serviceEndpoints(gateway, facts.services, slices);
  switch (gateway.addresses) {
    case 'loadBalancer':
      return [...service.balancerHosts, ...service.externalAddresses].map((host) => ({ host, port: port.port }));
    case 'nodePort':
      return port.nodePort === 0 ? [] : nodePorts(service, port.nodePort, endpoints, facts);
    case 'pod':
      return endpoints.filter(({ state }) => state !== 'away').map(podEndpoint);
  }
}

function podEndpoint({ address, port, state }: ServiceEndpoint): ReportedEndpoint {
  return state === 'leaving' ? { host: address, port, draining: true } : { host: address, port };
}

/**
 * Of nodes that are ready and may be targets. Where a node sends only to pods of its own, those without one drop what comes: they are no
 * endpoints, and those whose pods are all on the way out are draining. A cordoned node is draining only then: it serves what runs on it.
 */
function nodePorts(
  service: ServiceFacts,
  port: number,
  endpoints: readonly ServiceEndpoint[],
  facts: ClusterFacts,
): readonly ReportedEndpoint[] {
  const nodesWith = (state: ServiceEndpoint['state']): ReadonlySet<string> =>
    new Set(endpoints.flatMap((endpoint) => (endpoint.state === state ? [facts.pods?.get(endpoint.pod)?.node ?? ''] : [])));
  const [ready, leaving] = [nodesWith('ready'), nodesWith('leaving')];
  return [...(facts.nodes?.values() ?? [])].flatMap((node): ReportedEndpoint[] => {
    const host = node.externalAddresses[0] ?? node.internalAddresses[0];
    if (host === undefined || !isTarget(node)) return [];
    if (!service.isLocalOnly || ready.has(node.name)) return [{ host, port }];
    return leaving.has(node.name) ? [{ host, port, draining: true }] : [];
  });
}

function isTarget(node: NodeFacts): boolean {
  return node.ready && !node.isExcluded;
}
