// A service before capacity is looked at: what the intent gives each place, and how much of it health leaves. Pure.
import {
  MILLION,
  type OnUnavailable,
  type Overload,
  type PlacementConfig,
  type ServiceConfig,
  type VersionConfig,
} from '../config/config.ts';
import { apportion } from '../intent/apportion.ts';
import { shareIn, splitWithinClusters } from './cluster-splits.ts';
import { tiersByDistance } from './nearest.ts';
import { clusterIntent, type PlanInput } from './plan-input.ts';
import { targetKey, UNKNOWN_REGION, type PlanTarget } from './plan-shape.ts';
import type { ClientRegion } from './client-regions.ts';
import { OVERPROVISIONING, panicShares, redistribute, type Redistribution } from './redistribute.ts';
import type { Standing } from './standing.ts';

export type DraftTarget = { -readonly [K in keyof PlanTarget]: PlanTarget[K] };

export interface Draft {
  readonly service: string;
  /** Null: of all requests of the service. */
  readonly clients: ClientRegion | null;
  readonly onUnavailable: OnUnavailable;
  readonly overload: Overload;
  /** Made for one plan alone, which writes the shares into them at its end. */
  readonly targets: readonly DraftTarget[];
  /** Any policy but `weighted`: hands on what is above the target utilisation. */
  readonly spills: boolean;
  /** Where its requests would go if nothing had a limit. */
  readonly wish: Redistribution;
}

/** The part of its share a target keeps, by key and by what it answers for; absent: all of it. */
export interface Kept {
  readonly errors: Readonly<Record<string, number>>;
  readonly slow: Readonly<Record<string, number>>;
}

export interface Ground {
  readonly input: PlanInput;
  readonly standings: Readonly<Record<string, Standing>>;
  readonly kept: Kept;
  /** Nothing is kept from any target. */
  readonly allKept: boolean;
  readonly ejected: ReadonlySet<string>;
}

/** With `clients` the draft is of their requests alone. */
export function draftService(service: ServiceConfig, ground: Ground, clients: ClientRegion | null): Draft {
  const { input } = ground;
  const asked = input.intent.services[service.name];
  const clusterSplits = asked?.clusterSplits;
  const flat = service.steer.policy === 'weighted';
  const coldStart = isColdStart(service, ground);
  const anyKeys = ground.ejected.size > 0 || !ground.allKept;
  const keyOf = (version: string, cluster: string): string | null => (anyKeys ? targetKey(service.name, version, cluster) : null);
  const targets: DraftTarget[] = [];
  const chosen = chosenVersions(service);
  for (const version of service.versions) {
    const share = (asked?.split ?? service.split)[version.name] ?? 0;
    const tiers = tiersOf(service, version, ground, clients);
    const places = placesOf(version, tiers, asked?.clusterWeights[version.name], ground);
    const desired = desiredShares(share, places, flat);
    const weights = weighIn(share, places, flat);
    const within = chosen.has(version.name) ? withinShares(service, version.name, places, ground) : NOTHING_WITHIN;
    for (const [index, at] of places.entries()) {
      const receives =
        shareIn(clusterSplits, at.cluster, { name: version.name, share }) > 0 && at.weight > 0 && (at.open || at.lastResort) && !at.waiting;
      targets.push({
        version: version.name,
        cluster: at.cluster,
        desired: desired[index] ?? 0,
        effective: 0,
        available: receives ? availability(at.cluster, keyOf(version.name, at.cluster), coldStart, ground) : 0,
        receives,
        lastResort: receives && (at.lastResort || at.held),
        priority: flat ? 0 : at.priority,
        limit: null,
        weight: weights[index] ?? 0,
        spillAt: null,
        ...within[index],
        reasons: NO_REASONS,
      });
    }
  }
  if (clusterSplits !== undefined) splitWithinClusters(targets, clusterSplits);
  const { overload, panicThreshold } = service.steer;
  const { onUnavailable } = service;
  const wish = isPanic(targets, service, panicThreshold) ? panicShares(targets) : wishOf(targets, onUnavailable);
  return { service: service.name, clients, onUnavailable, overload, targets, spills: !flat, wish };
}

const NO_REASONS: PlanTarget['reasons'] = [];

