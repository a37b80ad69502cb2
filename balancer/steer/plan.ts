// The one function that turns intent, health, capacity and demand into shares: used live, in previews and in simulation.
import { MILLION, type Config, type PlacementConfig, type ServiceConfig, type VersionConfig } from '../config/config.ts';
import { apportion } from '../intent/apportion.ts';
import type { ClusterIntent, Intent } from '../intent/intent.ts';
import { limitByCapacity, type Draft } from './limits.ts';
import {
  targetKey,
  type CapacityView,
  type DemandView,
  type HealthView,
  type Plan,
  type PlanTarget,
  type ServicePlan,
  type ShareReason,
} from './plan-shape.ts';
import { OVERPROVISIONING, redistribute, type Redistribution } from './redistribute.ts';

export interface PlanInput {
  readonly services: Config['services'];
  readonly clusters: Config['clusters'];
  readonly intent: Intent;
  readonly health: HealthView;
  readonly capacity: CapacityView;
  readonly demand: DemandView;
}

/**
 * Shares of all services together. Desired: the split, times the cluster weights, times the dials, among the clusters that operators
 * leave open. Policy `weighted` goes by weights alone; the others use the lowest priority of a version first, so that places of a
 * higher one stand by (`nearest` has no distance to go by yet and goes by priority). `capacity` also hands on what is above the
 * target utilisation of a cluster. Health, limits and what is lost: see `redistribute()`.
 */
export function plan(input: PlanInput): Plan {
  const drafts = Object.values(input.services).map((service) => draftService(service, input));
  const limited = limitByCapacity(drafts, openCapacity(input), input.demand);
  return {
    services: Object.fromEntries(limited.map((draft) => [draft.service, finish(draft, input)])),
    health: input.health,
  };
}

const OPEN: ClusterIntent = { admin: 'active', dialPercent: 100 };

function clusterIntent(input: PlanInput, cluster: string): ClusterIntent {
  return input.intent.clusters[cluster] ?? OPEN;
}

/** A dial turns down a cluster's capacity with its weight; a last resort that is dialled to 0 has all of it if it comes to that. */
function openCapacity(input: PlanInput): CapacityView {
  return Object.fromEntries(
    Object.entries(input.capacity)
      .filter(([, rps]) => Number.isFinite(rps) && rps >= 0)
      .map(([cluster, rps]) => [cluster, (rps * (clusterIntent(input, cluster).dialPercent || 100)) / 100]),
  );
}

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
}

function draftService(service: ServiceConfig, input: PlanInput): Draft {
  const coldStart = isColdStart(service, input);
  const asked = input.intent.services[service.name];
  const targets = service.versions.flatMap((version) => {
    const share = (asked?.split ?? service.split)[version.name] ?? 0;
    const places = version.placements.map((placement) => place(placement, asked?.clusterWeights[version.name], input));
    const desired = desiredShares(share, places, service.steer.policy === 'weighted');
    const weights = weighIn(share, places, service.steer.policy === 'weighted');
    return places.map((at, index): PlanTarget => {
      const receives = share > 0 && at.weight > 0 && (at.open || at.lastResort);
      return {
        version: version.name,
        cluster: at.cluster,
        desired: desired[index] ?? 0,
        effective: 0,
        available: receives ? availability(service.name, version, at.cluster, { input, coldStart }) : 0,
        receives,
        lastResort: receives && at.lastResort,
        priority: service.steer.policy === 'weighted' ? 0 : at.priority,
        limit: null,
        weight: weights[index] ?? 0,
        reasons: [],
      };
    });
  });
  return { service: service.name, onUnavailable: service.onUnavailable, targets, spills: service.steer.policy === 'capacity' };
}

function place(placement: PlacementConfig, weights: Readonly<Record<string, number>> | undefined, input: PlanInput): Place {
  const { admin, dialPercent } = clusterIntent(input, placement.cluster);
  const open = admin === 'active' && dialPercent > 0;
  const weight = weights === undefined ? placement.weight : (weights[placement.cluster] ?? 0);
  return {
    cluster: placement.cluster,
    priority: placement.priority,
    // What is closed counts whole: its dial is what closed it, or says nothing while it is drained.
    weight: open ? (weight * dialPercent) / 100 : weight,
    open,
    lastResort: !open && admin !== 'maintenance' && (input.clusters[placement.cluster]?.lastResort ?? false),
  };
}

/**
 * The version's share among its open places of the lowest priority. A version whose every place is closed keeps its share on them:
 * where it goes from there is `onUnavailable`, not intent.
 */
