// How each cluster stands: what measured health leaves of it, how it comes back after it was down, what it can take. Pure.
import { followCapacity } from './capacity.ts';
import { ERRORS_MIN_REQUESTS, followFailback, rampFactor, type FailbackState } from './failback.ts';
import { clusterIntent, type ClusterMemory, type PlanInput } from './plan-input.ts';
import type { ClusterHealth } from './plan-shape.ts';
import { OVERPROVISIONING } from './redistribute.ts';

export interface Standing {
  /** 0 to 1: the healthy part of its endpoints; null: nothing is known yet. */
  readonly fraction: number | null;
  /** 0 to 1: how much of its share it can have by health and ramp. */
  readonly available: number;
  readonly failback: FailbackState;
  /** 0 to 1. */
  readonly ramp: number;
  /** Declared to come back at once. */
  readonly atOnce: boolean;
  /** The brake brought it back, or further back, than damping and ramp would have it. */
  readonly braked: boolean;
  /** Requests per second by what is known; null: not known. The dial is not in it. */
  readonly capacityRps: number | null;
  /** Its agent has fallen silent: its share does not rise. */
  readonly stale: boolean;
}

/** Automatic action takes no more than this part of the fleet out of rotation. */
export const BRAKE = 0.5;

export interface Standings {
  readonly of: Readonly<Record<string, Standing>>;
  readonly memory: Readonly<Record<string, ClusterMemory>>;
}

export function standings(input: PlanInput): Standings {
  const elapsedMs = Math.max(0, input.previous === null ? 0 : input.nowMs - input.previous.atMs);
  const memory: Record<string, ClusterMemory> = {};
  const of: Record<string, Standing> = {};
  for (const [name, cluster] of Object.entries(input.clusters)) {
    const before = input.previous?.clusters[name] ?? null;
    const report = input.capacity[name] ?? null;
    const capacity = followCapacity(before?.capacity ?? null, cluster.capacity?.rps ?? null, report, input.nowMs);
    const fraction = healthyFraction(name, input);
    const sight = {
      up: fraction === null ? null : fraction > 0,
      stale: capacity.agent === 'stale',
      excessErrors: excessErrors(name, input),
      mode: cluster.failback.mode,
      windowMs: cluster.failback.windowMs,
      releases: clusterIntent(input, name).releases ?? 0,
      returned: clusterIntent(input, name).returned ?? null,
    };
    const failback = followFailback(before?.failback ?? null, sight, { nowMs: input.nowMs, elapsedMs });
    const ramp = rampFactor(failback, cluster.failback.windowMs);
    memory[name] = { failback, capacity };
    of[name] = {
      fraction,
      available: fraction === null ? 0 : Math.min(1, OVERPROVISIONING * fraction) * ramp,
      failback: failback.state,
      ramp,
      atOnce: cluster.failback.mode === 'auto',
      braked: false,
      capacityRps: capacity.rps,
      stale: capacity.agent === 'stale',
    };
  }
  return { of: brake(of, input), memory };
}

/** 0 to 1: the healthy part of the endpoints that were checked; null: nothing is known yet. A cluster without a probe is up until traffic says otherwise. */
function healthyFraction(cluster: string, input: PlanInput): number | null {
  const health = input.health.clusters[cluster];
  if (health === undefined || health.state === 'unknown') return isUnchecked(input.clusters[cluster], health) ? 1 : null;
  if (health.state === 'down') return 0;
  let checked = 0;
  let healthy = 0;
  for (const { state, draining } of health.endpoints) {
    // One that leaves is no failure, and no help.
    if (state === 'unknown' || draining === true) continue;
    checked += 1;
    if (state !== 'down') healthy += 1;
  }
  return checked === 0 ? 1 : healthy / checked;
}

/** It has no probe, and endpoints: where its agent has told of none yet, there is nothing to send to. */
function isUnchecked(cluster: PlanInput['clusters'][string] | undefined, health: ClusterHealth | undefined): boolean {
  return cluster?.health === null && (cluster.discovery === null || (health !== undefined && health.endpoints.length > 0));
}

/** How much its errors are above those of the other clusters together: trouble that all have is no trouble of this one. */
function excessErrors(cluster: string, { observed }: PlanInput): number | null {
  const own = observed?.clusters[cluster];
  if (own === undefined || own.requests < ERRORS_MIN_REQUESTS) return null;
  let requests = 0;
  let errors = 0;
  for (const [name, other] of Object.entries(observed?.clusters ?? {})) {
    if (name === cluster) continue;
    requests += other.requests;
    errors += other.requests * other.errorRatio;
  }
  return own.errorRatio - (requests === 0 ? 0 : errors / requests);
}

/**
 * Of the fleet's capacity (each cluster the same where that of one is not known) no more than half is out at a time by a decision of
 * weir: what cannot be reached is gone, and with it counted, damping gives way first, then ramps. A cluster that waits for an operator
 * is out by the operator's own rule.
 */
function brake(of: Readonly<Record<string, Standing>>, input: PlanInput): Readonly<Record<string, Standing>> {
  const names = Object.keys(of).filter((name) => {
    const { admin, dialPercent } = clusterIntent(input, name);
    return admin === 'active' && dialPercent > 0 && of[name]?.failback !== 'waiting';
  });
  const known = names.every((name) => of[name]?.capacityRps !== null);
  const size = (name: string): number => (known ? (of[name]?.capacityRps ?? 0) : 1);
  const total = names.reduce((sum, name) => sum + size(name), 0);
  const braked = { ...of };
  let excess = names.reduce((sum, name) => sum + size(name) * out(of[name]), 0) - BRAKE * total;
  for (const state of ['held', 'ramping'] as const) {
    for (const name of names) {
      const standing = braked[name];
      if (excess <= 1e-9 || standing?.failback !== state || standing.fraction === null) continue;
      const gained = Math.min(out(standing), size(name) === 0 ? 0 : excess / size(name));
      const ramp = Math.min(1, 1 - out(standing) + gained);
      const available = Math.min(1, OVERPROVISIONING * standing.fraction) * ramp;
      braked[name] = { ...standing, failback: 'ramping', ramp, available, braked: true };
      excess -= gained * size(name);
    }
  }
  return braked;
}

/** The part of a cluster that is out of rotation. */
function out(standing: Standing | undefined): number {
  if (standing === undefined || standing.fraction === null) return 0;
  if (standing.failback === 'out' || standing.failback === 'held') return 1;
  return 1 - standing.ramp;
}
