// How much of a cluster each target may take, when its capacity is known: all services together never get more than there is.
import { MILLION, type OnUnavailable } from '../config/config.ts';
import type { CapacityView, DemandView, PlanTarget } from './plan-shape.ts';
import { redistribute } from './redistribute.ts';

/** Above this part of its capacity a cluster hands on what it can, so that a burst or another failure still finds room. */
export const TARGET_UTILISATION = 0.8;

/** A service as far as it is worked out: targets without limits yet. */
export interface Draft {
  readonly service: string;
  readonly onUnavailable: OnUnavailable;
  readonly targets: readonly PlanTarget[];
  /** Policy `capacity`: hands on what is above the target utilisation. */
  readonly spills: boolean;
}

/** Requests per second of a target. */
interface Load {
  readonly key: string;
  readonly cluster: string;
  /** What it would get if nothing had a limit. */
  readonly wish: number;
  /** By what it is weighed when spare capacity is given out. */
  readonly claim: number;
}

/**
 * The drafts with limits. A cluster's capacity goes to its targets by what each would get without limits; what is spare goes to all
 * that may receive, by demand and weight. If a service then still has a share too many, the spare goes to such services alone.
 * Services without known demand neither use capacity nor have limits.
 */
export function limitByCapacity(drafts: readonly Draft[], capacity: CapacityView, demand: DemandView): readonly Draft[] {
  if (Object.keys(capacity).length === 0) return drafts;
  const limited = withLimits(drafts, { capacity, demand, claims: () => true });
  const short = new Set(limited.filter(isShort).map(({ service }) => service));
  return short.size === 0 ? limited : withLimits(drafts, { capacity, demand, claims: (service) => short.has(service) });
}

function isShort({ targets, onUnavailable }: Draft): boolean {
  const { effective, lost } = redistribute(targets, onUnavailable);
  return lost > 0 || effective.some((share, index) => share > (targets[index]?.limit ?? Infinity));
}

interface Known {
  readonly capacity: CapacityView;
  readonly demand: DemandView;
  /** Does the service get of what is spare? */
  readonly claims: (service: string) => boolean;
}

function withLimits(drafts: readonly Draft[], { capacity, demand, claims }: Known): readonly Draft[] {
  const loads = drafts.flatMap((draft) => loadsOf(draft, demand, claims));
  const allowed = new Map<string, number>();
  for (const [cluster, rps] of Object.entries(capacity)) {
    const here = loads.filter((load) => load.cluster === cluster);
    const wished = here.reduce((sum, { wish }) => sum + wish, 0);
    const claimed = here.reduce((sum, { claim }) => sum + claim, 0);
    const spare = Math.max(0, rps - wished);
    const fraction = wished > rps ? rps / wished : 1;
    for (const { key, wish, claim } of here) allowed.set(key, wish * fraction + (claimed === 0 ? 0 : (spare * claim) / claimed));
  }
  return drafts.map((draft) => ({
    ...draft,
    targets: draft.targets.map((target, index) =>
      limitTarget(target, { draft, demandRps: demandOf(draft, demand), allowedRps: allowed.get(keyOf(draft, index)) }),
    ),
  }));
}

function loadsOf(draft: Draft, demand: DemandView, claims: (service: string) => boolean): readonly Load[] {
  const rps = demandOf(draft, demand);
  if (rps === 0) return [];
  const { effective } = redistribute(draft.targets, draft.onUnavailable);
  return draft.targets.map((target, index) => ({
    key: keyOf(draft, index),
    cluster: target.cluster,
    wish: (rps * (effective[index] ?? 0)) / MILLION,
    claim: target.receives && claims(draft.service) ? (rps * (target.weight ?? target.desired)) / MILLION : 0,
  }));
}

interface Allowance {
  readonly draft: Draft;
  readonly demandRps: number;
  readonly allowedRps: number | undefined;
}

function limitTarget(target: PlanTarget, { draft, demandRps, allowedRps }: Allowance): PlanTarget {
  if (allowedRps === undefined || demandRps === 0) return target;
  // A tiny excess of rounding must not make a target that may have all look as if it might not.
  const limit = Math.min(MILLION, Math.floor((allowedRps / demandRps) * MILLION + 1e-6));
  return { ...target, limit, spillAt: draft.spills ? Math.floor(limit * TARGET_UTILISATION) : null };
}

function demandOf(draft: Draft, demand: DemandView): number {
  const rps = demand[draft.service] ?? 0;
  return Number.isFinite(rps) && rps > 0 ? rps : 0;
}

function keyOf(draft: Draft, index: number): string {
  return `${draft.service}/${index}`;
}
