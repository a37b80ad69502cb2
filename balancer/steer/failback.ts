// How a cluster that was down comes back: damped while it flaps, held where an operator has to release it, then in a ramp. Pure.
import { HOLD_DOWN } from '../../health/hold-down.ts';
import type { FailbackMode } from '../config/config.ts';

/** A ramp begins at this part of the share. */
export const RAMP_FLOOR = 0.1;
/** In a ramp, errors of this much above those of the other clusters stop it, and of so much take it a step back. */
export const ERRORS_PAUSE = 0.05;
export const ERRORS_STEP_BACK = 0.2;
/** Fewer requests than this say nothing about errors. */
export const ERRORS_MIN_REQUESTS = 20;
/** A step back is this part of the ramp, and no more than one is made within this time. */
export const STEP_BACK = 0.1;
const STEP_BACK_EVERY_MS = 5000;

/**
 * `out`: down. `held`: up again, but it flapped; used before anything is lost. `waiting`: up again, an operator has to release it.
 * `ramping`, `in`: in use.
 */
export type FailbackState = 'in' | 'out' | 'held' | 'waiting' | 'ramping';

export interface FailbackMemory {
  readonly state: FailbackState;
  /** Falls that came soon after a return. */
  readonly relapses: number;
  /** How long it has to be up without a break before it returns. */
  readonly holdMs: number;
  /** Since when it is up, without a break. */
  readonly upSinceMs: number;
  readonly returnedAtMs: number;
  /** How much of the ramp is done. */
  readonly rampedMs: number;
  readonly steppedBackAtMs: number;
  /** Releases of the operator that have had their effect. */
  readonly releases: number;
  /** The last return of an override that has had its effect; 0: none. */
  readonly returned: number;
}

/** What is seen of the cluster now. */
export interface Sight {
  /** Null: not checked yet. */
  readonly up: boolean | null;
  /** Its agent has fallen silent: a ramp waits. */
  readonly stale: boolean;
  /** How much its errors are above those of the other clusters, 0 to 1; null: too few requests. */
  readonly excessErrors: number | null;
  readonly mode: FailbackMode;
  readonly windowMs: number;
  /** How often operators released it, ever. */
  readonly releases: number;
  /** When an override of it last returned, as the intent has it; null: none ever did. */
  readonly returned: { readonly revision: number; readonly from: number } | null;
}

export interface Passed {
  readonly nowMs: number;
  /** Since the step before. */
  readonly elapsedMs: number;
}

/** One step. A first fall is not held; the n-th relapse within ten minutes is, for 15 s × 2^(n−1), at most 300 s, counted anew with every fall. */
export function followFailback(before: FailbackMemory | null, sight: Sight, passed: Passed): FailbackMemory {
  const memory = before ?? firstSight(sight, passed.nowMs);
  const returns = memory.state === 'in' && sight.up === true && sight.returned !== null && sight.returned.revision > memory.returned;
  const next = returns ? comeBackFrom(memory, sight, passed.nowMs) : follow(memory, sight, passed);
  // What came back while it was away for another reason begins no second ramp.
  return { ...next, returned: sight.returned?.revision ?? next.returned };
}

function follow(memory: FailbackMemory, sight: Sight, { nowMs, elapsedMs }: Passed): FailbackMemory {
  if (sight.up === null) return memory;
  if (!sight.up) return memory.state === 'out' || isAway(memory) ? away(memory) : fall(memory, sight, nowMs);
  switch (memory.state) {
    case 'in':
      return { ...memory, releases: sight.releases };
    case 'out':
      return comeBack({ ...memory, upSinceMs: nowMs }, sight, nowMs);
    case 'held':
    case 'waiting':
      return comeBack(memory, sight, nowMs);
    case 'ramping':
      return ramp(memory, sight, { nowMs, elapsedMs });
  }
}

/** The part of its share a cluster has by its ramp: `max(0.1, t / window)`. */
export function rampFactor({ state, rampedMs }: FailbackMemory, windowMs: number): number {
  return state === 'ramping' ? Math.min(1, Math.max(RAMP_FLOOR, rampedMs / windowMs)) : 1;
}

/** An operator took it away for a time that is over: it comes back as after a failure, from what it had meanwhile. */
function comeBackFrom(memory: FailbackMemory, { returned, mode, windowMs, releases }: Sight, nowMs: number): FailbackMemory {
  const state = mode === 'auto' ? 'in' : 'ramping';
  return { ...memory, state, rampedMs: (returned?.from ?? 0) * windowMs, steppedBackAtMs: nowMs, releases };
}

function firstSight({ up, releases, returned }: Sight, nowMs: number): FailbackMemory {
  return {
    state: up === false ? 'out' : 'in',
    relapses: 0,
    holdMs: 0,
    upSinceMs: nowMs,
    returnedAtMs: -Infinity,
    rampedMs: 0,
    steppedBackAtMs: -Infinity,
    releases,
    returned: returned?.revision ?? 0,
  };
}

function isAway({ state }: FailbackMemory): boolean {
  return state === 'held' || state === 'waiting';
}

/**
 * Down while it is away: what it has to hold begins anew when it is up, and no fall is counted, since nothing had returned. A release
 * that is made meanwhile has its effect when it is up.
 */
function away(memory: FailbackMemory): FailbackMemory {
  return memory.state === 'out' ? memory : { ...memory, state: 'out' };
}

function fall(memory: FailbackMemory, { releases }: Sight, nowMs: number): FailbackMemory {
  const relapses = nowMs - memory.returnedAtMs < HOLD_DOWN.forgetMs ? memory.relapses + 1 : 0;
  const holdMs = relapses === 0 ? 0 : Math.min(HOLD_DOWN.maxMs, HOLD_DOWN.baseMs * 2 ** (relapses - 1));
  return { ...memory, state: 'out', relapses, holdMs, rampedMs: 0, releases };
}

function comeBack(memory: FailbackMemory, sight: Sight, nowMs: number): FailbackMemory {
  const released = sight.releases > memory.releases;
  if (sight.mode === 'manual' && !released) return { ...memory, state: 'waiting' };
  if (!released && nowMs - memory.upSinceMs < memory.holdMs) return { ...memory, state: 'held' };
  const state = sight.mode === 'auto' ? 'in' : 'ramping';
  return { ...memory, state, returnedAtMs: nowMs, rampedMs: 0, steppedBackAtMs: nowMs, releases: sight.releases };
}

/** On with time; not while its agent is silent or its errors are up; a step back when they are far up. */
function ramp(memory: FailbackMemory, sight: Sight, { nowMs, elapsedMs }: Passed): FailbackMemory {
  const { windowMs, releases, stale } = sight;
  const excess = sight.excessErrors ?? 0;
  if (excess >= ERRORS_STEP_BACK) {
    if (nowMs - memory.steppedBackAtMs < STEP_BACK_EVERY_MS) return { ...memory, releases };
    return { ...memory, rampedMs: Math.max(0, memory.rampedMs - STEP_BACK * windowMs), steppedBackAtMs: nowMs, releases };
  }
  if (stale || excess >= ERRORS_PAUSE) return { ...memory, releases };
  const rampedMs = memory.rampedMs + elapsedMs;
  return { ...memory, state: rampedMs >= windowMs ? 'in' : 'ramping', rampedMs: Math.min(rampedMs, windowMs), releases };
}
