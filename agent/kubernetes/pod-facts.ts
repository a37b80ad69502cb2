// What is kept of a pod: where it runs, what it asked for, and who made it.
import { conditionOf, fieldOf, keyOf, listOf, textOf } from './read-json.ts';
import { quantityOf } from './quantity.ts';

export interface Resources {
  readonly cpuCores: number;
  readonly memoryBytes: number;
}

export interface PodFacts {
  /** `namespace/name`. */
  readonly key: string;
  /** Empty: it has no node yet. */
  readonly node: string;
  /** What it takes of its node, as the scheduler counts it. */
  readonly requested: Resources;
  /** Cores that its use is measured against: its limit where every container has one, since there it is throttled; else its request. 0: neither. */
  readonly cpuBound: number;
  /** `namespace/Kind/name` of what scales it; empty: nothing does. */
  readonly owner: string;
  /** Wall time since which no node has room for it; null: it has one, or was not looked at yet. */
  readonly unschedulableSinceMs: number | null;
}

/** Null: it has ended and takes nothing. */
export function podFacts(object: unknown): PodFacts | null {
  const phase = textOf(object, 'status', 'phase');
  if (phase === 'Succeeded' || phase === 'Failed') return null;
  const key = keyOf(object);
  return {
    key,
    node: textOf(object, 'spec', 'nodeName'),
    requested: { cpuCores: requestOf(object, 'cpu'), memoryBytes: requestOf(object, 'memory') },
    cpuBound: cpuBoundOf(object),
    owner: ownerOf(object),
    unschedulableSinceMs: phase === 'Pending' ? unschedulableSince(object) : null,
  };
}

/**
 * What the scheduler reserves: the larger of what runs together and of what is needed at most while it starts, and the overhead of its runtime class.
 * Sidecars (init containers that restart always) run with all that comes after them:
 * `max(Σ containers + Σ sidecars, max over init i of (init_i + Σ sidecars before i)) + overhead` (KEP-753). What is asked of the pod as a
 * whole goes before that (KEP-2837).
 */
function requestOf(object: unknown, resource: string): number {
  const overhead = quantityOf(fieldOf(object, 'spec', 'overhead', resource));
  const whole = fieldOf(object, 'spec', 'resources', 'requests', resource);
  if (whole !== undefined) return quantityOf(whole) + overhead;
  const asked = (container: unknown): number =>
    quantityOf(fieldOf(container, 'resources', 'requests', resource) ?? fieldOf(container, 'resources', 'limits', resource));
  let sidecars = 0;
  let starting = 0;
  for (const container of listOf(object, 'spec', 'initContainers')) {
    if (textOf(container, 'restartPolicy') === 'Always') {
      sidecars += asked(container);
      starting = Math.max(starting, sidecars);
    } else starting = Math.max(starting, sidecars + asked(container));
  }
  let running = sidecars;
  for (const container of listOf(object, 'spec', 'containers')) running += asked(container);
  return Math.max(running, starting) + overhead;
}

function cpuBoundOf(object: unknown): number {
  const sidecars = listOf(object, 'spec', 'initContainers').filter((container) => textOf(container, 'restartPolicy') === 'Always');
  const running = [...sidecars, ...listOf(object, 'spec', 'containers')];
  const sumOf = (kind: 'limits' | 'requests'): number =>
    running.reduce<number>((sum, container) => sum + quantityOf(fieldOf(container, 'resources', kind, 'cpu')), 0);
  const limited = running.length > 0 && running.every((container) => quantityOf(fieldOf(container, 'resources', 'limits', 'cpu')) > 0);
  return limited ? sumOf('limits') : sumOf('requests');
}

/** A Deployment makes ReplicaSets called after itself and the hash of their template; an autoscaler names the Deployment. */
function ownerOf(object: unknown): string {
  const owner = listOf(object, 'metadata', 'ownerReferences').find((reference) => fieldOf(reference, 'controller') === true);
  if (owner === undefined) return '';
  const [kind, name] = [textOf(owner, 'kind'), textOf(owner, 'name')];
  const namespace = textOf(object, 'metadata', 'namespace');
  const hash = textOf(object, 'metadata', 'labels', 'pod-template-hash');
  const isOfDeployment = kind === 'ReplicaSet' && hash !== '' && name.endsWith(`-${hash}`);
  return isOfDeployment ? `${namespace}/Deployment/${name.slice(0, -hash.length - 1)}` : `${namespace}/${kind}/${name}`;
}

function unschedulableSince(object: unknown): number | null {
  const scheduled = conditionOf(object, 'PodScheduled');
  if (textOf(scheduled, 'status') !== 'False' || textOf(scheduled, 'reason') !== 'Unschedulable') return null;
  const sinceMs = Date.parse(textOf(scheduled, 'lastTransitionTime') || textOf(object, 'metadata', 'creationTimestamp'));
  return Number.isNaN(sinceMs) ? null : sinceMs;
}
