// The endpoints of a cluster for its edge, and how they are counted: each once, whatever slices say.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { discoverEndpoints } from '../../../agent/discover.ts';
import type { ClusterFacts } from '../../../agent/kubernetes/cluster-view.ts';
import { nodeFacts } from '../../../agent/kubernetes/node-facts.ts';
import { podFacts } from '../../../agent/kubernetes/pod-facts.ts';
import { serviceFacts } from '../../../agent/kubernetes/service-facts.ts';
import { sliceFacts, type SliceFacts } from '../../../agent/kubernetes/slice-facts.ts';
import { countEndpoints, serviceEndpoints, slicesByService, type SlicesOf } from '../../../agent/ready-endpoints.ts';
import type { AddressKind, GatewaySettings } from '../../../agent/settings.ts';
import type { SourceReport } from '../../../agent/protocol.ts';
import {
  nodeObject,
  podObject,
  serviceObject,
  sliceObject,
  type NodeWish,
  type ServiceWish,
  type SliceWish,
} from '../../support/kube-objects.ts';

interface World {
  readonly nodes?: readonly NodeWish[];
  readonly pods?: readonly (readonly [name: string, node: string])[];
  readonly service?: ServiceWish & { readonly balancer?: readonly object[] };
  readonly slices?: readonly SliceWish[];
}

function knownOf(world: World): { readonly facts: ClusterFacts; readonly slices: SlicesOf } {
  const facts = factsOf(world);
  return { facts, slices: slicesByService(facts.slices?.values() ?? []) };
}

function factsOf({ nodes = [], pods = [], service, slices = [] }: World): ClusterFacts {
  const mapOf = <T>(entries: readonly (readonly [string, T | null])[]): ReadonlyMap<string, T> =>
    new Map(entries.flatMap(([key, value]) => (value === null ? [] : [[key, value] as const])));
  const status = { loadBalancer: { ingress: service?.balancer ?? [] } };
  return {
    nodes: mapOf(nodes.map((wish) => [wish.name, nodeFacts(nodeObject(wish))])),
    pods: mapOf(pods.map(([name, node]) => [`shop/${name}`, podFacts(podObject({ name, node }))])),
    services: mapOf(service === undefined ? [] : [['shop/web', serviceFacts({ ...serviceObject(service), status })]]),
    slices: mapOf(slices.map((wish, index) => [String(index), sliceFacts(sliceObject(wish))])),
    ...{ autoscalers: null, podUses: null, nodeUses: null },
  };
}

const FRESH: SourceReport = { state: 'fresh', ageMs: 0 };
const ALL_FRESH = { nodes: FRESH, services: FRESH, endpointSlices: FRESH };
const gateway = (addresses: AddressKind, port: string | null = null): GatewaySettings => ({
  service: 'shop/web',
  port,
  addresses,
  ratePerEndpoint: null,
});

function found(world: World, addresses: AddressKind, port: string | null = null): readonly string[] | undefined {
  const report = discoverEndpoints([gateway(addresses, port)], knownOf(world), ALL_FRESH);
  return report?.list.map(({ host, port: number, draining }) => `${host} ${number}${draining === true ? ' draining' : ''}`);
}

const web: ServiceWish = {
  name: 'web',
  type: 'LoadBalancer',
  ports: [
    { name: 'http', port: 80, nodePort: 30080 },
    { name: 'https', port: 443, nodePort: 30443 },
  ],
};

test('of a Service whose slices stay the endpoints are not made again; of one of whose slices any changes they are', () => {
  const wish: SliceWish = { service: 'web', portName: 'http', endpoints: [{ address: '10.0.0.1' }] };
  const read = (address: string): SliceFacts => {
    const facts = sliceFacts(sliceObject({ ...wish, endpoints: [{ address }] }));
    assert.ok(facts);
    return facts;
  };
  const [first, second, third] = [read('10.0.0.1'), read('10.0.0.2'), read('10.0.0.3')];
  const endpointsOf = (...slices: readonly SliceFacts[]): ReturnType<typeof serviceEndpoints> =>
    serviceEndpoints({ service: 'shop/web', port: 'http' }, null, slicesByService(slices));
  const addressesOf = (...slices: readonly SliceFacts[]): readonly string[] => endpointsOf(...slices).map(({ address }) => address);
  assert.equal(endpointsOf(first, second), endpointsOf(first, second));
  assert.deepEqual(addressesOf(first, second), ['10.0.0.1', '10.0.0.2']);
  assert.deepEqual(addressesOf(first, third), ['10.0.0.1', '10.0.0.3']);
  assert.deepEqual(addressesOf(first), ['10.0.0.1']);
  assert.deepEqual(addressesOf(first, third, second), ['10.0.0.1', '10.0.0.3', '10.0.0.2']);
  const another = serviceEndpoints({ service: 'shop/web', port: 'other' }, null, slicesByService([first]));
  assert.deepEqual(another, [], 'of another port');
});

