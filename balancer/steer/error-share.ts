// A place that answers worse than the same version elsewhere keeps a part of its share only: gray failure. Pure.
import { ERRORS_MIN_REQUESTS } from './failback.ts';
import { KEPT_FLOOR, keptNext, tellsNews } from './kept-part.ts';
import type { PlanInput, PlanMemory } from './plan-input.ts';
import { targetKey, versionKey, versionsIn, type Observed } from './plan-shape.ts';

/** A smaller excess of errors over those of the other places is taken for chance. */
const LEAST_EXCESS = 0.1;
/** Of each point of excess, so many points of the share go. */
const SLOPE = 2;

/** The part of its share a target keeps, by key; those that keep all of it are not named. */
export function followErrors(input: PlanInput, clusters: PlanMemory['clusters']): Readonly<Record<string, number>> {
  const { observed, previous, nowMs } = input;
  const before = previous?.errors ?? {};
  if (observed === undefined) return before;
  const elapsedMs = previous === null ? 0 : Math.max(0, nowMs - previous.atMs);
  const kept: Record<string, number> = {};
  const known = versionsIn(observed.targets, before);
  for (const service of Object.values(input.services)) {
    for (const version of service.versions) {
      if (version.placements.length < 2 || !known.has(versionKey(service.name, version.name))) continue;
      const keys = version.placements.map(({ cluster }) => targetKey(service.name, version.name, cluster));
      if (!keys.some((key) => (before[key] ?? 1) < 1 || (observed.targets[key]?.errorRatio ?? 0) >= LEAST_EXCESS)) continue;
      for (const [index, key] of keys.entries()) {
        if (!tellsNews(clusters[version.placements[index]?.cluster ?? '']?.failback, nowMs)) continue;
        const part = keptNext(before[key] ?? 1, wanted(key, keys, observed.targets), elapsedMs);
        if (part < 1) kept[key] = part;
      }
    }
  }
  return kept;
}

/** `max(0.1, 1 − 2 × excess)`; 1 where there are too few requests to tell, here or elsewhere. */
function wanted(key: string, keys: readonly string[], targets: Readonly<Record<string, Observed>>): number {
  const own = targets[key];
  if (own === undefined || own.requests < ERRORS_MIN_REQUESTS) return 1;
  let requests = 0;
  let errors = 0;
  for (const other of keys) {
    const peer = targets[other];
    if (other === key || peer === undefined) continue;
    requests += peer.requests;
    errors += peer.requests * peer.errorRatio;
  }
  if (requests < ERRORS_MIN_REQUESTS) return 1;
  const excess = own.errorRatio - errors / requests;
  return excess < LEAST_EXCESS ? 1 : Math.max(KEPT_FLOOR, 1 - SLOPE * excess);
}
