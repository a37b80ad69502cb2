// Which changes are asked about before they are made: those that move most of the traffic, or leave no way back. Pure.
import { sameJson } from '../config/canonical-json.ts';
import type { Intent } from '../intent/intent.ts';
import { isActive } from '../intent/rollout.ts';
import type { ClusterShare } from './cluster-shares.ts';

/** More of all requests than this leaving one cluster is asked about. */
const MUCH = 0.5;

export interface Step {
  readonly before: Intent;
  readonly after: Intent;
  readonly sharesBefore: ReadonlyMap<string, ClusterShare>;
  readonly sharesAfter: ReadonlyMap<string, ClusterShare>;
}

/** The question; null: nothing to ask. */
export function questionBefore(step: Step): string | null {
  return endOfRollout(step) ?? lastButOne(step) ?? muchTraffic(step) ?? wholePurge(step);
}

/** Somebody sets the split by hand while a rollout holds it. */
function endOfRollout({ before, after }: Step): string | null {
  for (const [service, { rollout }] of Object.entries(before.services)) {
    const then = after.services[service];
    if (!isActive(rollout) || then?.rollout?.phase !== 'aborted' || sameJson(then.split, rollout.from)) continue;
    return `a rollout of ${service} to ${rollout.to} is ${rollout.phase}, and this would end it. Go on?`;
  }
  return null;
}

function muchTraffic({ sharesBefore, sharesAfter }: Step): string | null {
  for (const [cluster, { effective }] of sharesBefore) {
    const left = sharesAfter.get(cluster)?.effective ?? 0;
    // Shares are millionths; what is smaller than one is the sum's rounding.
    if (effective - left > MUCH + 1e-9) {
      return `${cluster} takes ${percent(effective)} of all requests now and would take ${percent(left)}. Go on?`;
    }
  }
  return null;
}

/** Every request for it goes to the service then, all at once. */
function wholePurge({ before, after }: Step): string | null {
  for (const [id, { route, urls, prefixes, tags, soft }] of Object.entries(after.purges ?? {})) {
    if (before.purges?.[id] !== undefined || soft || urls.length + prefixes.length + tags.length > 0) continue;
    const whose = route === null ? 'all routes have' : `route ${route} has`;
    return `everything that ${whose} stored would be dropped, and is asked of the service again. Go on?`;
  }
  return null;
}

function lastButOne({ before, after }: Step): string | null {
  const open = openClusters(after);
  if (open.length !== 1 || openClusters(before).length < 2) return null;
  return `only ${open.join('')} would be left to take requests: if it fails, nothing is. Go on?`;
}

function openClusters({ clusters }: Intent): readonly string[] {
  return Object.entries(clusters).flatMap(([name, { admin, dialPercent }]) => (admin === 'active' && dialPercent > 0 ? [name] : []));
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
