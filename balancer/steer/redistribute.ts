// Where the share of a service goes when a place of it is gone, by what the service declares.
import { MILLION, type OnUnavailable, type Overload } from '../config/config.ts';
import { apportion } from '../intent/apportion.ts';
import { fill } from './fill.ts';
import type { PlanTarget } from './plan-shape.ts';

/** A cluster is taken to carry its whole share until less than 1/1.4 = 71.4 % of it is healthy: Envoy's overprovisioning factor. */
export const OVERPROVISIONING = 1.4;

export interface Redistribution {
  /** Millionths, in the order of the targets. */
  readonly effective: readonly number[];
  /** Millionths that go nowhere. `effective` and `lost` sum to exactly a million if the service has any desired share. */
  readonly lost: number;
  /** Nothing of the service can be used, so all that the operator has not closed gets its share: a wrong verdict must not be an outage. */
  readonly panic: boolean;
}

/**
 * Shares after health and limits: what a service wishes for in `plan()`, and what a worker calls again with `available` set to 0 where
 * it has seen failures itself.
 *
 * `redistribute`: the share of a place that is gone, or that is above its limit, goes to the same version in other clusters, then to
 * the other versions, then to last resorts, never above a limit. What finds no room is lost, or with `spread` stays where it was if that
 * place still stands. A place that is partly available keeps weight in proportion. `fail`: the share of a place that is gone is lost.
 * `hold`: it stays in place, except where an operator closed the place.
 */
export function redistribute(targets: readonly PlanTarget[], onUnavailable: OnUnavailable, overload: Overload = 'spread'): Redistribution {
  if (targets.every(({ desired }) => desired === 0)) return { effective: targets.map(() => 0), lost: 0, panic: false };
  switch (onUnavailable) {
    case 'fail':
      return keep(targets, ({ available }) => available > 0);
    case 'hold':
      return keep(targets, ({ available, receives }) => available > 0 || receives);
    case 'redistribute':
      return targets.some((target) => target.available > 0 && weightOf(target) > 0) ? move(targets, overload) : panicShares(targets);
  }
}

function keep(targets: readonly PlanTarget[], keeps: (target: PlanTarget) => boolean): Redistribution {
  const effective = targets.map((target) => (keeps(target) ? target.desired : 0));
  return { effective, lost: missing(effective), panic: false };
}

/** Health is no longer believed and limits no longer help; what is closed on purpose stays closed. */
export function panicShares(targets: readonly PlanTarget[]): Redistribution {
  const receivers = targets.map((target) => (target.receives && !target.lastResort ? target.desired : 0));
  const standbys = targets.map((target) => (target.receives && !target.lastResort ? weightOf(target) : 0));
  const lastResorts = targets.map((target) => (target.receives ? weightOf(target) : 0));
  const weights = [receivers, standbys, lastResorts].find((candidates) => candidates.some((weight) => weight > 0)) ?? [];
  const effective = weights.length === 0 ? targets.map(() => 0) : apportion(MILLION, weights);
  return { effective, lost: missing(effective), panic: weights.length > 0 };
}

function missing(effective: readonly number[]): number {
  return Math.max(0, MILLION - effective.reduce((sum, share) => sum + share, 0));
}

/** By what it is weighed; 0 when it neither has a share of its own nor may receive. */
function weightOf(target: PlanTarget): number {
  return target.receives ? (target.weight ?? target.desired) : target.desired;
}

/** What of a version has no place yet. */
interface Pool {
  /** Null: a share that no target was desired to have. */
  readonly version: string | null;
  amount: number;
}

function move(targets: readonly PlanTarget[], overload: Overload): Redistribution {
  const own = targets.map(({ available, desired }) => (available > 0 ? desired : 0));
  const hard = targets.map(({ limit, spillAt }, index) =>
    limit === null ? Infinity : Math.max(limit, isSet(spillAt) ? 0 : (own[index] ?? 0)),
  );
  const soft = targets.map(({ spillAt }, index) => (isSet(spillAt) ? spillAt : (hard[index] ?? Infinity)));
  const effective = targets.map(() => 0);
  const pools: Pool[] = [{ version: null, amount: missing(targets.map(({ desired }) => desired)) }];
  for (const version of new Set(targets.map((target) => target.version))) {
    const ideal = withinVersion(targets, version);
    let placed = 0;
    for (const [index, share] of ideal.entries()) {
      const kept = Math.min(share, soft[index] ?? Infinity);
      effective[index] = (effective[index] ?? 0) + kept;
      placed += kept;
    }
    const all = targets.reduce((sum, target) => sum + (target.version === version ? target.desired : 0), 0);
    pools.push({ version, amount: all - placed });
  }
  for (const bounds of [soft, hard]) {
    for (const pool of pools)
      pour(targets, effective, pool, { bounds, may: (target) => !target.lastResort && target.version === pool.version });
    for (const pool of pools)
      pour(targets, effective, pool, { bounds, may: (target) => !target.lastResort && target.version !== pool.version });
  }
  for (const pool of pools)
    pour(targets, effective, pool, { bounds: hard, may: (target) => target.lastResort && target.version === pool.version });
  for (const pool of pools) pour(targets, effective, pool, { bounds: hard, may: (target) => target.lastResort });
  if (overload === 'spread') for (const pool of pools) returnHome(targets, effective, pool, own);
  return { effective, lost: pools.reduce((sum, { amount }) => sum + amount, 0), panic: false };
}

