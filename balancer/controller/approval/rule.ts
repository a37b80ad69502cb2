// Which changes take two people, and who is a second one.
import type { Config } from '../../config/config.ts';
import { sameJson } from '../../config/canonical-json.ts';
import type { Change, TouchedField } from '../../intent/intent.ts';
import type { Caller } from '../appliance.ts';

export const APPROVAL_RULE = 'safety.approval';

/** The services of the rule that are changed by these fields: their own, or those of a cluster that they run in. */
export function servicesTouched(touched: readonly TouchedField[], { safety, services }: Config): readonly string[] {
  return safety.approval.services.filter((name) =>
    touched.some(({ path: [part, whose] }) => {
      if (part === 'services') return whose === name;
      return part === 'clusters' && clustersOf(services[name]).has(whose ?? '');
    }),
  );
}

/** The services of the rule in force that another config treats otherwise: they, their clusters or routes, or the rule itself. */
export function servicesReconfigured(before: Config, after: Config): readonly string[] {
  const named = before.safety.approval.services;
  if (!sameJson(before.safety.approval, after.safety.approval)) return named;
  return named.filter((name) => !sameJson(partOf(before, name), partOf(after, name)));
}

/** What stops something, or takes it back to what was approved, does not wait. */
export function mayNotWait(change: Change): boolean {
  return change.kind === 'rollout' && (change.action === 'pause' || change.action === 'abort');
}

/** Why the caller is no second person; null: it is one. */
export function notSecond(first: Caller, { person }: Caller, id: string): string | null {
  if (person === undefined)
    return (
      `who calls over the unix socket gives itself its name, and is nobody's second person (rule ${APPROVAL_RULE}); approve with a token: ` +
      `WEIR_TOKEN_FILE=FILE weir --server https://HOST:PORT approve ${id}`
    );
  if (person === (first.person ?? first.author.name))
    return `${person} has asked for it, and somebody else has to approve (rule ${APPROVAL_RULE}); weir reject ${id} takes it back`;
  return null;
}

function clustersOf(service: Config['services'][string] | undefined): ReadonlySet<string> {
  return new Set(service?.versions.flatMap(({ placements }) => placements.map(({ cluster }) => cluster)));
}

function partOf({ services, clusters, routes }: Config, name: string): unknown {
  const service = services[name];
  return {
    service: service ?? null,
    clusters: [...clustersOf(service)].map((cluster) => clusters[cluster] ?? null),
    routes: routes.filter((route) => route.service === name),
  };
}