function desiredShares(share: number, places: readonly Place[], flat: boolean): readonly number[] {
  const anyOpen = places.some(({ open, weight }) => open && weight > 0);
  const eligible = places.map(({ open, weight }) => (open || !anyOpen ? weight : 0));
  const lowest = Math.min(...places.filter((_, index) => (eligible[index] ?? 0) > 0).map(({ priority }) => priority));
  return apportion(
    share,
    eligible.map((weight, index) => (flat || places[index]?.priority === lowest ? weight : 0)),
  );
}

/** What each place would have if its priority were the only one: by this it receives. */
function weighIn(share: number, places: readonly Place[], flat: boolean): readonly number[] {
  return places.map((at) => {
    const peers = places.filter(({ priority, open }) => (flat || priority === at.priority) && open === at.open);
    const total = peers.reduce((sum, { weight }) => sum + weight, 0);
    return total === 0 ? 0 : (share * at.weight) / total;
  });
}

/** No cluster of the service was checked yet: the appliance has just started, and waiting for a first check would be an outage. */
function isColdStart(service: ServiceConfig, input: PlanInput): boolean {
  return service.versions.every(({ placements }) =>
    placements.every(({ cluster }) => clusterIntent(input, cluster).admin === 'maintenance' || clusterFraction(cluster, input) === null),
  );
}

interface Measured {
  readonly input: PlanInput;
  readonly coldStart: boolean;
}

function availability(service: string, version: VersionConfig, cluster: string, { input, coldStart }: Measured): number {
  if (input.health.ejectedTargets.includes(targetKey(service, version.name, cluster))) return 0;
  const fraction = clusterFraction(cluster, input);
  if (fraction === null) return coldStart ? 1 : 0;
  return Math.min(1, OVERPROVISIONING * fraction);
}

/** 0 to 1: the healthy part of the endpoints that were checked; null: nothing is known yet. A cluster without a probe is up until traffic says otherwise. */
function clusterFraction(cluster: string, input: PlanInput): number | null {
  const health = input.health.clusters[cluster];
  const unprobed = input.clusters[cluster]?.health === null;
  if (health === undefined || health.state === 'unknown') return unprobed ? 1 : null;
  if (health.state === 'down') return 0;
  const checked = health.endpoints.filter(({ state }) => state !== 'unknown');
  if (checked.length === 0) return 1;
  return checked.filter(({ state }) => state !== 'down').length / checked.length;
}

function finish(draft: Draft, input: PlanInput): ServicePlan {
  const result = redistribute(draft.targets, draft.onUnavailable);
  const targets = draft.targets.map((target, index) => {
    const effective = result.effective[index] ?? 0;
    return { ...target, effective, reasons: reasonsOf({ ...target, effective }, { draft, result, input }) };
  });
  const placed = targets.reduce((sum, { effective }) => sum + effective, 0);
  return { service: draft.service, onUnavailable: draft.onUnavailable, targets, lost: MILLION - placed };
}

interface Ground {
  readonly draft: Draft;
  readonly result: Redistribution;
  readonly input: PlanInput;
}

/** Why a target has the share it has, the layer that decided first: operator, panic or hold, capacity, health, intent. */
function reasonsOf(target: PlanTarget, { draft, result, input }: Ground): readonly ShareReason[] {
  const { admin, dialPercent } = clusterIntent(input, target.cluster);
  if (admin === 'maintenance') return ['maintenance'];
  const reasons: ShareReason[] = [];
  const { desired, effective, receives } = target;
  if (admin === 'drain') reasons.push('drain');
  else if (dialPercent === 0) reasons.push('dial');
  if (receives && target.available === 0) {
    if (effective > 0) reasons.push(result.panic ? 'panic' : 'held');
    reasons.push(
      input.health.ejectedTargets.includes(targetKey(draft.service, target.version, target.cluster)) ? 'target_ejected' : 'cluster_down',
    );
  } else if (effective > desired) {
    reasons.push(...(atLimit(target) ? (['capacity', 'redistributed'] as const) : (['redistributed'] as const)));
  } else if (effective < desired) {
    reasons.push(atLimit(target) ? 'capacity' : 'redistributed');
  } else if (receives && desired === 0) {
    reasons.push('standby');
  }
  if (admin === 'active' && dialPercent > 0 && dialPercent < 100) reasons.push('dial');
  return reasons.length === 0 ? ['intent'] : reasons;
}

/** A limit or the target utilisation is what its share ends at. */
function atLimit({ effective, limit, spillAt }: PlanTarget): boolean {
  return effective === limit || (spillAt !== undefined && spillAt !== null && effective === spillAt);
}
