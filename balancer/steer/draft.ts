// A service before capacity is looked at: what the intent gives each place, and how much of it health leaves. Pure.
import { MILLION, type OnUnavailable, type Overload, type ServiceConfig } from '../config/config.ts';
import { apportion } from '../intent/apportion.ts';
import type { ClientRegion } from './client-regions.ts';
import { intendedOf, type Intended, type IntendedTarget, type IntentGround, type Place } from './intended.ts';
import { clusterIntent } from './plan-input.ts';
import { targetKey, type PlanTarget } from './plan-shape.ts';
import { OVERPROVISIONING, panicShares, redistribute, type Redistribution } from './redistribute.ts';

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

export interface Ground extends IntentGround {
  readonly kept: Kept;
  /** Nothing is kept from any target. */
  readonly allKept: boolean;
  readonly ejected: ReadonlySet<string>;
}

/** With `clients` the draft is of their requests alone. */
export function draftService(service: ServiceConfig, ground: Ground, clients: ClientRegion | null): Draft {
  const intended = intendedOf(service, ground, clients);
  const coldStart = isColdStart(service, ground);
  const anyKeys = ground.ejected.size > 0 || !ground.allKept;
  const keyOf = (version: string, cluster: string): string | null => (anyKeys ? targetKey(service.name, version, cluster) : null);
  const within = withinTargets(service, intended, ground);
  const targets = intended.targets.map((target, index): DraftTarget => {
    const { version, cluster, receives } = target;
    const available = receives ? availability(cluster, keyOf(version, cluster), coldStart, ground) : 0;
    const whole = unsolved(target, available);
    return within === null ? whole : { ...whole, ...within[index] };
  });
  const { overload, panicThreshold, policy } = service.steer;
  const { onUnavailable } = service;
  const wish = isPanic(targets, service, panicThreshold) ? panicShares(targets) : wishOf(targets, intended, onUnavailable);
  return { service: service.name, clients, onUnavailable, overload, targets, spills: policy !== 'weighted', wish };
}

const NO_REASONS: PlanTarget['reasons'] = [];

function unsolved({ version, cluster, desired, receives, lastResort, priority, weight }: IntendedTarget, available: number): DraftTarget {
  const [limit, spillAt] = [null, null];
  return {
    version,
    cluster,
    desired,
    effective: 0,
    available,
    receives,
    lastResort,
    priority,
    limit,
    weight,
    spillAt,
    reasons: NO_REASONS,
  };
}

/** By target, of the versions that requests go to whatever the split says; null: there is no such version. */
function withinTargets(service: ServiceConfig, { versions }: Intended, ground: Ground): readonly Pick<PlanTarget, 'within'>[] | null {
  const { assign, mirror } = service;
  if (assign.length === 0 && mirror === null) return null;
  const chosen = new Set([...assign.map(({ to }) => to), ...(mirror === null ? [] : [mirror.to])]);
  return versions.flatMap(({ name, places }) => (chosen.has(name) ? withinShares(service, name, places, ground) : places.map(() => ({}))));
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
function wishOf(targets: readonly PlanTarget[], { desired, total }: Intended, onUnavailable: OnUnavailable): Redistribution {
  const whole = targets.every((target) => target.desired === 0 || (target.available >= 1 && !target.lastResort));
  return whole && total === MILLION ? { effective: desired, lost: 0, panic: false } : redistribute(targets, onUnavailable);
}
