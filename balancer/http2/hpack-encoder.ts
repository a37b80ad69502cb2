// Fields to HPACK header blocks (RFC 7541) without a table of our own: a line is always the same text, so it is remembered.
import type { Fields } from '../message/fields.ts';
import { huffmanEncode, huffmanLength } from './hpack-huffman.ts';
import { staticLineIndex, staticNameIndex } from './hpack-static.ts';

/**
 * Sets the peer's table for our blocks to nothing (RFC 7541 section 6.3). The first block of a connection begins with it: whatever
 * SETTINGS_HEADER_TABLE_SIZE the peer sends, now or later, there is nothing left to lower.
 */
export const NO_TABLE = '\x20';

const NEVER_INDEXED = 0x10;
/** Secrets: nobody on the way may put them into a table (RFC 7541 section 7.1.3), and we do not keep them either. */
const SECRET = new Set(['authorization', 'cookie', 'proxy-authorization', 'set-cookie']);
/** Their values hardly ever come back. */
const UNIQUE = new Set(['content-length', 'etag', 'traceparent', 'tracestate', 'x-request-id']);
/** Bounds what strangers can make us remember: values are theirs. Two halves of this much each. */
const MAX_LINES = 2048;
const MAX_LINE_LENGTH = 512;
const MAX_TEXT = 262_144;

export class FieldEncoder {
  readonly #huffman: boolean;
  /** Lines used lately, by name and value; when they are many they become the old ones, and those of before are forgotten. */
  #young = new Map<string, Map<string, string>>();
  #old = new Map<string, Map<string, string>>();
  #lines = 0;
  #bytes = 0;

  /** `huffman`: values are made shorter where that helps; it costs time where a line is not remembered. */
  constructor(huffman: boolean) {
    this.#huffman = huffman;
  }

  /** The lines of a block, `fields` being name, value, name, value, …; names are lower case. */
  block(fields: Readonly<Fields>): string {
    let text = '';
    for (let i = 0; i < fields.length; i += 2) text += this.line(fields[i] ?? '', fields[i + 1] ?? '');
    return text;
  }

  /** One line. Value and name are checked already: their characters are bytes. */
  line(name: string, value: string): string {
    return this.#young.get(name)?.get(value) ?? this.#make(name, value);
  }

  #make(name: string, value: string): string {
    if (SECRET.has(name)) return literal(NEVER_INDEXED, name, value, false);
    if (UNIQUE.has(name) || name.length + value.length > MAX_LINE_LENGTH) return literal(0, name, value, false);
    const index = staticLineIndex(name, value);
    const text = this.#old.get(name)?.get(value) ?? (index > 0 ? integer(0x80, 0x7f, index) : literal(0, name, value, this.#huffman));
    this.#remember(name, value, text);
    return text;
  }

  #remember(name: string, value: string, text: string): void {
    if (this.#lines >= MAX_LINES || this.#bytes >= MAX_TEXT) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#lines = 0;
      this.#bytes = 0;
    }
    let lines = this.#young.get(name);
    if (lines === undefined) {
      lines = new Map();
      this.#young.set(unsliced(name), lines);
    }
    // Pieces of a head would keep the whole head in memory, and the text is a tree of pieces until it is written out.
    lines.set(unsliced(value), unsliced(text));
    this.#lines += 1;
    this.#bytes += name.length + value.length + text.length;
  }
}

/** Makes lines of one field whose values do not come back; they are remembered by nobody. */
export function lineOf(name: string): (value: string) => string {
  const index = staticNameIndex(name);
  const head = index > 0 ? integer(0, 0x0f, index) : `\0${stringLiteral(name, false)}`;
  return (value) => head + stringLiteral(value, false);
}

/** A literal that is not indexed (RFC 7541 sections 6.2.2 and 6.2.3). */
function literal(kind: number, name: string, value: string, huffman: boolean): string {
  const index = staticNameIndex(name);
  const head = index > 0 ? integer(kind, 0x0f, index) : String.fromCharCode(kind) + stringLiteral(name, huffman);
  return head + stringLiteral(value, huffman);
}

function stringLiteral(text: string, huffman: boolean): string {
  if (huffman) {
    const length = huffmanLength(text);
    if (length < text.length) return integer(0x80, 0x7f, length) + huffmanEncode(text);
  }
  return integer(0, 0x7f, text.length) + text;
}

/** An integer behind the bits `kind`, with a prefix of the bits in `mask` (RFC 7541 section 5.1). */
function integer(kind: number, mask: number, value: number): string {
  if (value < mask) return String.fromCharCode(kind | value);
  let text = String.fromCharCode(kind | mask);
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) text += String.fromCharCode((rest & 0x7f) | 0x80);
  return text + String.fromCharCode(rest);
}

function unsliced(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
