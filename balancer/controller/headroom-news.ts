// Whether any one cluster could be lost: told once when it changes, and not while nothing is known.
import { headroomText, worstLoss } from '../steer/headroom.ts';
import type { Edge } from './edge.ts';

export class HeadroomNews {
  /** As last told; null: not known yet. */
  #tolerated: boolean | null = null;

  look({ loop, events }: Pick<Edge, 'loop' | 'events'>): void {
    const all = loop.losses();
    const tolerated = all === null ? null : worstLoss(all) === null;
    if (tolerated !== null && this.#tolerated !== null && tolerated !== this.#tolerated)
      events.add('health.headroom', `one cluster can be lost: ${headroomText(all)}`);
    this.#tolerated = tolerated ?? this.#tolerated;
  }
}
