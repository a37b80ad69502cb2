// What the intent gives each place of a service, before its health: worked out again only where something of it changed. Pure in what it answers.
import type { PlacementConfig, ServiceConfig, VersionConfig } from '../config/config.ts';
import { apportion } from '../intent/apportion.ts';
import type { ClientRegion } from './client-regions.ts';
import { shareIn, splitWithinClusters } from './cluster-splits.ts';
import { tiersByDistance } from './nearest.ts';
import { clusterIntent, type PlanInput } from './plan-input.ts';
import { UNKNOWN_REGION } from './plan-shape.ts';
import type { Standing } from './standing.ts';

/** One (version, cluster) of a service as `PlanTarget` has it, without what health and capacity make of it. */
export interface IntendedTarget {
  readonly version: string;
  readonly cluster: string;
  readonly desired: number;
  readonly receives: boolean;
  readonly lastResort: boolean;
  readonly priority: number;
  readonly weight: number;
}

export interface Intended {
  readonly targets: readonly IntendedTarget[];
  /** Millionths by target, and their sum. */
  readonly desired: readonly number[];
  readonly total: number;
  readonly versions: readonly { readonly name: string; readonly places: readonly Place[] }[];
}

export interface IntentGround {
  readonly input: PlanInput;
  readonly standings: Readonly<Record<string, Standing>>;
  /** Clusters that do not come back by themselves yet, as `heldBack()` names them. */
  readonly heldBack: string;
}

/** All that what is intended follows from, besides the service of the file and the region of clients. */
type Sources = readonly unknown[];

interface Remembered {
  readonly sources: Sources;
  readonly intended: Intended;
}

/**
 * Config and intent are values that are never written to, so what followed from them still does while they are the same ones. The last
 * answer is kept for each service of a config; who plans for others beside it, such as a preview, pays for working them out.
 */
const remembered = new WeakMap<ServiceConfig, Map<string | null, Remembered>>();

/** With `clients` it is of their requests alone. */
export function intendedOf(service: ServiceConfig, ground: IntentGround, clients: ClientRegion | null): Intended {
  const { intent, clusters, hostRegion, regions } = ground.input;
  const sources = [intent.services[service.name], intent.clusters, clusters, hostRegion, regions, ground.heldBack];
  const byRegion = remembered.get(service) ?? new Map<string | null, Remembered>();
  const region = clients?.region ?? null;
  const known = byRegion.get(region);
  if (known !== undefined && sources.every((source, index) => source === known.sources[index])) return known.intended;
  const intended = workOut(service, ground, clients);
  remembered.set(service, byRegion.set(region, { sources, intended }));
  return intended;
}

/** The clusters that are held, or wait for an operator: all that the intended shares take from how clusters stand. */
export function heldBack(standings: Readonly<Record<string, Standing>>): string {
  let names = '';
  for (const cluster in standings) {
    const { failback } = standings[cluster] ?? {};
    if (failback === 'held' || failback === 'waiting') names += `${cluster}=${failback} `;
  }
  return names;
}

function workOut(service: ServiceConfig, ground: IntentGround, clients: ClientRegion | null): Intended {
  const asked = ground.input.intent.services[service.name];
  const clusterSplits = asked?.clusterSplits;
  const flat = service.steer.policy === 'weighted';
  const targets: { -readonly [K in keyof IntendedTarget]: IntendedTarget[K] }[] = [];
  const versions = service.versions.map((version) => {
    const share = (asked?.split ?? service.split)[version.name] ?? 0;
    const tiers = tiersOf(service, version, ground, clients);
    const places = placesOf(version, tiers, asked?.clusterWeights[version.name], ground);
    const desired = desiredShares(share, places, flat);
    const weights = weighIn(share, places, flat);
    for (const [index, at] of places.entries()) {
      const asks = shareIn(clusterSplits, at.cluster, { name: version.name, share }) > 0 && at.weight > 0;
      const receives = asks && (at.open || at.lastResort) && !at.waiting;
      targets.push({
        version: version.name,
        cluster: at.cluster,
        desired: desired[index] ?? 0,
        receives,
        lastResort: receives && (at.lastResort || at.held),
        priority: flat ? 0 : at.priority,
        weight: weights[index] ?? 0,
      });
    }
    return { name: version.name, places };
  });
  if (clusterSplits !== undefined) splitWithinClusters(targets, clusterSplits);
  const desired = targets.map((target) => target.desired);
  return { targets, desired, total: desired.reduce((sum, share) => sum + share, 0), versions };
}

