// What is kept of a Service: how it is reached from outside.
import { keyOf, listOf, numberOf, textOf } from './read-json.ts';

export interface ServiceFacts {
  readonly key: string;
  readonly type: string;
  readonly ports: readonly ServicePort[];
  /** Of its load balancer: addresses and names, in the order they are told. */
  readonly balancerHosts: readonly string[];
  readonly externalAddresses: readonly string[];
  /** `Local`: a node without a ready pod of it drops what comes to its node port. */
  readonly isLocalOnly: boolean;
}

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  /** 0: none. */
  readonly nodePort: number;
  readonly protocol: string;
}

/** Of a `v1` Service. */
export function serviceFacts(object: unknown): ServiceFacts {
  return {
    key: keyOf(object),
    type: textOf(object, 'spec', 'type'),
    ports: listOf(object, 'spec', 'ports').map((port) => ({
      name: textOf(port, 'name'),
      port: numberOf(port, 'port'),
      nodePort: numberOf(port, 'nodePort'),
      protocol: textOf(port, 'protocol') || 'TCP',
    })),
    balancerHosts: listOf(object, 'status', 'loadBalancer', 'ingress')
      .map((ingress) => textOf(ingress, 'ip') || textOf(ingress, 'hostname'))
      .filter((host) => host !== ''),
    externalAddresses: listOf(object, 'spec', 'externalIPs').filter((address) => typeof address === 'string'),
    isLocalOnly: textOf(object, 'spec', 'externalTrafficPolicy') === 'Local',
  };
}
