// Which changes are asked about before they are made: those that move most of the traffic, or leave no way back. Pure.
import type { Intent } from '../intent/intent.ts';
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
  return lastButOne(step) ?? muchTraffic(step);
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