function isSet(value: number | null | undefined): value is number {
  return value !== null && value !== undefined;
}

/** The version's share among its own places, before limits. All 0 when none of them can be used. */
function withinVersion(targets: readonly PlanTarget[], version: string): readonly number[] {
  const whole = targets.every(
    (target) => target.version !== version || target.desired === 0 || (target.available >= 1 && !target.lastResort),
  );
  if (whole) return targets.map((target) => (target.version === version ? target.desired : 0));
  const members = targets.map((target) => (target.version === version && !target.lastResort ? target : null));
  const share = targets.reduce((sum, target) => sum + (target.version === version ? target.desired : 0), 0);
  const tiers = [...new Set(members.flatMap((target) => (target === null ? [] : [target.priority])))].sort((a, b) => a - b);
  const loads = tierLoads(tiers.map((tier) => tierHealth(members.filter((target) => target?.priority === tier))));
  const ideal = targets.map(() => 0);
  for (const [place, amount] of apportion(share, loads).entries()) {
    const weights = members.map((target) =>
      target === null || target.priority !== tiers[place] ? 0 : weightOf(target) * target.available,
    );
    for (const [index, part] of apportion(amount, weights).entries()) ideal[index] = (ideal[index] ?? 0) + part;
  }
  return ideal;
}

/** 0 to 1: Envoy's health of a priority level, over places of different weight. */
function tierHealth(members: readonly (PlanTarget | null)[]): number {
  let all = 0;
  let healthy = 0;
  for (const target of members) {
    if (target === null) continue;
    all += weightOf(target);
    // The factor is in `available` already, cut off at 1: a place at 1 is taken to be healthy as a whole.
    healthy += weightOf(target) * (target.available >= 1 ? 1 : target.available / OVERPROVISIONING);
  }
  return all === 0 ? 0 : Math.min(1, (OVERPROVISIONING * healthy) / all);
}

/** Envoy's loads of priority levels: a level takes what its health allows, the next what is left; all healths together count as whole. */
function tierLoads(healths: readonly number[]): readonly number[] {
  const total = Math.min(
    1,
    healths.reduce((sum, health) => sum + health, 0),
  );
  let left = 1;
  return healths.map((health) => {
    const load = total === 0 ? 0 : Math.min(left, health / total);
    left -= load;
    return load;
  });
}

interface Places {
  readonly bounds: readonly number[];
  readonly may: (target: PlanTarget) => boolean;
}

/** Moves as much of the pool as finds room, lower priorities first. */
function pour(targets: readonly PlanTarget[], effective: number[], pool: Pool, { bounds, may }: Places): void {
  if (pool.amount <= 0) return;
  const takers = targets.map((target) => (target.receives && may(target) ? weightOf(target) * target.available : 0));
  const tiers = [...new Set(targets.filter((_, index) => (takers[index] ?? 0) > 0).map(({ priority }) => priority))].sort((a, b) => a - b);
  for (const tier of tiers) {
    const weights = takers.map((weight, index) => (targets[index]?.priority === tier ? weight : 0));
    give(effective, pool, { weights, rooms: bounds.map((bound, index) => Math.max(0, bound - (effective[index] ?? 0))) });
  }
}

/** A place that still stands keeps its own share rather than have it answered 503. */
function returnHome(targets: readonly PlanTarget[], effective: number[], pool: Pool, own: readonly number[]): void {
  const rooms = targets.map((target, index) =>
    target.version === pool.version ? Math.max(0, (own[index] ?? 0) - (effective[index] ?? 0)) : 0,
  );
  give(effective, pool, { weights: rooms, rooms });
}

function give(effective: number[], pool: Pool, places: { readonly weights: readonly number[]; readonly rooms: readonly number[] }): void {
  const { given, rest } = fill(pool.amount, places.weights, places.rooms);
  for (const [index, part] of given.entries()) effective[index] = (effective[index] ?? 0) + part;
  pool.amount = rest;
}