/** A (version, cluster) before the shares of its version are worked out. */
export interface Place {
  readonly cluster: string;
  readonly priority: number;
  /** Relative within the version, dial included. */
  readonly weight: number;
  /** Active and not dialled to 0. */
  readonly open: boolean;
  /** Closed, but open before anything is lost. */
  readonly lastResort: boolean;
  /** Up again after flapping, and used before anything is lost. */
  readonly held: boolean;
  /** Up again, and an operator has to say so. */
  readonly waiting: boolean;
}

/** Null: those of the file. */
function tiersOf(
  { steer }: ServiceConfig,
  { placements }: VersionConfig,
  { input }: IntentGround,
  clients: ClientRegion | null,
): readonly number[] | null {
  if (steer.policy !== 'nearest') return null;
  const { clusters, hostRegion = null, regions = {} } = input;
  const from = clients === null || clients.region === UNKNOWN_REGION ? hostRegion : clients.region;
  return tiersByDistance(placements, { clusters, from, regions });
}

function placesOf(
  version: VersionConfig,
  tiers: readonly number[] | null,
  weights: Readonly<Record<string, number>> | undefined,
  { input, standings }: IntentGround,
): readonly Place[] {
  return version.placements.map((placement, index) => {
    const { admin, dialPercent } = clusterIntent(input, placement.cluster);
    const open = admin === 'active' && dialPercent > 0;
    const weight = weightOf(placement, weights);
    const failback = standings[placement.cluster]?.failback;
    return {
      cluster: placement.cluster,
      priority: tiers?.[index] ?? placement.priority,
      // What is closed counts whole: its dial is what closed it, or says nothing while it is drained.
      weight: open ? (weight * dialPercent) / 100 : weight,
      open,
      lastResort: !open && admin !== 'maintenance' && (input.clusters[placement.cluster]?.lastResort ?? false),
      held: failback === 'held',
      waiting: failback === 'waiting',
    };
  });
}

function weightOf(placement: PlacementConfig, weights: Readonly<Record<string, number>> | undefined): number {
  return weights === undefined ? placement.weight : (weights[placement.cluster] ?? 0);
}

/**
 * The version's share among its open places of the lowest priority. A version whose every place is closed keeps its share on them:
 * where it goes from there is `onUnavailable`, not intent.
 */
function desiredShares(share: number, places: readonly Place[], flat: boolean): readonly number[] {
  const anyOpen = places.some(({ open, weight }) => open && weight > 0);
  const eligible = places.map(({ open, weight }) => (open || !anyOpen ? weight : 0));
  let lowest = Infinity;
  for (const [index, { priority }] of places.entries()) if ((eligible[index] ?? 0) > 0) lowest = Math.min(lowest, priority);
  return apportion(
    share,
    eligible.map((weight, index) => (flat || places[index]?.priority === lowest ? weight : 0)),
  );
}

/** What each place would have if its priority were the only one: by this it receives. */
function weighIn(share: number, places: readonly Place[], flat: boolean): readonly number[] {
  // Tiers are small whole numbers; what is closed has a tier of its own beside each.
  const totals: number[] = [];
  const tierOf = ({ priority, open }: Place): number => 2 * (flat ? 0 : priority) + (open ? 1 : 0);
  for (const at of places) totals[tierOf(at)] = (totals[tierOf(at)] ?? 0) + at.weight;
  return places.map((at) => {
    const total = totals[tierOf(at)] ?? 0;
    return total === 0 ? 0 : (share * at.weight) / total;
  });
}
