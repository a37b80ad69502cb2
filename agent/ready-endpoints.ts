// The endpoints of a Service, each once, whatever slices say of it. Pure.
import type { ClusterFacts } from './kubernetes/cluster-view.ts';
import type { ServiceFacts, ServicePort } from './kubernetes/service-facts.ts';
import type { SliceFacts, SliceEndpoint, EndpointState } from './kubernetes/slice-facts.ts';

export interface ServiceEndpoint {
  readonly address: string;
  readonly port: number;
  /** `namespace/name`; empty: none. */
  readonly pod: string;
  readonly state: EndpointState;
}

/** Of which the better one counts where slices disagree: the one that was written last has not reached all of them. */
const BEST: readonly EndpointState[] = ['ready', 'leaving', 'away'];
/** Of a Service with both families the slices name every pod twice. */
const FAMILIES: readonly string[] = ['IPv4', 'IPv6', 'FQDN'];

/** By `namespace/name` of their Service. */
export type SlicesOf = ReadonlyMap<string, readonly SliceFacts[]>;

/** Once for all services: there are thousands of slices. */
export function slicesByService(slices: Iterable<SliceFacts>): SlicesOf {
  const of = new Map<string, SliceFacts[]>();
  for (const slice of slices) {
    const known = of.get(slice.service);
    if (known === undefined) of.set(slice.service, [slice]);
    else known.push(slice);
  }
  return of;
}

/** The port of a Service by name or number; null: its first one for TCP. */
export function portOf(service: ServiceFacts, wanted: string | null): ServicePort | undefined {
  const ports = service.ports.filter(({ protocol }) => protocol === 'TCP');
  return wanted === null ? ports[0] : ports.find(({ name, port }) => name === wanted || String(port) === wanted);
}

/** As `endpointsOf`, of a port that the Service is asked by: its slices have the same name for it and another number. */
export function serviceEndpoints(
  { service: key, port: wanted }: { readonly service: string; readonly port: string | null },
  services: ClusterFacts['services'],
  slices: SlicesOf,
): readonly ServiceEndpoint[] {
  const service = services?.get(key);
  // A Service with one port need not call it anything. Of one that is not known yet a name is all there is to go by.
  const known = service === undefined || service.ports.length === 1 ? null : (portOf(service, wanted)?.name ?? wanted);
  return knownEndpointsOf(slices.get(key) ?? [], service === undefined && wanted !== null && !/^[0-9]+$/.test(wanted) ? wanted : known);
}

interface Known {
  readonly slices: readonly SliceFacts[];
  readonly port: string | null;
  readonly endpoints: readonly ServiceEndpoint[];
}

/** By the first slice of each Service. Facts are made anew for whatever changes, so the same ones have the same endpoints. */
const KNOWN = new WeakMap<SliceFacts, Known>();

/** Of thousands of slices a few change in a second. */
function knownEndpointsOf(slices: readonly SliceFacts[], port: string | null): readonly ServiceEndpoint[] {
  const [first] = slices;
  if (first === undefined) return [];
  const known = KNOWN.get(first);
  const isSame = known?.port === port && known.slices.length === slices.length && slices.every((slice, n) => slice === known.slices[n]);
  if (isSame) return known.endpoints;
  const endpoints = endpointsOf(slices, port);
  KNOWN.set(first, { slices, port, endpoints });
  return endpoints;
}

/**
 * Of the slices of one Service and one of its ports (null: its first). An endpoint may be in two slices while they are being rearranged, so each address and port
 * counts once; a pod with addresses of two families counts with the first.
 */
function endpointsOf(slices: Iterable<SliceFacts>, port: string | null): readonly ServiceEndpoint[] {
  const byAddress = new Map<string, ServiceEndpoint & { readonly family: number }>();
  for (const slice of slices) {
    const found = port === null ? slice.ports[0] : slice.ports.find(({ name }) => name === port);
    if (found === undefined) continue;
    const family = FAMILIES.indexOf(slice.addressType);
    for (const endpoint of slice.endpoints) {
      const key = `${endpoint.address} ${found.port}`;
      const known = byAddress.get(key);
      if (known === undefined || isBetter(endpoint, known)) byAddress.set(key, { ...endpoint, port: found.port, family });
    }
  }
  return onePerPod([...byAddress.values()]);
}

function isBetter(a: SliceEndpoint, b: ServiceEndpoint): boolean {
  return BEST.indexOf(a.state) < BEST.indexOf(b.state);
}

function onePerPod(endpoints: readonly (ServiceEndpoint & { readonly family: number })[]): readonly ServiceEndpoint[] {
  const firstFamily = new Map<string, number>();
  for (const { pod, port, family } of endpoints) {
    if (pod === '') continue;
    const key = `${pod} ${port}`;
    firstFamily.set(key, Math.min(family, firstFamily.get(key) ?? Infinity));
  }
  return endpoints
    .filter(({ pod, port, family }) => pod === '' || firstFamily.get(`${pod} ${port}`) === family)
    .map(({ address, port, pod, state }) => ({ address, port, pod, state }));
}

export interface EndpointCounts {
  readonly ready: number;
  /** Ready, or ending and still answering. */
  readonly serving: number;
  readonly total: number;
}

/** How many there are of each. */
export function countEndpoints(endpoints: readonly ServiceEndpoint[]): EndpointCounts {
  const count = (state: EndpointState): number => endpoints.filter((endpoint) => endpoint.state === state).length;
  const ready = count('ready');
  return { ready, serving: ready + count('leaving'), total: endpoints.length };
}
