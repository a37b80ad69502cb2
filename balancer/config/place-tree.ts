// Where the values of a YAML text stand: a tree of places, made from its events when the first problem has to be placed.
import { EVENT_ID, type Event } from 'js-yaml';
import type { ValuePath } from './problems.ts';
import { keyText, startOf } from './yaml-scalar.ts';

interface Place {
  /** Null: an empty value, which stands nowhere. */
  readonly start: number | null;
  /** Of a mapping, by the text of the key; of a list, by index. */
  readonly parts: ReadonlyMap<string | number, Part> | null;
  /** Index of the event that the alias stands for; null: no alias. */
  readonly alias: number | null;
}

interface Part {
  /** Null: an element of a list. */
  readonly key: number | null;
  readonly place: Place;
}

export class PlaceTree {
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #aliases: ReadonlyMap<number, number>;
  readonly #byEvent = new Map<number, Place>();
  readonly #root: Place;
  #at = 1;

  /** `aliases`: which event each alias stands for, as the reader of the values found. */
  constructor(text: string, events: readonly Event[], aliases: ReadonlyMap<number, number>) {
    this.#text = text;
    this.#events = events;
    this.#aliases = aliases;
    this.#root = this.#place();
  }

  /** Of the value, or of its key; for a path that is not in the text, of the deepest part that is. */
  offsetOf(path: ValuePath, atKey: boolean): number {
    let part: Part = { key: null, place: this.#root };
    for (const step of path) {
      const { parts } = this.#resolved(part.place);
      if (parts === null) break;
      const next = parts.get(step);
      if (next === undefined) {
        if (typeof step === 'string') return part.key ?? part.place.start ?? 0;
        break;
      }
      part = next;
    }
    return (atKey ? part.key : null) ?? part.place.start ?? part.key ?? 0;
  }

  #resolved(place: Place): Place {
    // Once is enough: an alias has no anchor that another could name.
    return place.alias === null ? place : (this.#byEvent.get(place.alias) ?? place);
  }

  #place(): Place {
    const index = this.#at;
    const event = this.#events[index];
    this.#at += 1;
    const start = startOf(this.#text, event) ?? null;
    const alias = event?.type === EVENT_ID.ALIAS ? (this.#aliases.get(index) ?? null) : null;
    const parts = event?.type === EVENT_ID.MAPPING ? this.#pairs() : event?.type === EVENT_ID.SEQUENCE ? this.#items() : null;
    const place = { start, parts, alias };
    this.#byEvent.set(index, place);
    return place;
  }

  #pairs(): ReadonlyMap<string, Part> {
    const parts = new Map<string, Part>();
    while (this.#isOpen()) {
      const event = this.#events[this.#at];
      const name = event?.type === EVENT_ID.SCALAR ? keyText(this.#text, event) : null;
      const key = this.#place().start;
      const place = this.#place();
      if (name !== null && !parts.has(name)) parts.set(name, { key, place });
    }
    this.#at += 1;
    return parts;
  }

  #items(): ReadonlyMap<number, Part> {
    const parts = new Map<number, Part>();
    while (this.#isOpen()) parts.set(parts.size, { key: null, place: this.#place() });
    this.#at += 1;
    return parts;
  }

  #isOpen(): boolean {
    const event = this.#events[this.#at];
    return event !== undefined && event.type !== EVENT_ID.POP;
  }
}
