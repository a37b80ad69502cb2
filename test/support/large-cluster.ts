// A large cluster in a real API server: nodes, pods of the size that they have in practice, and slices, made many at a time.
import type { KubeApiServer } from './kube-api-server.ts';
import { makeNamespace, nodeObject, PATHS, podObject, serviceObject, sliceObject } from './kube-objects.ts';

export interface LargeWish {
  readonly nodes: number;
  readonly pods: number;
  readonly slices: number;
}

/** Of a pod in service: environment, volumes, annotations of tools. With it a pod is about 6 KB. */
const PADDING = Array.from({ length: 40 }, (_, n) => ({
  name: `SETTING_${n}`,
  value: `value-of-a-setting-that-somebody-once-needed-${n}-`.repeat(2),
}));

const AT_ONCE = 40;

/** Slices have two or three endpoints each, over Services `web-0` … , ten slices to a Service. */
export async function makeLargeCluster(kube: KubeApiServer, { nodes, pods, slices }: LargeWish): Promise<void> {
  await makeNamespace(kube);
  await inParallel(nodes, (n) =>
    kube.ask('POST', PATHS.nodes, nodeObject({ name: `n${n}`, cpu: '16', memory: '64Gi', address: `10.0.${n >> 8}.${n & 255}` })),
  );
  await inParallel(pods, (n) =>
    kube.ask('POST', PATHS.pods, padded(podObject({ name: `web-${n}`, node: `n${n % nodes}`, deployment: `web-${n % 200}` }))),
  );
  const services = Math.ceil(slices / 10);
  await inParallel(services, (n) =>
    kube.ask('POST', PATHS.services, serviceObject({ name: `web-${n}`, ports: [{ name: 'http', port: 80 }] })),
  );
  const each = Math.floor(pods / slices);
  await inParallel(slices, (n) => kube.ask('POST', PATHS.slices, largeSlice(n, services, each)));
}

export function largeSlice(n: number, services: number, each: number, ready = true): object {
  const endpoints = Array.from({ length: each }, (_, m) => {
    const pod = n * each + m;
    return { address: `10.${100 + (pod >> 16)}.${(pod >> 8) & 255}.${pod & 255}`, pod: `web-${pod}`, ready };
  });
  return sliceObject({ service: `web-${n % services}`, name: `slice-${n}`, portName: 'http', endpoints });
}

function padded(pod: object): object {
  const spec = Reflect.get(pod, 'spec') as { readonly containers: readonly object[] };
  const [container] = spec.containers;
  return { ...pod, spec: { ...spec, containers: [{ ...container, env: PADDING }] } };
}

export async function inParallel(count: number, make: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) await make(n);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, lane));
}
