// What a plan remembers, without what is only on its way: with it, the shares of a plan are those that they come to. Pure.
import type { ClusterMemory, PlanMemory } from './plan-input.ts';

/** Ramps are through and nothing is damped; what is out, held or waits for an operator stays so. */
export function settledMemory(memory: PlanMemory | null): PlanMemory | null {
  if (memory === null) return null;
  const clusters = Object.entries(memory.clusters).map(([name, of]) => [name, settledCluster(of)] as const);
  return { ...memory, clusters: Object.fromEntries(clusters), services: {} };
}

function settledCluster(memory: ClusterMemory): ClusterMemory {
  const { failback } = memory;
  const state = failback.state === 'ramping' ? 'in' : failback.state;
  // No return of an override begins a ramp: all have had their effect.
  return { ...memory, failback: { ...failback, state, returned: Number.MAX_SAFE_INTEGER } };
}
