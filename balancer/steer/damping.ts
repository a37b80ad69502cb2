// Automatic change of shares without haste: down at once where something failed, up by a point a second, and not at all for trifles. Pure.
import { MILLION } from '../config/config.ts';
import { apportion } from '../intent/apportion.ts';
import type { Draft } from './draft.ts';
import type { PlanTarget, ServicePlan } from './plan-shape.ts';
import type { Solution } from './solve.ts';
import type { Standing } from './standing.ts';

/** Points of a hundred that a share rises by in ten seconds, in millionths. */
export const RISE_PER_10_S = 100_000;
/** A change for capacity's sake that moves no share by as much as a point is not made. */
export const DEAD_BAND = 10_000;

export interface Damped {
  readonly effective: readonly number[];
  /** Is not yet where it should be. */
  readonly damped: readonly boolean[];
}

/** What the plan before gave, and what is different since. */
export interface Since {
  readonly before: ServicePlan | undefined;
  readonly elapsedMs: number;
  readonly standings: Readonly<Record<string, Standing>>;
  /** What the operator asked for is on its way, and is a little farther than before. */
  readonly gliding: boolean;
}

/**
 * From the shares before towards those of the solution. What an operator changed is there at once, as is what a failure or a limit takes
 * away, and what takes that over. Everything else that rises does so by ten points in ten seconds, or not at all where the agent is
 * silent; what would give it keeps the difference. Each share is between what it was and what it should be. What glides is moved by as much as its
 * place by intent, without being damped, and all else is damped from there: a glide of hours must not make hours without damping.
 */
export function damp(draft: Draft, solution: Solution, since: Since): Damped {
  const { before } = since;
  const { effective } = solution;
  const at = { effective, damped: effective.map(() => false) };
  if (before === undefined || draft.onUnavailable !== 'redistribute' || before.panic || draft.wish.panic) return at;
  if (before.targets.length !== effective.length) return at;
  if (before.targets.every((target, index) => target.effective === effective[index])) return at;
  const isSame = sameIntent(before.targets, draft.targets);
  if (!isSame && (!since.gliding || !samePlaces(before.targets, draft.targets))) return at;
  const shares = isSame ? before.targets.map((target) => target.effective) : glidedShares(before, draft.targets);
  const moves = { draft, solution, since, before, shares };
  const forced = effective.map((share, index) => forcedFall(moves, index, share));
  if (isSame && isTrifle(moves, forced)) return { effective: shares, damped: shares.map((share, index) => share !== effective[index]) };
  const reached = approach(moves, forced);
  return { effective: reached, damped: reached.map((share, index) => share !== effective[index]) };
}

interface Moves {
  readonly draft: Draft;
  readonly solution: Solution;
  readonly since: Since;
  readonly before: ServicePlan;
  readonly shares: readonly number[];
}

/** Same places, same wishes of the operator: whatever differs is automatic. */
function sameIntent(before: readonly PlanTarget[], now: readonly PlanTarget[]): boolean {
  return samePlaces(before, now) && before.every(({ desired, weight }, at) => desired === now[at]?.desired && weight === now[at].weight);
}

function samePlaces(before: readonly PlanTarget[], now: readonly PlanTarget[]): boolean {
  return (
    before.length === now.length &&
    before.every(({ version, cluster, priority }, index) => {
      const other = now[index];
      return other !== undefined && version === other.version && cluster === other.cluster && priority === other.priority;
    })
  );
}

/** The shares before, each with what its place has more or less by intent since. What is served stays as much as it was. */
function glidedShares({ targets, lost }: ServicePlan, now: readonly PlanTarget[]): readonly number[] {
  const moved = targets.map(({ effective, desired }, index) => Math.max(0, effective + (now[index]?.desired ?? 0) - desired));
  return sum(moved) === MILLION - lost ? moved : apportion(MILLION - lost, moved);
}

/** What of a fall cannot wait: all of it where the place got worse or is closed, else what is above its limit. */
function forcedFall({ draft, solution, before, shares }: Moves, index: number, share: number): number {
  const fall = (shares[index] ?? 0) - share;
  if (fall <= 0) return 0;
  const [target, was] = [draft.targets[index], before.targets[index]];
  if (target === undefined || was === undefined) return fall;
  if (!target.receives || target.available === 0 || target.available < was.available || target.lastResort !== was.lastResort) return fall;
  return Math.min(fall, Math.max(0, (shares[index] ?? 0) - (solution.limits[index] ?? MILLION)));
}

function isTrifle({ solution, before, shares }: Moves, forced: readonly number[]): boolean {
  const bounded = solution.clamped.some(Boolean) || before.targets.some(({ reasons }) => reasons.includes('capacity'));
  if (!bounded || solution.lost !== before.lost || forced.some((fall) => fall > 0)) return false;
  return shares.every((share, index) => {
    const wanted = solution.effective[index] ?? 0;
    return Math.abs(wanted - share) < DEAD_BAND && (wanted > 0 || share === 0);
  });
}

function approach(moves: Moves, forced: readonly number[]): readonly number[] {
  const { solution, before, shares } = moves;
  const { effective } = solution;
  const rises = effective.map((share, index) => Math.max(0, share - (shares[index] ?? 0)));
  const risen = sum(rises);
  // What was lost is served again without waiting, and what is lost now is not there to be taken by others.
  const urgent = Math.max(0, sum(forced) + before.lost - solution.lost);
  const steps = rises.map((rise, index) => {
    const part = risen === 0 ? 0 : Math.ceil((rise * Math.min(urgent, risen)) / risen);
    return Math.min(rise, part + allowance(moves, index));
  });
  const held = risen - sum(steps);
  if (held === 0) return effective;
  const waiting = effective.map((share, index) => Math.max(0, (shares[index] ?? 0) - share) - (forced[index] ?? 0));
  const kept = apportion(Math.min(held, sum(waiting)), waiting);
  const reached = effective.map((share, index) => share - ((rises[index] ?? 0) - (steps[index] ?? 0)) + (kept[index] ?? 0));
  const missing = sum(effective) - sum(reached);
  return missing === 0 ? reached : effective;
}

/** What a target may rise by for other reasons than a failure elsewhere. */
function allowance({ draft, since, before }: Moves, index: number): number {
  const target = draft.targets[index];
  const was = before.targets[index];
  const standing = since.standings[target?.cluster ?? ''];
  if (target === undefined || was === undefined || standing?.stale === true) return 0;
  // First seen up, or declared to come back at once: there is nothing to be careful about.
  const returned = was.available === 0 && target.available > 0 && standing?.failback === 'in';
  return returned && (standing.atOnce || !was.reasons.includes('target_ejected'))
    ? MILLION
    : Math.floor((Math.min(10_000, since.elapsedMs) / 10_000) * RISE_PER_10_S);
}

function sum(numbers: readonly number[]): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
