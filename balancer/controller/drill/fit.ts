// Whether a drill may begin, and the change of the intent that it is.
import type { TimedChange } from '../../intent/intent.ts';
import { isActive } from '../../intent/rollout.ts';
import type { DrillRequest } from '../api/views.ts';
import type { Edge } from '../edge.ts';
import type { DrillReport } from './report.ts';

const LEAST_MS = 10_000;
const MOST_MS = 86_400_000;

/** Why no drill may begin now; null: one may. `running`: the one that is under way. */
export function unfitDrill(
  { prober, keeper }: Pick<Edge, 'prober' | 'keeper'>,
  running: DrillReport | null,
  { cluster, act, percent, forMs, breakGlass = false }: DrillRequest,
): string | null {
  if (running !== null) return `drill ${running.id} is under way; one at a time`;
  if (act === 'dial' && percent === undefined) return 'a dial needs a percentage';
  if (forMs < LEAST_MS || forMs > MOST_MS) return `a drill lasts from 10 s to 24 h, got ${forMs / 1000} s`;
  const { clusters, services } = keeper.intent;
  const present = clusters[cluster];
  if (present !== undefined && (present.admin !== 'active' || present.dialPercent <= (percent ?? 0)))
    return `${cluster} is out already, or has no more than that; a drill begins with a cluster in service`;
  const rollout = Object.entries(services).find((entry) => isActive(entry[1].rollout));
  if (rollout !== undefined) return `a rollout of ${rollout[0]} is under way, and its gates would judge the drill; wait for its end`;
  const down = Object.entries(prober.view().clusters).find(([name, { state }]) => name !== cluster && state === 'down');
  if (down !== undefined && !breakGlass)
    return `cluster ${down[0]} is down; a drill begins in a healthy fleet (--break-glass begins it all the same)`;
  return null;
}

/** Tunnels stay: what a drill is about is where new requests go. */
export function changeOfDrill({ cluster, act, percent = 0, forMs }: DrillRequest): TimedChange {
  if (act === 'dial') return { kind: 'dial', cluster, percent, forMs };
  return { kind: 'admin', cluster, state: 'drain', tunnels: { deadlineMs: null, tunnelsPerSecond: null }, forMs };
}
