// How a host comes into its fleet: as soon as the fleet can be asked, what the config starts with is recorded. Until then it is served all the same.
import { seedIntent } from '../../intent/seed.ts';
import type { Author } from '../../intent/intent.ts';
import { recordConfig } from '../config-taker.ts';
import type { Edge } from '../edge.ts';
import { fleetWallMs } from './fleet-time.ts';

/** Hosts that are started together all want to be the first to record. */
const TRIES = 5;

export interface Beginning {
  readonly author: Author;
  /** What differs from the config before; empty: nothing is known of one. */
  readonly reason: string;
}

/** Null: recorded, or there was nothing to record. Else what stands in the way; has to run alone (`Edge.changes`). */
export async function recordBeginning(edge: Edge, { author, reason }: Beginning): Promise<string | null> {
  for (let tried = 0; tried < TRIES; tried += 1) {
    // Of a fleet that has a config, only that one counts.
    if (edge.keeper.config !== null && edge.served.shared !== null && edge.keeper.config !== edge.served.shared.fingerprint) return null;
    const seeding = seedIntent(edge.config, edge.keeper.intent, fleetWallMs(edge));
    if (seeding.problems.length > 0) {
      edge.trying = null;
      return seeding.problems.map(({ message }) => message).join('; ');
    }
    // A host that was never told anything by its fleet starts with what its file says, and asks for it to be recorded later.
    if (edge.fleet.problem !== null) {
      edge.trying = seeding.touched.length > 0 ? seeding.intent : null;
      return null;
    }
    const recorded = await recordConfig(edge, edge.served, { seeding, author, reason });
    // Of a host alone: its store takes nothing. What the file says is served all the same.
    const waits = !recorded.ok && recorded.code === 'unreachable' && edge.served.shared === null;
    edge.trying = waits && seeding.touched.length > 0 ? seeding.intent : null;
    if (recorded.ok && edge.unrecorded) edge.problem = null;
    edge.unrecorded = waits;
    if (recorded.ok) return null;
    if (waits) return recorded.message;
    await edge.fleet.look();
  }
  return 'the intent of the fleet keeps changing; what the file starts with is recorded at the next reload';
}
