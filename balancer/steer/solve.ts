// From the wishes of all services to what each target gets, within what clusters can take. Pure.
import { MILLION } from '../config/config.ts';
import { apportion } from '../intent/apportion.ts';
import type { Draft } from './draft.ts';
import { type Loads, NOTHING, wishedLoads } from './loads.ts';
import { settleOverload } from './overload.ts';
import type { ClassDemandView, DemandView } from './plan-shape.ts';
import { pourLoads, TARGET_UTILISATION } from './waterfall.ts';

/** What a service gets. Millionths, by target. */
export interface Solution {
  readonly effective: readonly number[];
  readonly lost: number;
  /** Of `lost`, what is refused as overload. */
  readonly shed: number;
  /** The most it may have; null: no bound known. */
  readonly limits: readonly (number | null)[];
  readonly spillAt: readonly (number | null)[];
  /** Has less than it wished for, for want of capacity. */
  readonly clamped: readonly boolean[];
}

export interface Bounds {
  /** Requests per second; a cluster that is not named has no bound. */
  readonly capacity: Readonly<Record<string, number>>;
  readonly demand: DemandView;
  readonly classDemand: ClassDemandView;
}

export interface Solved {
  readonly solutions: readonly Solution[];
  /** Null: no capacity is known, and nothing was to be solved. */
  readonly loads: Loads | null;
}

/** Services without known demand neither use capacity nor have limits. */
export function solve(drafts: readonly Draft[], { capacity, demand, classDemand }: Bounds): Solved {
  if (Object.keys(capacity).length === 0) return { solutions: drafts.map(unbounded), loads: null };
  const loads = wishedLoads(drafts, capacity, demand);
  const { shed, lost } = settleOverload(loads, pourLoads(loads), classDemand);
  const claims = claimsOf(loads);
  const solutions = drafts.map((draft, service) => {
    if ((loads.demand[service] ?? 0) === 0) return unbounded(draft);
    return solutionOf(loads, { service, shed: shed[service] ?? 0, lost: lost[service] ?? 0, claims });
  });
  return { solutions, loads };
}

function unbounded({ targets, wish }: Draft): Solution {
  const none = targets.map(() => null);
  return { effective: wish.effective, lost: wish.lost, shed: 0, limits: none, spillAt: none, clamped: targets.map(() => false) };
}

/** All claims on each cluster: by these what is spare is promised to those who may need it, and to nobody twice. */
function claimsOf(loads: Loads): Float64Array {
  const claims = new Float64Array(loads.clusters.length);
  for (let target = 0; target < loads.count; target += 1) {
    const cluster = loads.cluster[target] ?? 0;
    claims[cluster] = (claims[cluster] ?? 0) + (loads.claim[target] ?? 0);
  }
  return claims;
}

interface Share {
  readonly service: number;
  /** Requests per second. */
  readonly shed: number;
  readonly lost: number;
  readonly claims: Float64Array;
}

function solutionOf(loads: Loads, { service, shed, lost, claims }: Share): Solution {
  const draft = loads.drafts[service];
  if (draft === undefined) throw new Error(`there is no service ${service}`);
  const [from, to] = [loads.start[service] ?? 0, loads.start[service + 1] ?? 0];
  const demand = loads.demand[service] ?? 0;
  const { wish } = draft;
  const moved = shed + lost > NOTHING || wishMoved(loads, from, to);
  const unserved = Math.min(MILLION - wish.lost, Math.round(((shed + lost) / demand) * MILLION));
  const effective = moved ? apportion(MILLION - wish.lost - unserved, [...loads.load.subarray(from, to)]) : wish.effective;
  const served = effective.reduce((sum, share) => sum + share, 0);
  const limits = draft.targets.map((_, index) => limitOf(loads, from + index, demand, claims));
  return {
    effective,
    lost: MILLION - served,
    shed: shed > NOTHING ? Math.min(MILLION - served, Math.round((shed / demand) * MILLION)) : 0,
    limits,
    spillAt: limits.map((limit) => (limit === null || !draft.spills ? null : Math.floor(limit * TARGET_UTILISATION))),
    clamped: wish.effective.map((_, index) => (loads.wish[from + index] ?? 0) - (loads.load[from + index] ?? 0) > NOTHING * 10),
  };
}

function wishMoved(loads: Loads, from: number, to: number): boolean {
  for (let target = from; target < to; target += 1)
    if (Math.abs((loads.wish[target] ?? 0) - (loads.load[target] ?? 0)) > NOTHING * 10) return true;
  return false;
}

/** What it has, and its part of what is spare. A tiny excess of rounding must not make a target that may have all look as if it might not. */
function limitOf(loads: Loads, target: number, demand: number, claims: Float64Array): number | null {
  const cluster = loads.cluster[target] ?? 0;
  if (loads.capacity[cluster] === Infinity) return null;
  const all = claims[cluster] ?? 0;
  const spare = all === 0 ? 0 : (loads.roomOf(cluster, 1) * (loads.claim[target] ?? 0)) / all;
  const [capacity, used] = [loads.capacity[cluster] ?? 0, loads.used[cluster] ?? 0];
  // Above its capacity a cluster is only where nobody may or can move: the bound is each one's part of the capacity all the same.
  const within = (loads.load[target] ?? 0) * (used > capacity ? capacity / used : 1);
  return Math.min(MILLION, Math.floor(((within + spare) / demand) * MILLION + 1e-6));
}
