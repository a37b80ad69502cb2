// Header blocks of responses, read and checked (RFC 9113 section 8.3.2), and remembered as long as they keep coming.
import { UNKNOWN_LENGTH } from '../message/exchange.ts';
import { contentLengthOf, FieldKind } from '../message/field-names.ts';
import type { Fields } from '../message/fields.ts';
import { share } from '../message/shared-fields.ts';
import { Http2Error } from './frame.ts';
import { isConnectionSpecific, kindOf } from './field-rules.ts';
import { Decoded, HpackDecoder } from './hpack-decoder.ts';

/** `status` 0: trailers, which have no pseudo fields. */
export interface BlockHead {
  readonly status: number;
  /** Shared by all equal blocks: to be copied before it is changed. */
  readonly fields: Fields;
  readonly contentLength: number;
}

/** Places for remembered blocks; a block has one place, and the newest stays. */
const PLACES = 256;
/** Longer blocks are not kept. */
const MAX_REMEMBERED = 1024;
/** Reads the blocks of one connection whose peer was told to use no table. */
export class ResponseHeads {
  readonly #decoder: HpackDecoder;
  readonly #texts: string[] = new Array<string>(PLACES).fill('');
  readonly #heads: (BlockHead | null)[] = new Array<BlockHead | null>(PLACES).fill(null);

  constructor(maxBytes: number) {
    this.#decoder = new HpackDecoder(0, maxBytes);
  }

  /** Null: the block can be read and is not what a response may have. A number: it cannot be read, which ends the connection. */
  read(block: string): BlockHead | null | number {
    const place = placeOf(block);
    if (this.#texts[place] === block) return this.#heads[place] ?? null;
    const fields: Fields = [];
    const outcome = this.#decoder.decode(block, fields);
    if (outcome === Decoded.Broken) return Http2Error.CompressionError;
    const head = outcome === Decoded.TooLarge ? null : check(fields);
    if (block.length <= MAX_REMEMBERED) {
      this.#texts[place] = block;
      this.#heads[place] = head;
      if (head !== null) share(head.fields);
    }
    return head;
  }
}

/** A few characters spread over the block tell most blocks apart: the date is in its middle, ids are at its end. */
function placeOf(block: string): number {
  const length = block.length;
  const mix = length * 31 + block.charCodeAt(length >> 1) * 7 + block.charCodeAt(length - 1) * 3 + block.charCodeAt(length - 3);
  return mix & (PLACES - 1);
}

function check(decoded: Fields): BlockHead | null {
  const fields: Fields = [];
  let status = 0;
  let contentLength = UNKNOWN_LENGTH;
  for (let i = 0; i < decoded.length; i += 2) {
    const name = decoded[i] ?? '';
    const value = decoded[i + 1] ?? '';
    if (name === ':status') {
      if (i !== 0 || !/^[1-5]\d\d$/.test(value)) return null;
      status = Number(value);
      continue;
    }
    const kind = kindOf(name, value);
    if (kind < 0 || isConnectionSpecific(kind)) return null;
    if (kind === FieldKind.ContentLength) {
      if (contentLength !== UNKNOWN_LENGTH) return null;
      contentLength = contentLengthOf(value);
      if (contentLength < 0) return null;
    } else fields.push(name, value);
  }
  return { status, fields, contentLength };
}
