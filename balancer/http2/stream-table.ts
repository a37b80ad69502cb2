// The open streams of one side of a connection, by their ids: each is looked for several times in its short life, so it stands in an array where its id says.
// A hash map grows and shrinks with every burst of streams, and each of its tables keeps the next one alive: once one is old, the collector of garbage takes all
// that was in work at any later time for alive.

/** Of one side, which has the odd or the even ids (RFC 9113 section 5.1.1). */
export interface NumberedStream {
  readonly id: number;
}

const FIRST_SLOTS = 16;
/** Streams that live so long that others have come around to their place stand apart. */
const MAX_SLOTS = 1024;

export class StreamTable<S extends NumberedStream> {
  size = 0;
  /** As many as a power of two. */
  #slots: (S | null)[] = emptySlots(FIRST_SLOTS);
  #mask = FIRST_SLOTS - 1;
  /** Null: none. */
  #apart: Map<number, S> | null = null;

  get(id: number): S | undefined {
    const stream = this.#slots[(id >>> 1) & this.#mask];
    if (stream !== null && stream !== undefined && stream.id === id) return stream;
    return this.#apart?.get(id);
  }

  has(id: number): boolean {
    return this.get(id) !== undefined;
  }

  /** There is none of this id yet. */
  add(stream: S): void {
    this.size += 1;
    const at = (stream.id >>> 1) & this.#mask;
    const other = this.#slots[at];
    if (other === null || other === undefined) this.#slots[at] = stream;
    else this.#makePlace(stream, other);
  }

  delete(id: number): boolean {
    const at = (id >>> 1) & this.#mask;
    const stream = this.#slots[at];
    if (stream !== null && stream !== undefined && stream.id === id) this.#slots[at] = null;
    else if (this.#apart?.delete(id) !== true) return false;
    else if (this.#apart.size === 0) this.#apart = null;
    this.size -= 1;
    return true;
  }

  clear(): void {
    this.#slots = emptySlots(FIRST_SLOTS);
    this.#mask = FIRST_SLOTS - 1;
    this.#apart = null;
    this.size = 0;
  }

  /** As they are now, the oldest first. */
  all(): S[] {
    const all = [...(this.#apart?.values() ?? [])];
    for (const stream of this.#slots) if (stream !== null) all.push(stream);
    return all.sort((a, b) => a.id - b.id);
  }

  /** Of `all()` those that are still open when it is their turn. */
  *open(): Generator<S> {
    for (const stream of this.all()) if (this.get(stream.id) === stream) yield stream;
  }

  #makePlace(stream: S, other: S): void {
    if (this.#slots.length < MAX_SLOTS) {
      this.#grow();
      this.size -= 1;
      return this.add(stream);
    }
    (this.#apart ??= new Map()).set(other.id, other);
    this.#slots[(stream.id >>> 1) & this.#mask] = stream;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = emptySlots(before.length * 2);
    this.#mask = this.#slots.length - 1;
    for (const stream of before) if (stream !== null) this.#slots[(stream.id >>> 1) & this.#mask] = stream;
  }
}

const emptySlots = <S>(length: number): (S | null)[] => Array.from({ length }, () => null);
