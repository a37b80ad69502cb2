// The head of a response (RFC 9112 section 4), as strict towards endpoints as towards clients.
import { isFieldValue } from '../message/grammar.ts';
import { flat } from '../message/shared-fields.ts';
import { latin1 } from '../socket/latin1.ts';
import { emptyBlock, readRememberedBlock, type BlockMemo, type FieldBlock } from './field-block.ts';

export interface ResponseHead1 {
  readonly status: number;
  readonly minor: 0 | 1;
  readonly block: Readonly<FieldBlock>;
}

const MAX_FIELDS = 256;
/** Longer heads are not kept. */
const MAX_KEPT_BYTES = 2048;

/**
 * Reads the heads of an endpoint's responses. One that comes again and again, on whichever of the connections, is compared and not read: it is
 * the same to the byte, and lies in one place for all of them, where each would have its own fetched from memory.
 */
export class ResponseHeads {
  readonly #memo: BlockMemo = { text: '', block: emptyBlock() };
  /** The last head whose fields came twice; empty: none, or another came since. */
  #text = '';
  #head: ResponseHead1 | null = null;

  /** Length of the head that `again` found. */
  get keptBytes(): number {
    return this.#text.length;
  }

  /** The head at the beginning of `bytes`, if it is the one that was kept. */
  again(bytes: Buffer, at: number, until: number): ResponseHead1 | null {
    const { length } = this.#text;
    if (length === 0 || until - at < length) return null;
    if (latin1(bytes, at, at + length) === this.#text) return this.#head;
    // Not compared again before there is another one that repeats.
    this.#text = '';
    return null;
  }

  /** Parses the head that `text` begins with; `end` is the index behind the empty line. Null: malformed. */
  read(text: string, end: number): ResponseHead1 | null {
    const before = this.#memo.block;
    const head = parseResponseHead(text, end, this.#memo);
    if (head === null || head.block !== before || head.status < 200 || end > MAX_KEPT_BYTES) return head;
    this.#text = flat(text.slice(0, end));
    this.#head = head;
    return head;
  }
}

function parseResponseHead(text: string, end: number, memo: BlockMemo): ResponseHead1 | null {
  const lineEnd = text.indexOf('\r\n');
  if (!text.startsWith('HTTP/1.')) return null;
  const minorCode = text.charCodeAt(7);
  if ((minorCode !== 0x31 && minorCode !== 0x30) || text.charCodeAt(8) !== 0x20) return null;
  const status = statusOf(text, 9);
  // `HTTP/1.1 200` without the space before an empty reason phrase is common enough to be let through.
  const behind = lineEnd === 12 ? 0x20 : text.charCodeAt(12);
  if (status < 100 || behind !== 0x20 || !isFieldValue(text, 12, lineEnd)) return null;
  const block = readRememberedBlock(text, { at: lineEnd + 2, end: end - 2 }, MAX_FIELDS, memo);
  if (typeof block === 'string') return null;
  if (block.contentLength >= 0 && block.chunked) return null;
  if (minorCode === 0x30 && block.chunked) return null;
  return { status, minor: minorCode === 0x31 ? 1 : 0, block };
}

/** Three digits, 100 to 599; 0 for everything else. */
function statusOf(text: string, at: number): number {
  const a = text.charCodeAt(at) - 0x30;
  const b = text.charCodeAt(at + 1) - 0x30;
  const c = text.charCodeAt(at + 2) - 0x30;
  const digits = a >= 1 && a <= 5 && b >= 0 && b <= 9 && c >= 0 && c <= 9;
  return digits ? a * 100 + b * 10 + c : 0;
}
