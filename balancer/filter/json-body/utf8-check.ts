// Whether what comes in pieces is UTF-8: readers of other bytes differ in where a text ends.
import { isUtf8 } from 'node:buffer';

const EMPTY = Buffer.alloc(0);
const LONGEST = 4;

export class Utf8Check {
  /** The beginning of a character whose rest comes with the next piece. */
  #begun: Buffer = EMPTY;

  /** False: it is not. */
  push(piece: Buffer): boolean {
    let from = 0;
    if (this.#begun.length > 0) {
      from = Math.min(piece.length, lengthBy(this.#begun[0] ?? 0) - this.#begun.length);
      this.#begun = Buffer.concat([this.#begun, piece.subarray(0, from)]);
      if (this.#begun.length < lengthBy(this.#begun[0] ?? 0)) return true;
      if (!isUtf8(this.#begun)) return false;
      this.#begun = EMPTY;
    }
    const end = piece.length - begunAtEnd(piece, from);
    if (end < piece.length) this.#begun = Buffer.from(piece.subarray(end));
    return isUtf8(from === 0 && end === piece.length ? piece : piece.subarray(from, end));
  }

  /** Whether nothing is missing. */
  get isWhole(): boolean {
    return this.#begun.length === 0;
  }
}

/** By its first byte; 1 for what begins nothing. */
function lengthBy(byte: number): number {
  if (byte >= 0xf0 && byte <= 0xf4) return LONGEST;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  return byte >= 0xc2 && byte < 0xe0 ? 2 : 1;
}

/** Bytes of a character that is not complete. */
function begunAtEnd(piece: Buffer, from: number): number {
  for (let back = 1; back < LONGEST && piece.length - back >= from; back += 1) {
    const byte = piece[piece.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return lengthBy(byte) > back ? back : 0;
  }
  return 0;
}
