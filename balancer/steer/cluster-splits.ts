// Clusters in which a service is split otherwise than elsewhere, as the waves of a rollout make them. What each cluster gets is not touched. Pure.
import { apportion } from '../intent/apportion.ts';
import type { ClusterSplits } from '../intent/intent.ts';

/** What is written to while shares are worked out. */
export interface DividedPlace {
  readonly version: string;
  readonly cluster: string;
  desired: number;
  weight: number;
}

/** Millionths by which a version has requests in a cluster. */
export function shareIn(
  splits: ClusterSplits | undefined,
  cluster: string,
  version: { readonly name: string; readonly share: number },
): number {
  const own = splits?.[cluster];
  return own === undefined ? version.share : (own[version.name] ?? 0);
}

/** What the places of such a cluster have together, and what they are weighed by, is divided by its own split. */
export function splitWithinClusters(targets: readonly DividedPlace[], splits: ClusterSplits): void {
  for (const [cluster, split] of Object.entries(splits)) {
    const places = targets.filter((target) => target.cluster === cluster);
    const parts = places.map(({ version }) => split[version] ?? 0);
    const all = parts.reduce((sum, part) => sum + part, 0);
    // A cluster whose versions have left the file is split as the others are.
    if (all === 0) continue;
    const desired = apportion(
      sumOf(places, (place) => place.desired),
      parts,
    );
    const weight = sumOf(places, (place) => place.weight);
    for (const [index, place] of places.entries()) {
      place.desired = desired[index] ?? 0;
      place.weight = (weight * (parts[index] ?? 0)) / all;
    }
  }
}

function sumOf(places: readonly DividedPlace[], amount: (place: DividedPlace) => number): number {
  return places.reduce((sum, place) => sum + amount(place), 0);
}
