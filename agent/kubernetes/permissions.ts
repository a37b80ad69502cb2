// What the agent may do with the API server: one list, of what it reads (`kinds.ts`) and what it writes, from which its roles are made. A test
// compares it with what the agent really asks for.
import { KINDS, READY_PATH } from './kinds.ts';

/** Everywhere: read from all namespaces. Own: in the namespace of the agent. Prescale: on the autoscalers that it may raise. */
export type PermissionScope = 'everywhere' | 'own' | 'prescale';

export interface Permission {
  /** Empty: the core group. */
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
  readonly scope: PermissionScope;
  /** Whether it is of named objects only; making one cannot be, as the name is not part of the question. */
  readonly named: boolean;
}

export const PERMISSIONS: readonly Permission[] = [
  ...Object.values(KINDS).map(({ group, resource, verbs }) => ({ group, resource, verbs, scope: 'everywhere', named: false }) as const),
  { group: 'coordination.k8s.io', resource: 'leases', verbs: ['create'], scope: 'own', named: false },
  { group: 'coordination.k8s.io', resource: 'leases', verbs: ['get', 'update'], scope: 'own', named: true },
  { group: 'autoscaling', resource: 'horizontalpodautoscalers', verbs: ['get', 'patch'], scope: 'prescale', named: true },
];

/** Pages that are no objects. */
export const PAGES: readonly string[] = [READY_PATH];

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** The rules of a Role or ClusterRole of that scope; `names`: of the objects that are named. */
export function rulesOf(scope: PermissionScope, names: readonly string[] = []): readonly PolicyRule[] {
  return PERMISSIONS.filter((one) => one.scope === scope).map(({ group, resource, verbs, named }) => ({
    apiGroups: [group],
    resources: [resource],
    ...(named ? { resourceNames: names } : {}),
    verbs,
  }));
}