/** A (version, cluster) before the shares of its version are worked out. */
interface Place {
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
  { input }: Ground,
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
  { input, standings }: Ground,
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

const NOTHING_WITHIN: readonly Pick<PlanTarget, 'within'>[] = [];
const NONE_CHOSEN: ReadonlySet<string> = new Set();

/** The versions that requests go to whatever the split says. */
function chosenVersions({ assign, mirror }: ServiceConfig): ReadonlySet<string> {
  if (assign.length === 0 && mirror === null) return NONE_CHOSEN;
  return new Set([...assign.map(({ to }) => to), ...(mirror === null ? [] : [mirror.to])]);
}

/** Where such requests go: by weight, dial and health among the open places of the lowest priority that has any. All 0: nowhere. */
function withinShares(
  service: ServiceConfig,
  version: string,
  places: readonly Place[],
  ground: Ground,
): readonly Pick<PlanTarget, 'within'>[] {
  const coldStart = isColdStart(service, ground);
  const parts = places.map(({ cluster, weight, open, waiting, held }) =>
    open && !waiting && !held ? weight * availability(cluster, targetKey(service.name, version, cluster), coldStart, ground) : 0,
  );
  let lowest = Infinity;
  if (service.steer.policy !== 'weighted')
    for (const [index, { priority }] of places.entries()) if ((parts[index] ?? 0) > 0) lowest = Math.min(lowest, priority);
  const own = parts.map((part, index) => ((places[index]?.priority ?? 0) <= lowest ? part : 0));
  return apportion(MILLION, own).map((within) => ({ within }));
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

/** No cluster of the service was checked yet: the appliance has just started, and waiting for a first check would be an outage. */
function isColdStart(service: ServiceConfig, { input, standings }: Ground): boolean {
  return service.versions.every(({ placements }) =>
    placements.every(
      ({ cluster }) => clusterIntent(input, cluster).admin === 'maintenance' || (standings[cluster]?.fraction ?? null) === null,
    ),
  );
}

/** `key` is null while nothing is known of any target: then no key has to be made for each of them. */
function availability(cluster: string, key: string | null, coldStart: boolean, { standings, kept, ejected }: Ground): number {
  if (key !== null && ejected.has(key)) return 0;
  const standing = standings[cluster];
  if (standing === undefined || standing.fraction === null) return coldStart ? 1 : 0;
  return key === null ? standing.available : standing.available * Math.min(kept.errors[key] ?? 1, kept.slow[key] ?? 1);
}

/**
 * Less of the service than its threshold is healthy, and the rest cannot be taken to carry all (in Envoy's words, the healths of all
 * levels are below 100 %): then the verdict is doubted rather than the clusters.
 */
function isPanic(targets: readonly PlanTarget[], { onUnavailable }: ServiceConfig, threshold: number): boolean {
  if (threshold === 0 || onUnavailable !== 'redistribute') return false;
  const tiers = new Map<number, { all: number; healthy: number }>();
  let all = 0;
  let healthy = 0;
  for (const target of targets) {
    if (!target.receives || target.lastResort) continue;
    const weight = target.weight ?? target.desired;
    const tier = tiers.get(target.priority) ?? { all: 0, healthy: 0 };
    const part = weight * (target.available >= 1 ? 1 : target.available / OVERPROVISIONING);
    tier.all += weight;
    tier.healthy += part;
    tiers.set(target.priority, tier);
    all += weight;
    healthy += part;
  }
  let total = 0;
  for (const tier of tiers.values()) total += tier.all === 0 ? 0 : Math.min(1, (OVERPROVISIONING * tier.healthy) / tier.all);
  return all > 0 && total < 1 && healthy < threshold * all;
}

/** Most services are whole most of the time: then they have what they desire. */
function wishOf(targets: readonly PlanTarget[], onUnavailable: OnUnavailable): Redistribution {
  const whole = targets.every(({ desired, available, lastResort }) => desired === 0 || (available >= 1 && !lastResort));
  if (!whole || targets.reduce((sum, { desired }) => sum + desired, 0) !== MILLION) return redistribute(targets, onUnavailable);
  return { effective: targets.map(({ desired }) => desired), lost: 0, panic: false };
}
