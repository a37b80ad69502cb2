// What time it is for what is set for a time, held by a rollout or begun by a schedule: the clock of the fleet's store, carried on by the monotonic clock of the
// host. A clock that is set wrong on one host, or set right while it runs, ends nothing too early and begins nothing twice.
import type { Edge } from '../edge.ts';

/** Milliseconds since 1970. A host that is alone, or has never reached its fleet, goes by its own clock. */
export function fleetWallMs({ fleet, options }: Pick<Edge, 'fleet' | 'options'>): number {
  return fleet.wallMs ?? options.clock.wallMs();
}
