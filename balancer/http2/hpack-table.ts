// The dynamic table of HPACK (RFC 7541 sections 2.3.2 and 4): first in, first out, bounded by the bytes of its entries.

/** What an entry costs besides its text (RFC 7541 section 4.1). */
export const ENTRY_OVERHEAD = 32;

export class DynamicTable {
  /** Rises with every change; a header block that was read between two equal values reads the same again. */
  version = 0;
  #maxBytes: number;
  #bytes = 0;
  /** Oldest first; those before `#first` have left. */
  #names: string[] = [];
  #values: string[] = [];
  #first = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#names.length - this.#first;
  }

  /** Name of the entry that was added `back` entries before the last one; undefined: there is none. */
  name(back: number): string | undefined {
    return back < this.length ? this.#names[this.#names.length - 1 - back] : undefined;
  }

  value(back: number): string {
    return this.#values[this.#values.length - 1 - back] ?? '';
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evict(maxBytes);
  }

  /** An entry larger than the table empties it (RFC 7541 section 4.4). */
  add(name: string, value: string): void {
    const bytes = name.length + value.length + ENTRY_OVERHEAD;
    this.#evict(Math.max(0, this.#maxBytes - bytes));
    if (bytes > this.#maxBytes) return;
    // Pieces of a header block would keep the whole block in memory for as long as they are in the table.
    this.#names.push(unsliced(name));
    this.#values.push(unsliced(value));
    this.#bytes += bytes;
    this.version += 1;
  }

  #evict(downTo: number): void {
    if (this.#bytes <= downTo) return;
    this.version += 1;
    while (this.#bytes > downTo) {
      this.#bytes -= (this.#names[this.#first]?.length ?? 0) + (this.#values[this.#first]?.length ?? 0) + ENTRY_OVERHEAD;
      this.#names[this.#first] = '';
      this.#values[this.#first] = '';
      this.#first += 1;
    }
    if (this.#first * 2 < this.#names.length) return;
    this.#names = this.#names.slice(this.#first);
    this.#values = this.#values.slice(this.#first);
    this.#first = 0;
  }
}

function unsliced(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
