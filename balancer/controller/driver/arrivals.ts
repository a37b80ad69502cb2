// Tells when what was on its way has arrived. Nothing has to be done for that: where it is follows from the time.
import { withoutEndedGlides } from '../../intent/glide.ts';
import { pathOf } from '../../intent/override.ts';
import type { Edge } from '../edge.ts';
import { fleetWallMs } from '../fleet/fleet-time.ts';

export class Arrivals {
  readonly #edge: Edge;
  #underWay = new Map<string, string>();

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  /** Once a second. What was sent elsewhere meanwhile is told by the revision that did it. */
  tick(): void {
    const { keeper, events } = this.#edge;
    const { intent } = keeper;
    if (intent.glides === undefined && this.#underWay.size === 0) return;
    const glides = Object.entries(withoutEndedGlides(intent, fleetWallMs(this.#edge)).glides ?? {});
    const now = new Map(glides.map(([id, { fields }]) => [id, fields.map((field) => pathOf(field).slice(1).join('.')).join(', ')]));
    for (const [id, fields] of this.#underWay)
      if (!now.has(id) && withoutEndedGlides(intent).glides?.[id] !== undefined)
        events.add('revision.arrived', `revision ${id} has arrived: ${fields} as asked`);
    this.#underWay = now;
  }
}