test('without a gateway nothing is told of endpoints', () => {
  assert.equal(discoverEndpoints([], knownOf({}), ALL_FRESH), undefined);
});

test('of a load balancer its addresses and names are the endpoints', () => {
  const world = { service: { ...web, balancer: [{ hostname: 'b.elb.example.com' }, { ip: '192.0.2.1' }] } };
  assert.deepEqual(found(world, 'loadBalancer', 'https'), ['192.0.2.1 443', 'b.elb.example.com 443']);
  assert.deepEqual(found(world, 'loadBalancer', '443'), ['192.0.2.1 443', 'b.elb.example.com 443']);
  assert.deepEqual(found(world, 'loadBalancer', 'nothing'), []);
});

describe('node ports', () => {
  const nodes: readonly NodeWish[] = [
    { name: 'n1', address: '10.0.0.1' },
    { name: 'n2', address: '10.0.0.2', unschedulable: true },
    { name: 'n3', address: '10.0.0.3', ready: false },
    { name: 'n4', address: '10.0.0.4', labels: { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } },
    { name: 'n5', address: '10.0.0.5' },
  ];

  test('are on every node that is ready, cordoned or not, and may be a target', () => {
    assert.deepEqual(found({ nodes, service: web }, 'nodePort', 'http'), ['10.0.0.1 30080', '10.0.0.2 30080', '10.0.0.5 30080']);
  });

  test('of a Service that stays on its nodes are where its pods are, and drain with them', () => {
    const slices = [
      {
        service: 'web',
        portName: 'http',
        endpoints: [
          { address: '10.1.0.1', pod: 'a', ready: true },
          { address: '10.1.0.2', pod: 'b', ready: false, serving: true, terminating: true },
        ],
      },
    ];
    const pods = [
      ['a', 'n1'],
      ['b', 'n2'],
    ] as const;
    assert.deepEqual(found({ nodes, pods, slices, service: { ...web, local: true } }, 'nodePort', 'http'), [
      '10.0.0.1 30080',
      '10.0.0.2 30080 draining',
    ]);
  });
});

describe('pods', () => {
  const slice = (wish: Partial<SliceWish>): SliceWish => ({ service: 'web', portName: 'http', endpoints: [], ...wish });

  test('are endpoints at the port their slices name, drain as they end, and are none when they are not ready', () => {
    const slices = [
      slice({
        endpoints: [
          { address: '10.1.0.1', pod: 'a', ready: true },
          { address: '10.1.0.2', pod: 'b', ready: false, serving: true, terminating: true },
          { address: '10.1.0.3', pod: 'c', ready: false },
        ],
      }),
      slice({ portName: 'https', port: 8443, endpoints: [{ address: '10.1.0.1', pod: 'a' }] }),
    ];
    assert.deepEqual(found({ service: web, slices }, 'pod', 'http'), ['10.1.0.1 8080', '10.1.0.2 8080 draining']);
    assert.deepEqual(found({ service: web, slices }, 'pod', '443'), ['10.1.0.1 8443']);
  });

  test('in two slices count once, the better word counts, and a pod of two families is one endpoint', () => {
    const slices = [
      slice({ endpoints: [{ address: '10.1.0.1', pod: 'a', ready: false }] }),
      slice({
        endpoints: [
          { address: '10.1.0.1', pod: 'a', ready: true },
          { address: '10.1.0.2', pod: 'b', ready: true },
        ],
      }),
      slice({
        addressType: 'IPv6',
        endpoints: [
          { address: 'fd00::1', pod: 'a', ready: true },
          { address: 'fd00::3', pod: 'c', ready: true },
        ],
      }),
    ];
    assert.deepEqual(found({ service: web, slices }, 'pod', 'http'), ['10.1.0.1 8080', '10.1.0.2 8080', 'fd00::3 8080']);
    const { facts, slices: of } = knownOf({ service: web, slices });
    const counts = countEndpoints(serviceEndpoints({ service: 'shop/web', port: 'http' }, facts.services, of));
    assert.deepEqual(counts, { ready: 3, serving: 3, total: 3 });
  });
});

test('a list is as fresh as what it is read from', () => {
  const stale: SourceReport = { state: 'stale', ageMs: 90_000 };
  const isFresh = (addresses: AddressKind, sources: Partial<typeof ALL_FRESH>) =>
    discoverEndpoints([gateway(addresses)], knownOf({ service: web }), { ...ALL_FRESH, ...sources })?.fresh;
  assert.equal(isFresh('pod', {}), true);
  assert.equal(isFresh('pod', { endpointSlices: stale }), false);
  assert.equal(isFresh('loadBalancer', { endpointSlices: stale, nodes: stale }), true);
  assert.equal(isFresh('nodePort', { nodes: stale }), false);
});
