// How much more a service can become in about two minutes: what its autoscaler may ask for, and what the nodes have room for. Pure.
import type { AutoscalerFacts } from './kubernetes/autoscaler-facts.ts';
import type { NodeFacts } from './kubernetes/node-facts.ts';
import type { PodFacts, Resources } from './kubernetes/pod-facts.ts';
import type { GrowthBound } from './protocol.ts';

export interface Growth {
  /** A factor from 1. */
  readonly factor: number;
  readonly bound: GrowthBound;
  /** Replicas now, and the most there can be; 0: not known. */
  readonly current: number;
  readonly most: number;
  /** Pods like its own that the nodes have room for; null: not known. */
  readonly room: number | null;
}

/** A pod has been passed over long enough to say that there is no room for it. */
export const PENDING_MS = 30_000;

/** Pods that no node has room for, longer than it takes to place them. */
export function pendingPods(pods: Iterable<PodFacts>, wallMs: number): readonly PodFacts[] {
  return [...pods].filter(({ unschedulableSinceMs }) => unschedulableSinceMs !== null && wallMs - unschedulableSinceMs > PENDING_MS);
}

/** What the pods of each node take of it, and how many they are. */
export function takenOf(pods: Iterable<PodFacts>): ReadonlyMap<string, Taken> {
  const taken = new Map<string, { cpuCores: number; memoryBytes: number; pods: number }>();
  for (const { node, requested } of pods) {
    if (node === '') continue;
    const of = taken.get(node);
    if (of === undefined) taken.set(node, { ...requested, pods: 1 });
    else {
      of.cpuCores += requested.cpuCores;
      of.memoryBytes += requested.memoryBytes;
      of.pods += 1;
    }
  }
  return taken;
}

export interface Taken extends Resources {
  readonly pods: number;
}

/**
 * How many pods of this size fit, node by node: `Σ floor(min(free CPU / its CPU, free memory / its memory, free places))` over nodes that
 * take new pods. The sum over the cluster divided by the size would promise room that no single node has.
 */
export function roomFor(size: Resources, nodes: Iterable<NodeFacts>, taken: ReadonlyMap<string, Taken>): number {
  let room = 0;
  for (const node of nodes) {
    if (!node.schedulable) continue;
    const used = taken.get(node.name) ?? { cpuCores: 0, memoryBytes: 0, pods: 0 };
    const places = node.pods - used.pods;
    const byCpu = size.cpuCores > 0 ? (node.cpuCores - used.cpuCores) / size.cpuCores : Infinity;
    const byMemory = size.memoryBytes > 0 ? (node.memoryBytes - used.memoryBytes) / size.memoryBytes : Infinity;
    // Sums of tenths are a hair off: four pods of 0.1 fit into 0.4.
    room += Math.max(0, Math.floor(Math.min(places, byCpu, byMemory) + 1e-9));
  }
  return room;
}

export interface GrowthFacts {
  /** Null: none scales the service. */
  readonly autoscaler: AutoscalerFacts | null;
  /** For pods of its size; null: nodes or pods are not known. */
  readonly room: number | null;
  /** Whether any pod of it waits for room. */
  readonly isPending: boolean;
}

/** `min(most replicas, current + room) / current`; 1 where nothing scales it, where it is at its most, and where pods of it wait for room already. */
export function growthOf({ autoscaler, room, isPending }: GrowthFacts): Growth {
  if (autoscaler === null) return { factor: 1, bound: 'no_autoscaler', current: 0, most: 0, room };
  const { current, most, isAtMost, isBlind } = autoscaler;
  const same = { current, most, room };
  if (isPending) return { factor: 1, bound: 'pending_pods', ...same };
  if (isAtMost || current >= most) return { factor: 1, bound: 'max_replicas', ...same };
  if (isBlind || current === 0 || room === null) return { factor: 1, bound: 'unknown', ...same };
  const reachable = Math.min(most, current + room);
  return { factor: reachable / current, bound: reachable === most ? 'max_replicas' : 'room', ...same };
}
