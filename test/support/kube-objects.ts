// Objects of a cluster as a test writes them through the API: nodes, pods, slices, Services, autoscalers.
import type { KubeApiServer } from './kube-api-server.ts';

type Ask = Pick<KubeApiServer, 'ask'>;

export interface NodeWish {
  readonly name: string;
  readonly ready?: boolean;
  readonly unschedulable?: boolean;
  readonly pressure?: 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';
  readonly taints?: readonly { readonly key: string; readonly effect: string }[];
  readonly cpu?: string;
  readonly memory?: string;
  readonly pods?: string;
  readonly address?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export function nodeObject(wish: NodeWish): object {
  const {
    name,
    ready = true,
    unschedulable = false,
    pressure,
    taints = [],
    cpu = '4',
    memory = '8Gi',
    pods = '110',
    address,
    labels = {},
  } = wish;
  const conditions = [
    { type: 'Ready', status: ready ? 'True' : 'False' },
    ...(pressure === undefined ? [] : [{ type: pressure, status: 'True' }]),
  ];
  const capacity = { cpu, memory, pods };
  const addresses = address === undefined ? [] : [{ type: 'InternalIP', address }];
  return {
    ...{ apiVersion: 'v1', kind: 'Node', metadata: { name, labels } },
    spec: { ...(unschedulable ? { unschedulable } : {}), ...(taints.length > 0 ? { taints } : {}) },
    status: { capacity, allocatable: capacity, conditions, addresses },
  };
}

export interface PodWish {
  readonly namespace?: string;
  readonly name: string;
  readonly node?: string;
  readonly cpu?: string;
  readonly memory?: string;
  readonly cpuLimit?: string;
  /** Of a Deployment. */
  readonly deployment?: string;
}

export function podObject({ namespace = 'shop', name, node, cpu = '100m', memory = '128Mi', cpuLimit, deployment }: PodWish): object {
  const hash = '5d4f8c7b9';
  const owner = deployment === undefined ? undefined : `${deployment}-${hash}`;
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      ...{ namespace, name },
      ...(owner === undefined
        ? {}
        : {
            labels: { 'pod-template-hash': hash },
            ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: `${deployment ?? ''}-uid`, controller: true }],
          }),
    },
    spec: {
      ...(node === undefined ? {} : { nodeName: node }),
      containers: [
        {
          ...{ name: 'main', image: 'none' },
          resources: { requests: { cpu, memory }, ...(cpuLimit === undefined ? {} : { limits: { cpu: cpuLimit, memory } }) },
        },
      ],
    },
  };
}

export interface SliceWish {
  readonly namespace?: string;
  readonly service: string;
  readonly name?: string;
  readonly port?: number;
  readonly portName?: string;
  readonly addressType?: 'IPv4' | 'IPv6';
  readonly endpoints: readonly EndpointWish[];
}

export interface EndpointWish {
  readonly address: string;
  readonly pod?: string;
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
}

export function sliceObject(wish: SliceWish): object {
  const { namespace = 'shop', service, name = `${service}-1`, port = 8080, portName = '', addressType = 'IPv4', endpoints } = wish;
  return {
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType },
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': service } },
    ports: [{ name: portName, port, protocol: 'TCP' }],
    endpoints: endpoints.map(({ address, pod, ready, serving, terminating }) => ({
      addresses: [address],
      conditions: {
        ...(ready === undefined ? {} : { ready }),
        ...(serving === undefined ? {} : { serving }),
        ...(terminating === undefined ? {} : { terminating }),
      },
      ...(pod === undefined ? {} : { targetRef: { kind: 'Pod', namespace, name: pod } }),
    })),
  };
}

export interface ServiceWish {
  readonly namespace?: string;
  readonly name: string;
  readonly type?: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
  readonly ports?: readonly { readonly name?: string; readonly port: number; readonly nodePort?: number }[];
  readonly local?: boolean;
}

export function serviceObject({
  namespace = 'shop',
  name,
  type = 'ClusterIP',
  ports = [{ port: 80 }],
  local = false,
}: ServiceWish): object {
  return {
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { namespace, name } },
    spec: { type, ports: ports.map((port) => ({ ...port, protocol: 'TCP' })), ...(local ? { externalTrafficPolicy: 'Local' } : {}) },
  };
}

export interface AutoscalerWish {
  readonly namespace?: string;
  readonly name: string;
  readonly deployment: string;
  readonly most: number;
  readonly current: number;
  readonly desired?: number;
  readonly isAtMost?: boolean;
}

export function autoscalerObject({ namespace = 'shop', name, deployment, most }: AutoscalerWish): object {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment };
  const metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }];
  return {
    ...{ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { namespace, name } },
    spec: { scaleTargetRef, minReplicas: 1, maxReplicas: most, metrics },
  };
}

export function autoscalerStatus({ current, desired = current, isAtMost = false }: AutoscalerWish): object {
  const limited = {
    type: 'ScalingLimited',
    status: isAtMost ? 'True' : 'False',
    reason: isAtMost ? 'TooManyReplicas' : 'DesiredWithinRange',
  };
  return { currentReplicas: current, desiredReplicas: desired, currentMetrics: null, conditions: [limited] };
}

export const PATHS = {
  nodes: '/api/v1/nodes',
  pods: '/api/v1/namespaces/shop/pods',
  services: '/api/v1/namespaces/shop/services',
  slices: '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices',
  autoscalers: '/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers',
} as const;

/** Makes it, with the namespace `shop` where it is not there yet. */
export async function makeNamespace({ ask }: Ask, name = 'shop'): Promise<void> {
  await ask('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

/** An autoscaler with its status, which is written apart. */
export async function makeAutoscaler({ ask }: Ask, wish: AutoscalerWish): Promise<void> {
  await ask('POST', PATHS.autoscalers, autoscalerObject(wish));
  await ask('PATCH', `${PATHS.autoscalers}/${wish.name}/status`, { status: autoscalerStatus(wish) });
}

/** A pod that waits: no node has room for it. */
export async function makeUnschedulable({ ask }: Ask, wish: PodWish): Promise<void> {
  await ask('POST', PATHS.pods, podObject(wish));
  const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', lastTransitionTime: '2020-01-01T00:00:00Z' }];
  await ask('PATCH', `${PATHS.pods}/${wish.name}/status`, { status: { phase: 'Pending', conditions } });
}
