// What is kept of a node: what it can hold, whether it is well, and whether new pods may come.
import { conditionOf, fieldOf, flagOf, listOf, textOf } from './read-json.ts';
import { quantityOf } from './quantity.ts';

export interface NodeFacts {
  readonly name: string;
  readonly ready: boolean;
  /** Ready, and short of memory, disk or processes. */
  readonly pressed: boolean;
  /** Ready, not cordoned, without a taint that keeps ordinary pods out, and not pressed. A cordoned node still serves what runs on it. */
  readonly schedulable: boolean;
  readonly cpuCores: number;
  readonly memoryBytes: number;
  /** The most pods it takes. */
  readonly pods: number;
  /** Addresses in the order they are told. */
  readonly internalAddresses: readonly string[];
  readonly externalAddresses: readonly string[];
  /** Its provider's load balancers must not send to it. */
  readonly isExcluded: boolean;
}

const PRESSURES = ['MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;
const KEEPS_OUT: ReadonlySet<string> = new Set(['NoSchedule', 'NoExecute']);
/** KEP-1143: nodes that are not to be targets of load balancers. */
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';

/** Of a `v1` Node. */
export function nodeFacts(object: unknown): NodeFacts {
  const isTrue = (type: string): boolean => textOf(conditionOf(object, type), 'status') === 'True';
  const ready = isTrue('Ready');
  const pressed = ready && PRESSURES.some(isTrue);
  const cordoned = flagOf(object, 'spec', 'unschedulable') === true;
  const tainted = listOf(object, 'spec', 'taints').some((taint) => KEEPS_OUT.has(textOf(taint, 'effect')));
  const allocatable = fieldOf(object, 'status', 'allocatable');
  return {
    name: textOf(object, 'metadata', 'name'),
    ready,
    pressed,
    schedulable: ready && !pressed && !cordoned && !tainted,
    cpuCores: quantityOf(fieldOf(allocatable, 'cpu')),
    memoryBytes: quantityOf(fieldOf(allocatable, 'memory')),
    pods: quantityOf(fieldOf(allocatable, 'pods')),
    internalAddresses: addressesOf(object, 'InternalIP'),
    externalAddresses: addressesOf(object, 'ExternalIP'),
    isExcluded: fieldOf(object, 'metadata', 'labels', EXCLUDED) !== undefined,
  };
}

function addressesOf(object: unknown, type: string): readonly string[] {
  return listOf(object, 'status', 'addresses').flatMap((address) => (textOf(address, 'type') === type ? [textOf(address, 'address')] : []));
}
