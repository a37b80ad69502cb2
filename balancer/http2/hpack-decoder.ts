// HPACK header blocks to fields (RFC 7541), strict: what the format does not allow ends the connection, since its table is lost.
import type { Fields } from '../message/fields.ts';
import { huffmanDecode } from './hpack-huffman.ts';
import { STATIC_ENTRIES, STATIC_TABLE } from './hpack-static.ts';
import { DynamicTable, ENTRY_OVERHEAD } from './hpack-table.ts';

export const Decoded = {
  Well: 0,
  /** The block is read and the table right, but the fields are more than may be held: what was read of them is incomplete. */
  TooLarge: 1,
  /** COMPRESSION_ERROR of the connection. */
  Broken: 2,
} as const;
export type DecodedNumber = (typeof Decoded)[keyof typeof Decoded];

/** Octets of an integer behind its prefix: enough for 2^28, more than any size here. */
const MAX_INTEGER_OCTETS = 4;
/** The smallest of the interval, then the last (RFC 7541 section 4.2). */
const MAX_SIZE_UPDATES = 2;

export class HpackDecoder {
  readonly #table: DynamicTable;
  readonly #maxListBytes: number;
  /** What the peer may make the table, by our SETTINGS. */
  #limit: number;
  /** The peer has to lower its table before anything else. */
  #mustLower = false;
  /** Of the block that is being read. */
  #block = '';
  #at = 0;
  #text = '';

  /** `tableLimit`: SETTINGS_HEADER_TABLE_SIZE of ours. `maxListBytes`: sum of name, value and 32 for each field of a block. */
  constructor(tableLimit: number, maxListBytes: number) {
    this.#limit = tableLimit;
    this.#maxListBytes = maxListBytes;
    this.#table = new DynamicTable(tableLimit);
  }

  /** Changes with the table: equal blocks read at equal versions are equal fields. */
  get version(): number {
    return this.#table.version;
  }

  /** The peer has acknowledged another SETTINGS_HEADER_TABLE_SIZE (RFC 9113 section 4.3.1). */
  setTableLimit(bytes: number): void {
    this.#limit = bytes;
    if (bytes >= this.#table.maxBytes) return;
    if (this.#table.bytes > bytes) this.#mustLower = true;
    else this.#table.resize(bytes);
  }

  /** Appends the fields of `block` to `into`, pseudo-header fields included, in their order. */
  decode(block: string, into: Fields): DecodedNumber {
    this.#block = block;
    this.#at = 0;
    if (!this.#takeSizeUpdates()) return Decoded.Broken;
    const table = this.#table;
    let listBytes = 0;
    while (this.#at < block.length) {
      const octet = block.charCodeAt(this.#at);
      let name: string | undefined;
      let value = '';
      if (octet >= 0x80) {
        const index = this.#integer(0x7f);
        if (index <= 0) return Decoded.Broken;
        name = this.#nameAt(index);
        value = index <= STATIC_ENTRIES ? (STATIC_TABLE[index * 2 - 1] ?? '') : table.value(index - STATIC_ENTRIES - 1);
        if (name === undefined) return Decoded.Broken;
      } else {
        // A size update may only stand at the beginning (RFC 7541 section 4.2).
        if (octet >= 0x20 && octet < 0x40) return Decoded.Broken;
        const indexing = octet >= 0x40;
        const index = this.#integer(indexing ? 0x3f : 0x0f);
        if (index < 0) return Decoded.Broken;
        if (index > 0) name = this.#nameAt(index);
        else if (this.#string()) name = this.#text;
        if (name === undefined || !this.#string()) return Decoded.Broken;
        value = this.#text;
        if (indexing) table.add(name, value);
      }
      listBytes += name.length + value.length + ENTRY_OVERHEAD;
      if (listBytes <= this.#maxListBytes) into.push(name, value);
    }
    this.#block = '';
    this.#text = '';
    return listBytes <= this.#maxListBytes ? Decoded.Well : Decoded.TooLarge;
  }

  #takeSizeUpdates(): boolean {
    for (let count = 0; (this.#block.charCodeAt(this.#at) & 0xe0) === 0x20; count += 1) {
      const bytes = this.#integer(0x1f);
      if (bytes < 0 || bytes > this.#limit || count === MAX_SIZE_UPDATES) return false;
      this.#table.resize(bytes);
      this.#mustLower = false;
    }
    return !this.#mustLower;
  }

  #nameAt(index: number): string | undefined {
    return index <= STATIC_ENTRIES ? STATIC_TABLE[index * 2 - 2] : this.#table.name(index - STATIC_ENTRIES - 1);
  }

  /** An integer with a prefix of the bits in `mask` (RFC 7541 section 5.1); -1: cut off or too long. */
  #integer(mask: number): number {
    const block = this.#block;
    let value = block.charCodeAt(this.#at) & mask;
    this.#at += 1;
    if (value < mask) return value;
    for (let octets = 0; octets < MAX_INTEGER_OCTETS; octets += 1) {
      if (this.#at >= block.length) return -1;
      const octet = block.charCodeAt(this.#at);
      this.#at += 1;
      value += (octet & 0x7f) << (7 * octets);
      if (octet < 0x80) return value;
    }
    return -1;
  }

  /** Reads a string literal into `#text` (RFC 7541 section 5.2); false: cut off, or its code is broken. */
  #string(): boolean {
    const block = this.#block;
    if (this.#at >= block.length) return false;
    const coded = block.charCodeAt(this.#at) >= 0x80;
    const length = this.#integer(0x7f);
    const from = this.#at;
    const to = from + length;
    if (length < 0 || to > block.length) return false;
    this.#at = to;
    if (!coded) {
      this.#text = block.slice(from, to);
      return true;
    }
    const text = huffmanDecode(block, from, to);
    this.#text = text ?? '';
    return text !== null;
  }
}
