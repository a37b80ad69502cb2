// Use of CPU as the cluster measures it, against what there is of it. Pure.
import type { ClusterFacts, Uses } from './kubernetes/cluster-view.ts';
import type { NodeFacts } from './kubernetes/node-facts.ts';

/** More than all of a node, and what is kept for its system, is a figure that cannot be. */
const MOST_OF_NODE = 1.5;

/**
 * `Σ cores in use / Σ bound` over pods that have both figures; the bound of a pod is its limit, or what it asked for. Null: none has. A pod that
 * asked for nothing has nothing that use could be a part of.
 */
export function podsUse(pods: Iterable<string>, { pods: known, nodes, podUses }: ClusterFacts): number | null {
  let [used, bound] = [0, 0];
  for (const key of pods) {
    const pod = known?.get(key);
    const use = podUses?.get(key);
    if (pod === undefined || use === undefined || pod.cpuBound <= 0) continue;
    const node = nodes?.get(pod.node);
    if (node !== undefined && use.cpuCores > node.cpuCores * MOST_OF_NODE) continue;
    used += use.cpuCores;
    bound += pod.cpuBound;
  }
  return bound > 0 ? used / bound : null;
}

/** `Σ cores in use / Σ allocatable` over ready nodes of these names, or all; null: no figures. */
export function nodesUse(
  nodes: ReadonlyMap<string, NodeFacts> | null,
  uses: Uses | null,
  names: ReadonlySet<string> | null,
): number | null {
  let [used, whole] = [0, 0];
  for (const node of nodes?.values() ?? []) {
    const use = uses?.get(node.name);
    if (use === undefined || !node.ready || (names !== null && !names.has(node.name))) continue;
    if (use.cpuCores > node.cpuCores * MOST_OF_NODE) continue;
    used += use.cpuCores;
    whole += node.cpuCores;
  }
  return whole > 0 ? used / whole : null;
}
