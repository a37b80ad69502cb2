// Events that a test makes happen, and those who hear of them.
import type { EventView } from '../../balancer/controller/api/views.ts';

const AT = '2026-11-21T10:00:00.000Z';

export class RecordedEvents {
  readonly happened: EventView[] = [];
  readonly #subscribers = new Set<(event: EventView) => void>();

  get subscribers(): number {
    return this.#subscribers.size;
  }

  subscribe(onEvent: (event: EventView) => void): () => void {
    this.#subscribers.add(onEvent);
    return () => void this.#subscribers.delete(onEvent);
  }

  /** Makes an event happen. */
  emit(text: string, kind: EventView['kind'] = 'health'): void {
    const event: EventView = { sequence: this.happened.length + 1, at: AT, kind, code: `${kind}.news`, severity: 'info', text };
    this.happened.push(event);
    for (const tell of this.#subscribers) tell(event);
  }
}
