// What the agent asks of the API server, as data: the client is made from this list, and so is what it must be allowed to.
import { autoscalerFacts, type AutoscalerFacts } from './autoscaler-facts.ts';
import { nodeUse, podUse, type UseFacts } from './metrics-facts.ts';
import { nodeFacts, type NodeFacts } from './node-facts.ts';
import { podFacts, type PodFacts } from './pod-facts.ts';
import { serviceFacts, type ServiceFacts } from './service-facts.ts';
import { SERVICE_LABEL, sliceFacts, type SliceFacts } from './slice-facts.ts';

export interface Kind<T> {
  /** Empty: the core group. */
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly verbs: readonly ('list' | 'watch')[];
  readonly read: (object: unknown) => T | null;
}

const WATCHED = ['list', 'watch'] as const;
/** `metrics.k8s.io` serves what is in memory of one process; it cannot be watched. */
const LISTED = ['list'] as const;

export const KINDS = {
  nodes: { group: '', version: 'v1', resource: 'nodes', verbs: WATCHED, read: nodeFacts } satisfies Kind<NodeFacts>,
  pods: { group: '', version: 'v1', resource: 'pods', verbs: WATCHED, read: podFacts } satisfies Kind<PodFacts>,
  services: { group: '', version: 'v1', resource: 'services', verbs: WATCHED, read: serviceFacts } satisfies Kind<ServiceFacts>,
  endpointSlices: {
    ...{ group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices', verbs: WATCHED },
    read: sliceFacts,
  } satisfies Kind<SliceFacts>,
  autoscalers: {
    ...{ group: 'autoscaling', version: 'v2', resource: 'horizontalpodautoscalers', verbs: WATCHED },
    read: autoscalerFacts,
  } satisfies Kind<AutoscalerFacts>,
  podMetrics: { group: 'metrics.k8s.io', version: 'v1beta1', resource: 'pods', verbs: LISTED, read: podUse } satisfies Kind<UseFacts>,
  nodeMetrics: { group: 'metrics.k8s.io', version: 'v1beta1', resource: 'nodes', verbs: LISTED, read: nodeUse } satisfies Kind<UseFacts>,
} as const;

/** What the agent gets beside objects. */
export const READY_PATH = '/readyz';

/** Where the objects of a kind are listed, of one namespace or of all. */
export function pathOf(
  { group, version, resource }: Pick<Kind<unknown>, 'group' | 'version' | 'resource'>,
  namespace: string | null = null,
): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return namespace === null ? `${root}/${resource}` : `${root}/namespaces/${namespace}/${resource}`;
}

/** A longer selector makes a longer address than proxies take. */
const MOST_SELECTED = 30;

/** Of the slices of a cluster only those of the Services that count, as long as these can be named in one question. */
export function slicesPath(services: readonly string[]): string {
  const path = pathOf(KINDS.endpointSlices);
  const names = [...new Set(services.map((key) => key.slice(key.indexOf('/') + 1)))].sort();
  if (names.length === 0 || names.length > MOST_SELECTED) return path;
  return `${path}?labelSelector=${encodeURIComponent(`${SERVICE_LABEL} in (${names.join(',')})`)}`;
}
