// The roles of the agent, made from the list of what it asks for, and nothing more.
import { PAGES, rulesOf } from '../kubernetes/permissions.ts';
import type { PrescaleTarget } from '../kubernetes/prescale.ts';

export interface RolesSettings {
  /** Of the roles, the service account and the lease. */
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly prescale: readonly PrescaleTarget[];
}

type RoleObject = Readonly<Record<string, unknown>>;

export function rolesOf({ name, namespace, labels, prescale }: RolesSettings): readonly RoleObject[] {
  const subjects = [{ kind: 'ServiceAccount', name, namespace }];
  // Two clusters' agents are never in one cluster, but two namespaces may try it: the namespace keeps their roles apart.
  const everywhere = `${namespace}:${name}`;
  const rules = [...rulesOf('everywhere'), { nonResourceURLs: PAGES, verbs: ['get'] }];
  return [
    { apiVersion: RBAC, kind: 'ClusterRole', metadata: { name: everywhere, labels }, rules },
    {
      apiVersion: RBAC,
      kind: 'ClusterRoleBinding',
      metadata: { name: everywhere, labels },
      roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: everywhere },
      subjects,
    },
    ...pair({ name, namespace, labels, rules: rulesOf('own', [name]), subjects }),
    // One for each, in its own namespace: what may not be changed is in no role.
    ...prescale.flatMap((target) =>
      pair({
        name: `${name}-prescale-${target.name}`,
        namespace: target.namespace,
        labels,
        rules: rulesOf('prescale', [target.name]),
        subjects,
      }),
    ),
  ];
}

const GROUP = 'rbac.authorization.k8s.io';
const RBAC = `${GROUP}/v1`;

interface Pair {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly rules: readonly unknown[];
  readonly subjects: readonly unknown[];
}

function pair({ name, namespace, labels, rules, subjects }: Pair): readonly RoleObject[] {
  const metadata = { name, namespace, labels };
  return [
    { apiVersion: RBAC, kind: 'Role', metadata, rules },
    { apiVersion: RBAC, kind: 'RoleBinding', metadata, roleRef: { apiGroup: GROUP, kind: 'Role', name }, subjects },
  ];
}
