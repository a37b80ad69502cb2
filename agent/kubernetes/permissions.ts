// What the agent may do with the API server: one list, from which its roles are made. A test compares it with what the agent really asks for.

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

const WATCH = { verbs: ['list', 'watch'], scope: 'everywhere', named: false } as const;
const LIST = { verbs: ['list'], scope: 'everywhere', named: false } as const;

export const PERMISSIONS: readonly Permission[] = [
  { ...WATCH, group: '', resource: 'nodes' },
  { ...WATCH, group: '', resource: 'pods' },
  { ...WATCH, group: '', resource: 'services' },
  { ...WATCH, group: 'discovery.k8s.io', resource: 'endpointslices' },
  { ...WATCH, group: 'autoscaling', resource: 'horizontalpodautoscalers' },
  { ...LIST, group: 'metrics.k8s.io', resource: 'pods' },
  { ...LIST, group: 'metrics.k8s.io', resource: 'nodes' },
  { group: 'coordination.k8s.io', resource: 'leases', verbs: ['create'], scope: 'own', named: false },
  { group: 'coordination.k8s.io', resource: 'leases', verbs: ['get', 'update'], scope: 'own', named: true },
  { group: 'autoscaling', resource: 'horizontalpodautoscalers', verbs: ['get', 'patch'], scope: 'prescale', named: true },
];

/** Pages that are no objects. */
export const PAGES: readonly string[] = ['/readyz'];

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
