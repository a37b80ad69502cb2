// What `metrics.k8s.io` tells of pods and nodes: cores in use, and when that was measured.
import { fieldOf, keyOf, listOf, textOf } from './read-json.ts';
import { parseQuantity } from './quantity.ts';

export interface UseFacts {
  /** `namespace/name` of the pod, or the name of the node. */
  readonly key: string;
  readonly cpuCores: number;
  /** As the server wrote it: another text is another measurement, whatever the clocks say. */
  readonly measuredAt: string;
}

/** Null: a figure is missing or none that can be. */
export function podUse(object: unknown): UseFacts | null {
  let cpuCores = 0;
  for (const container of listOf(object, 'containers')) {
    const cores = parseQuantity(fieldOf(container, 'usage', 'cpu'));
    if (cores === null) return null;
    cpuCores += cores;
  }
  return { key: keyOf(object), cpuCores, measuredAt: textOf(object, 'timestamp') };
}

/** As above. */
export function nodeUse(object: unknown): UseFacts | null {
  const cpuCores = parseQuantity(fieldOf(object, 'usage', 'cpu'));
  return cpuCores === null ? null : { key: textOf(object, 'metadata', 'name'), cpuCores, measuredAt: textOf(object, 'timestamp') };
}
