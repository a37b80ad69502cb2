// What is kept of an EndpointSlice: the addresses of a Service and how each of them is.
import { fieldOf, flagOf, listOf, numberOf, textOf } from './read-json.ts';

export interface SliceFacts {
  /** `namespace/name` of the Service. */
  readonly service: string;
  readonly addressType: string;
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
}

export interface SlicePort {
  /** As the Service names it; empty: its only one. */
  readonly name: string;
  readonly port: number;
}

export interface SliceEndpoint {
  readonly address: string;
  /** `namespace/name` of its pod; empty: it has none. */
  readonly pod: string;
  readonly state: EndpointState;
}

/** `leaving`: it ends and still answers. `away`: nothing is to be sent to it. */
export type EndpointState = 'ready' | 'leaving' | 'away';

export const SERVICE_LABEL = 'kubernetes.io/service-name';

/** Null: it belongs to no Service. */
export function sliceFacts(object: unknown): SliceFacts | null {
  const namespace = textOf(object, 'metadata', 'namespace');
  const service = textOf(object, 'metadata', 'labels', SERVICE_LABEL);
  if (service === '') return null;
  return {
    service: `${namespace}/${service}`,
    addressType: textOf(object, 'addressType'),
    ports: listOf(object, 'ports').map((port) => ({ name: textOf(port, 'name'), port: numberOf(port, 'port') })),
    endpoints: listOf(object, 'endpoints').flatMap((endpoint) => {
      // The API says of further addresses that they are the same endpoint's, and that consumers should use the first.
      const address = listOf(endpoint, 'addresses')[0];
      if (typeof address !== 'string') return [];
      const isPod = textOf(endpoint, 'targetRef', 'kind') === 'Pod';
      const pod = isPod ? `${textOf(endpoint, 'targetRef', 'namespace') || namespace}/${textOf(endpoint, 'targetRef', 'name')}` : '';
      return [{ address, pod, state: stateOf(fieldOf(endpoint, 'conditions')) }];
    }),
  };
}

/**
 * By the API's documentation: `ready` that is not said is true, `terminating` that is not said is false, `serving` that is not said is what
 * `ready` says. `ready` is never true while terminating, unless the Service publishes addresses that are not ready.
 */
function stateOf(conditions: unknown): EndpointState {
  const ready = flagOf(conditions, 'ready') ?? true;
  const serving = flagOf(conditions, 'serving') ?? ready;
  const terminating = flagOf(conditions, 'terminating') ?? false;
  if (ready && !terminating) return 'ready';
  return serving && terminating ? 'leaving' : 'away';
}
