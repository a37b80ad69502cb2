// CIDR blocks with what is said of each: of the blocks that hold an address, the longest counts.
import { isIP } from 'node:net';

const V4_BYTES = 4;
const V6_BYTES = 16;
/** `::ffff:0:0/96`: IPv4 in IPv6 (RFC 4291 section 2.5.5.2). */
const MAPPED_BITS = 96;

/** Two children of a node; the root is nobody's child, so 0 is none. */
const CHILDREN = 2;

/** A trie of bits, so that a look-up takes as many steps as the longest prefix has bits, however many blocks there are, and allocates nothing. */
export class AddressTable {
  readonly #v4 = new BitTrie();
  readonly #v6 = new BitTrie();
  readonly #bytes = new Uint8Array(V6_BYTES);
  /** A client asks more than once. */
  #lastAddress = '';
  #last: string | null = null;

  /** `blocks` are addresses or `address/prefix`, already validated by the config. */
  constructor(blocks: Readonly<Record<string, string>> = {}) {
    for (const [block, value] of Object.entries(blocks)) this.add(block, value);
  }

  /** Of thousands of blocks a few at a time. */
  add(block: string, value: string): void {
    const { bytes, prefix } = readBlock(block);
    (bytes.length === V4_BYTES ? this.#v4 : this.#v6).add(bytes, prefix, value);
    this.#lastAddress = '';
    this.#last = null;
  }

  /** Null: no block holds it, or it is no address. */
  find(address: string): string | null {
    if (address === this.#lastAddress) return this.#last;
    const length = readAddress(address, this.#bytes);
    this.#last = length === 0 ? null : (length === V4_BYTES ? this.#v4 : this.#v6).find(this.#bytes, length);
    this.#lastAddress = address;
    return this.#last;
  }
}

class BitTrie {
  readonly #children: number[] = [0, 0];
  /** Of each node; null: its prefix is no block. */
  readonly #values: (string | null)[] = [null];

  add(bytes: Uint8Array, prefix: number, value: string): void {
    let node = 0;
    for (let bit = 0; bit < prefix; bit += 1) {
      const child = node * CHILDREN + bitOf(bytes, bit);
      let next = this.#children[child] ?? 0;
      if (next === 0) {
        next = this.#values.length;
        this.#children[child] = next;
        this.#children.push(0, 0);
        this.#values.push(null);
      }
      node = next;
    }
    this.#values[node] = value;
  }

  find(bytes: Uint8Array, length: number): string | null {
    let node = 0;
    let found = this.#values[0] ?? null;
    for (let bit = 0; bit < length * 8; bit += 1) {
      node = this.#children[node * CHILDREN + bitOf(bytes, bit)] ?? 0;
      if (node === 0) return found;
      found = this.#values[node] ?? found;
    }
    return found;
  }
}

function bitOf(bytes: Uint8Array, bit: number): number {
  return ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1;
}

/** Two blocks with the same name hold the same addresses, however they are written. */
export function blockName(block: string): string {
  const { bytes, prefix } = readBlock(block);
  const kept = bytes.map((byte, index) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - index * 8))));
  return `${Buffer.from(kept).toString('hex')}/${prefix}`;
}

function readBlock(block: string): { readonly bytes: Uint8Array; readonly prefix: number } {
  const [address = '', written] = block.split('/');
  const bytes = new Uint8Array(V6_BYTES);
  const isV4 = isIP(address) === 4;
  const length = readAddress(address, bytes);
  if (length === 0) throw new Error(`"${block}" is no address block`);
  const prefix = Number(written ?? (isV4 ? 32 : 128));
  if (isV4) return { bytes: bytes.slice(0, V4_BYTES), prefix };
  // Of a mapped block that is wider than all of IPv4 the addresses are those of IPv6.
  if (length === V4_BYTES && prefix >= MAPPED_BITS) return { bytes: bytes.slice(0, V4_BYTES), prefix: prefix - MAPPED_BITS };
  readV6(address, bytes);
  return { bytes, prefix };
}

/** Writes an address into `bytes`. How many it has: 4, 16, or 0 when it is none; a mapped one is one of IPv4. */
function readAddress(address: string, bytes: Uint8Array): number {
  const family = isIP(address);
  if (family === 0) return 0;
  if (family === 4) {
    readV4(address, 0, bytes, 0);
    return V4_BYTES;
  }
  readV6(address, bytes);
  for (let at = 0; at < 10; at += 1) if (bytes[at] !== 0) return V6_BYTES;
  if (bytes[10] !== 0xff || bytes[11] !== 0xff) return V6_BYTES;
  bytes.copyWithin(0, 12, 16);
  return V4_BYTES;
}

/** The dotted address that begins at `from`. */
function readV4(text: string, from: number, bytes: Uint8Array, to: number): void {
  let [at, value] = [to, 0];
  for (let index = from; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === PERCENT) break;
    if (code === DOT) [bytes[at], at, value] = [value, at + 1, 0];
    else value = value * 10 + code - ZERO;
  }
  bytes[at] = value;
}

const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const PERCENT = 0x25;

/** Of a digit or a letter in either case. */
function hexDigit(code: number): number {
  return code < 0x40 ? code - ZERO : (code | 0x20) - 0x57;
}

/** `text` is an address of IPv6; its zone says nothing here. */
function readV6(text: string, bytes: Uint8Array): void {
  bytes.fill(0);
  let at = 0;
  /** Where `::` is; what stands behind it belongs to the end. */
  let gap = -1;
  let group = -1;
  let begin = 0;
  for (let index = 0; index <= text.length; index += 1) {
    const code = index < text.length ? text.charCodeAt(index) : PERCENT;
    if (code === DOT) {
      readV4(text, begin, bytes, at);
      at += V4_BYTES;
      group = -1;
      break;
    }
    if (code !== COLON && code !== PERCENT) {
      group = (group === -1 ? 0 : group << 4) | hexDigit(code);
      continue;
    }
    if (group !== -1) {
      bytes[at] = group >> 8;
      bytes[at + 1] = group & 0xff;
      at += 2;
      group = -1;
    } else if (code === COLON && index > 0) gap = at;
    if (code === PERCENT) break;
    begin = index + 1;
  }
  if (gap === -1) return;
  bytes.copyWithin(V6_BYTES - (at - gap), gap, at);
  bytes.fill(0, gap, V6_BYTES - (at - gap));
}
