// Rollouts as the API shows them.
import { MILLION } from '../config/config.ts';
import { holdOf, isActive } from '../intent/rollout.ts';
import type { RolloutView } from './api/views.ts';
import type { RolloutDriver } from './driver/rollouts.ts';
import type { Edge } from './edge.ts';
import { fleetWallMs } from './fleet/fleet-time.ts';

export function rolloutViews(edge: Edge, driver: Pick<RolloutDriver, 'stateOf'>): readonly RolloutView[] {
  const wallMs = fleetWallMs(edge);
  return Object.entries(edge.keeper.intent.services).flatMap(([service, { rollout, split }]) => {
    if (rollout === undefined) return [];
    const active = isActive(rollout);
    const state = active ? driver.stateOf(service) : null;
    const { to, phase, id, steps, step, stepAt, minRequests, onFail, note, waves = null, wave = 0 } = rollout;
    return [
      {
        ...{ service, to, phase, step, minRequests, onFail, note, waves, wave },
        begunAt: id,
        steps: steps.map(percent),
        percent: percent(waves === null || !active ? (split[to] ?? 0) : (steps[step] ?? 0)),
        heldSeconds: active ? Math.max(0, Math.floor((wallMs - Date.parse(stepAt)) / 1000)) : 0,
        holdSeconds: holdOf(rollout) / 1000,
        requests: state?.requests ?? 0,
        gates: state?.gates ?? [],
      },
    ];
  });
}

/** Those that hold a split now. */
export function underWay(rollouts: readonly RolloutView[]): readonly RolloutView[] {
  return rollouts.filter(({ phase }) => phase === 'running' || phase === 'paused' || phase === 'frozen');
}

function percent(millionths: number): number {
  return (millionths / MILLION) * 100;
}
