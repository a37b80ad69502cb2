// Why a target has the share it has, by the layer that decided: safety > operator > capacity > health > base weights. Pure.
import type { Glided } from '../intent/glide.ts';
import type { Draft, Kept } from './draft.ts';
import { clusterIntent, type PlanInput } from './plan-input.ts';
import { targetKey, type PlanTarget, type ShareReason } from './plan-shape.ts';
import type { Solution } from './solve.ts';
import type { Standing } from './standing.ts';

/** Who decides, the first before the others; what a rollout decides is an intent of its own and stands as one. */
export const LAYERS = ['safety', 'operator', 'capacity', 'health', 'base'] as const;
export type Layer = (typeof LAYERS)[number];

export const REASON_LAYERS: Readonly<Record<ShareReason, Layer>> = {
  panic: 'safety',
  brake: 'safety',
  maintenance: 'operator',
  drain: 'operator',
  dial: 'operator',
  gliding: 'operator',
  awaiting_release: 'operator',
  held: 'operator',
  capacity: 'capacity',
  stale_capacity: 'capacity',
  damped: 'capacity',
  target_ejected: 'health',
  cluster_down: 'health',
  flapping: 'health',
  ramp: 'health',
  errors: 'health',
  slow: 'health',
  redistributed: 'health',
  intent: 'base',
  standby: 'base',
};

export interface Cause {
  readonly draft: Draft;
  readonly input: PlanInput;
  readonly standings: Readonly<Record<string, Standing>>;
  readonly kept: Kept;
  readonly ejected: ReadonlySet<string>;
  readonly solution: Solution;
  readonly damped: readonly boolean[];
  /** What is on its way to what operators asked for. */
  readonly gliding: Glided;
}

const INTENT: readonly ShareReason[] = ['intent'];
const MAINTENANCE: readonly ShareReason[] = ['maintenance'];

/** The reasons of one target, the layer that decided first. */
export function reasonsOf(target: PlanTarget, index: number, cause: Cause): readonly ShareReason[] {
  const { admin, dialPercent } = clusterIntent(cause.input, target.cluster);
  if (admin === 'maintenance') return MAINTENANCE;
  const reasons: ShareReason[] = [];
  if (admin === 'drain') reasons.push('drain');
  else if (dialPercent < 100) reasons.push('dial');
  const { services, clusters } = cause.gliding;
  if (clusters.has(target.cluster) || services.has(cause.draft.service)) reasons.push('gliding');
  addStanding(reasons, target, cause);
  addShare(reasons, target, { cause, index });
  if (reasons.length === 0) return INTENT;
  return reasons.length === 1 ? reasons : reasons.sort((a, b) => LAYERS.indexOf(REASON_LAYERS[a]) - LAYERS.indexOf(REASON_LAYERS[b]));
}

/** How its cluster comes back, as far as the target would have a share. */
function addStanding(reasons: ShareReason[], target: PlanTarget, { draft, standings, kept }: Cause): void {
  const standing = standings[target.cluster];
  if (standing === undefined || (target.weight ?? 0) === 0) return;
  if (standing.failback === 'waiting') reasons.push('awaiting_release');
  if (!target.receives || target.available === 0) return;
  if (standing.failback === 'held') reasons.push('flapping');
  if (standing.ramp < 1) reasons.push('ramp');
  if (standing.braked) reasons.push('brake');
  if (target.available >= standing.available) return;
  const key = targetKey(draft.service, target.version, target.cluster);
  if ((kept.errors[key] ?? 1) < 1) reasons.push('errors');
  if ((kept.slow[key] ?? 1) < 1) reasons.push('slow');
}

interface Share {
  readonly cause: Cause;
  readonly index: number;
}

function addShare(reasons: ShareReason[], target: PlanTarget, { cause, index }: Share): void {
  const { draft, ejected, solution, damped, standings } = cause;
  const { desired, effective, receives } = target;
  if (receives && target.available === 0) {
    if (effective > 0) reasons.push(draft.wish.panic ? 'panic' : 'held');
    reasons.push(ejected.has(targetKey(draft.service, target.version, target.cluster)) ? 'target_ejected' : 'cluster_down');
    return;
  }
  if (receives && draft.wish.panic) reasons.push('panic');
  if (solution.clamped[index] === true) reasons.push('capacity');
  if (damped[index] === true)
    reasons.push(standings[target.cluster]?.stale === true && effective < (solution.effective[index] ?? 0) ? 'stale_capacity' : 'damped');
  if (effective > desired) reasons.push('redistributed');
  else if (effective < desired && solution.clamped[index] !== true) reasons.push('redistributed');
  else if (receives && desired === 0) reasons.push('standby');
}
