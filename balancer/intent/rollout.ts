// A rollout as a part of the intent: where it goes, by which steps, and how far it is. Everything a new controller needs to go on with it.

import type { RolloutConfig } from '../config/rollout-config.ts';
import type { ServiceIntent } from './intent.ts';

/** running, paused and frozen hold the split; the others are ends. Frozen: a gate failed, and people decide. */
export type RolloutPhase = 'running' | 'paused' | 'frozen' | 'promoted' | 'rolled_back' | 'aborted';

export interface RolloutPlan extends RolloutConfig {
  /** The version that grows. */
  readonly to: string;
  /** Each step comes little by little, over this time; `holdMs` begins when it has come. Absent: at once. */
  readonly overMs?: number;
}

export interface RolloutIntent extends RolloutPlan {
  /** The revision that began it: no other rollout has the same. */
  readonly id: number;
  /** The split before it; what a rollback goes back to. */
  readonly from: Readonly<Record<string, number>>;
  /** 0 to 1: errors of the other versions when it began. */
  readonly usualErrorRatio: number;
  readonly phase: RolloutPhase;
  /** Index of the step that `to` is at. */
  readonly step: number;
  /** Index of the wave; absent: there are none. */
  readonly wave?: number;
  /** Weights of the version among its clusters, if the end of the waves set others; what goes back goes back to these. */
  readonly toWeights?: Readonly<Record<string, number>>;
  /** ISO 8601, UTC: when the step began. */
  readonly stepAt: string;
  /** Why it is in this phase: the gate that failed, who stopped it. */
  readonly note: string;
}

/** Whether it still holds the split. */
export function isActive(rollout: RolloutIntent | undefined): rollout is RolloutIntent {
  return rollout !== undefined && (rollout.phase === 'running' || rollout.phase === 'paused' || rollout.phase === 'frozen');
}

/** Whoever sets the split by other means ends the rollout that holds it, and what it left clusters with. */
export function withoutRollout(service: ServiceIntent, by: string): ServiceIntent {
  const whole = withoutClusterSplits(service);
  if (!isActive(service.rollout)) return whole;
  return { ...whole, rollout: { ...service.rollout, phase: 'aborted', note: `ended by ${by}` } };
}

/** Every cluster is split as the service is. */
export function withoutClusterSplits(service: ServiceIntent): ServiceIntent {
  const { clusterSplits, ...others } = service;
  return clusterSplits === undefined ? service : others;
}

/** The clusters that the present wave is about; null: the rollout is about all at once. */
export function clustersOfWave({ waves, wave }: Pick<RolloutIntent, 'waves' | 'wave'>): readonly string[] | null {
  return waves === undefined ? null : (waves[wave ?? 0] ?? []);
}

/** The clusters of the waves that have passed; none without waves. */
export function clustersOfEarlierWaves({ waves = [], wave = 0 }: Pick<RolloutIntent, 'waves' | 'wave'>): readonly string[] {
  return waves.slice(0, wave).flat();
}

/** How long the present step lasts at least. */
export function holdOf({ holdMs, step, overMs = 0 }: Pick<RolloutIntent, 'holdMs' | 'step' | 'overMs'>): number {
  return overMs + (holdMs[Math.min(step, holdMs.length - 1)] ?? 0);
}
