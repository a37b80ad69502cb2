// Names of what an appliance has, for completion: asked of it, or from the news that is on the screen already.
import type { RevisionView, ServiceView } from '../balancer/controller/api/views.ts';
import type { AdminClient } from './client.ts';
import type { NameKind } from './complete.ts';
import { readContexts } from './contexts.ts';
import type { Snapshot } from './dashboard/state.ts';

/** The newest: nobody goes further back without looking. */
const REVISIONS = 20;

export interface NameSources {
  readonly client: AdminClient;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** All but versions, which are those of a service. Rejects when nothing can be asked. */
export async function namesOf(kind: NameKind, { client, env }: NameSources): Promise<readonly string[]> {
  if (kind === 'contexts') return contextNames(env);
  if (kind === 'views') return viewNames(env);
  if (kind === 'versions') return [];
  if (kind === 'revisions')
    return (await client.list<RevisionView>('revisions', { limit: REVISIONS })).items.map(({ revision }) => String(revision));
  const items = (await client.list<{ readonly name?: string; readonly id?: string | number }>(kind)).items;
  return items.flatMap(({ name, id }) => name ?? (id === undefined ? [] : String(id)));
}

export async function versionNames(service: string, client: AdminClient): Promise<readonly string[]> {
  const services = (await client.list<ServiceView>('services')).items;
  return Object.keys(services.find((item) => item.name === service)?.split ?? {});
}

export async function contextNames(env: NameSources['env']): Promise<readonly string[]> {
  return (await readContexts(env))?.contexts.map(({ name }) => name) ?? [];
}

export async function viewNames(env: NameSources['env']): Promise<readonly string[]> {
  return [...(await import('./dashboard/saved-views.ts')).readViews(env).keys()];
}

/** Null: the news does not tell them. */
export function namesOnScreen({ status, extras }: Snapshot, kind: NameKind, service: string): readonly string[] | null {
  switch (kind) {
    case 'clusters':
    case 'services':
      return status[kind].map(({ name }) => name);
    case 'versions':
      return Object.keys(status.services.find(({ name }) => name === service)?.split ?? {});
    case 'approvals':
      return status.approvals.map(({ id }) => id);
    case 'revisions':
      return extras?.revisions.slice(0, REVISIONS).map(({ revision }) => String(revision)) ?? null;
    case 'workers':
    case 'edges':
      return extras?.[kind].map(({ name }) => name) ?? null;
    default:
      return null;
  }
}
