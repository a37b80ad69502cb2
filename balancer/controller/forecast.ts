// What a change comes to, in requests a second: the plan before it and the plan after it under the demand of now. Pure.
import { MILLION } from '../config/config.ts';
import { headroomText, losses, spills } from '../steer/headroom.ts';
import type { Planned, PlanFacts } from '../steer/plan.ts';
import type { DemandView, Plan, PlanTarget } from '../steer/plan-shape.ts';
import type { ClusterForecast, Forecast, MovedShare } from './api/views.ts';
import { clusterLoads } from './cluster-shares.ts';

/** `demand`: what the shares divide, and what clusters get before any split. */
export function forecastOf(
  before: Planned,
  after: Planned,
  { demand, assigned = {} }: Pick<PlanFacts, 'demand' | 'assigned'>,
): Omit<Forecast, 'expected'> {
  const clusters = clusterForecasts(before, after, { demand, assigned });
  return {
    clusters,
    moved: movedShares(before.plan, after.plan),
    lostRps: { before: lostRps(before.plan, demand), after: lostRps(after.plan, demand) },
    spill: after.loads === null ? [] : spills(after.loads, new Set(clusters.map(({ cluster }) => cluster))),
    headroom: headroomText(after.loads === null ? null : losses(after.loads)),
  };
}

/** The clusters whose load changes. */
function clusterForecasts(
  before: Planned,
  after: Planned,
  { demand, assigned }: Pick<PlanFacts, 'demand' | 'assigned'>,
): readonly ClusterForecast[] {
  const [loadsBefore, loadsAfter] = [clusterLoads(before.plan, demand, assigned), clusterLoads(after.plan, demand, assigned)];
  return [...new Set([...loadsBefore.keys(), ...loadsAfter.keys()])].flatMap((cluster) => {
    const figures = (loads: ReadonlyMap<string, number>, { standings }: Planned): ClusterForecast['before'] => {
      const rps = loads.get(cluster) ?? 0;
      const capacityRps = standings[cluster]?.capacityRps ?? null;
      return { rps, utilisation: capacityRps === null || capacityRps === 0 ? null : rps / capacityRps };
    };
    const [was, will] = [figures(loadsBefore, before), figures(loadsAfter, after)];
    return was.rps === will.rps && was.utilisation === will.utilisation ? [] : [{ cluster, before: was, after: will }];
  });
}

/** The part of each service's requests that goes to another version, and to another place, than before. */
function movedShares(before: Plan, after: Plan): readonly MovedShare[] {
  return Object.values(after.services).flatMap(({ service, targets }) => {
    const old = before.services[service]?.targets ?? [];
    const version = risen(sharesBy(old, byVersion), sharesBy(targets, byVersion));
    const place = risen(sharesBy(old, byPlace), sharesBy(targets, byPlace));
    return place === 0 ? [] : [{ service, toOtherVersion: version / MILLION, toOtherPlace: place / MILLION }];
  });
}

const byVersion = ({ version }: PlanTarget): string => version;
const byPlace = ({ version, cluster }: PlanTarget): string => `${version}/${cluster}`;

function sharesBy(targets: readonly PlanTarget[], keyOf: (target: PlanTarget) => string): ReadonlyMap<string, number> {
  const shares = new Map<string, number>();
  for (const target of targets) shares.set(keyOf(target), (shares.get(keyOf(target)) ?? 0) + target.effective);
  return shares;
}

function risen(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const [key, share] of after) sum += Math.max(0, share - (before.get(key) ?? 0));
  return sum;
}

/** What is answered 503 for want of a place. */
function lostRps({ services }: Plan, demand: DemandView): number {
  return Object.values(services).reduce((sum, { service, lost }) => sum + ((demand[service] ?? 0) * lost) / MILLION, 0);
}
