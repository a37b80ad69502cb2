// What a plan is made from, and what it remembers: an explicit value that goes in and comes out, so that the same input gives the same plan.
import type { Config } from '../config/config.ts';
import type { RegionDistances } from '../config/region-config.ts';
import type { ClusterIntent, Intent } from '../intent/intent.ts';
import type { CapacityMemory } from './capacity.ts';
import type { FailbackMemory } from './failback.ts';
import type { Slowness } from './slow-share.ts';
import type { CapacityView, ClassDemandView, DemandView, HealthView, ObservedView, RegionDemandView, ServicePlan } from './plan-shape.ts';

export interface PlanFacts {
  readonly services: Config['services'];
  readonly clusters: Config['clusters'];
  readonly intent: Intent;
  readonly health: HealthView;
  readonly capacity: CapacityView;
  readonly demand: DemandView;
  /** Requests per second that clusters get before any split: what is left of their capacity is there for the shares. */
  readonly assigned?: Readonly<Record<string, number>>;
  readonly classDemand?: ClassDemandView;
  readonly observed?: ObservedView;
  /** Where this host is, and how far from there it is to other regions. */
  readonly hostRegion?: string | null;
  readonly regions?: RegionDistances;
  /** The regions that clients are told to be in, for `nearest`; absent or empty: all are where the host is. */
  readonly clientRegions?: readonly string[];
  readonly regionDemand?: RegionDemandView;
  /** Milliseconds since 1970: where what is on its way is. Absent: it has arrived. */
  readonly wallMs?: number;
}

export interface PlanInput extends PlanFacts {
  /** What the plan before remembered; null: there was none. */
  readonly previous: PlanMemory | null;
  /** Monotonic. */
  readonly nowMs: number;
}

export interface ClusterMemory {
  readonly failback: FailbackMemory;
  /** Null: a controller before knew it. */
  readonly capacity: CapacityMemory | null;
}

export interface PlanMemory {
  readonly atMs: number;
  readonly clusters: Readonly<Record<string, ClusterMemory>>;
  /** The part of its share a target kept for its errors, by `targetKey`; absent: all of it. */
  readonly errors: Readonly<Record<string, number>>;
  /** How long answers of a target usually take, and what it kept for being slower, by `targetKey`. */
  readonly slowness: Readonly<Record<string, Slowness>>;
  /** The shares that were given. */
  readonly services: Readonly<Record<string, ServicePlan>>;
}

const OPEN: ClusterIntent = { admin: 'active', dialPercent: 100 };

export function clusterIntent({ intent }: PlanFacts, cluster: string): ClusterIntent {
  return intent.clusters[cluster] ?? OPEN;
}
