// Tiers by distance: a place in the region of the host or of its clients before one that is far, within the priorities of the file. Pure.
import type { Config, PlacementConfig } from '../config/config.ts';
import type { RegionDistances } from '../config/region-config.ts';

export interface Geography {
  readonly clusters: Config['clusters'];
  /** Of the host, or of its clients. Null: nowhere in particular, and only priorities count. */
  readonly from: string | null;
  readonly regions: RegionDistances;
}

/** Infinite where the table says nothing; one direction of it is enough, the shorter of two counts. */
export function distanceBetween(from: string, to: string | null, regions: RegionDistances): number {
  if (to === null) return Infinity;
  if (from === to) return 0;
  return Math.min(regions[from]?.[to] ?? Infinity, regions[to]?.[from] ?? Infinity);
}

/** The tier of each placement, from 0: by priority, and among equal priorities by distance. */
export function tiersByDistance(placements: readonly PlacementConfig[], { clusters, from, regions }: Geography): readonly number[] {
  const keys = placements.map(({ cluster, priority }) => {
    const distance = from === null ? 0 : distanceBetween(from, clusters[cluster]?.region ?? null, regions);
    return { priority, distance };
  });
  const isBefore = (a: (typeof keys)[number], b: (typeof keys)[number]): boolean =>
    a.priority < b.priority || (a.priority === b.priority && a.distance < b.distance);
  return keys.map((key) => {
    const before = keys.filter((other) => isBefore(other, key));
    return new Set(before.map(({ priority, distance }) => `${priority}/${distance}`)).size;
  });
}
