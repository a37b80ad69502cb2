// The chunked coding (RFC 9112 section 7.1), taken apart byte by byte and never trusted: sizes bounded, line ends exact.
import type { Fields } from '../message/fields.ts';
import { ChunkExtension, Step } from './chunk-extension.ts';
import { emptyBlock, readFieldBlock } from './field-block.ts';
import { latin1 } from '../socket/latin1.ts';
import { withoutForbidden } from '../message/trailers.ts';

export interface ChunkedSink {
  onBody(chunk: Buffer): void;
  onBodyEnd(trailers: Fields): void;
}

const State = { Size: 0, Extension: 1, SizeLf: 2, Data: 3, DataCr: 4, DataLf: 5, Trailers: 6, Done: 7 } as const;
type StateNumber = (typeof State)[keyof typeof State];

const MAX_SIZE_DIGITS = 12;
/** Moving more costs more than the piece that is saved. */
const MAX_MOVED = 1024;
const MAX_TRAILER_BYTES = 8192;
const MAX_TRAILERS = 32;
/** Decodes one chunked body. After `done` or a problem it takes no more. */
export class ChunkedDecoder {
  #state: StateNumber = State.Size;
  #size = 0;
  #digits = 0;
  #extension: ChunkExtension | null = null;
  #trailers = '';

  get done(): boolean {
    return this.#state === State.Done;
  }

  /**
   * Feeds `chunk` from `at`; returns the index of the first byte it did not use, or -1 when the coding is malformed. Small pieces of data are
   * moved together within `chunk`, over the sizes between them, so that thousands of tiny chunks are not thousands of pieces to send on.
   */
  feed(chunk: Buffer, at: number, sink: ChunkedSink): number {
    let i = at;
    // Data that was found and not yet handed on.
    let from = at;
    let to = at;
    while (i < chunk.length && this.#state !== State.Done) {
      if (this.#state === State.Data) {
        const take = Math.min(this.#size, chunk.length - i);
        if (to > from && take <= MAX_MOVED) {
          chunk.copyWithin(to, i, i + take);
          to += take;
        } else {
          if (to > from) sink.onBody(chunk.subarray(from, to));
          from = i;
          to = i + take;
        }
        this.#size -= take;
        i += take;
        if (this.#size === 0) this.#state = State.DataCr;
      } else if (this.#state === State.Trailers) {
        if (to > from) sink.onBody(chunk.subarray(from, to));
        from = to;
        i = this.#readTrailers(chunk, i, sink);
        if (i < 0) return -1;
      } else {
        if (!this.#step(chunk[i] ?? 0)) return -1;
        i += 1;
      }
    }
    if (to > from) sink.onBody(chunk.subarray(from, to));
    return i;
  }

  #step(byte: number): boolean {
    switch (this.#state) {
      case State.Size:
        return this.#stepSize(byte);
      case State.Extension:
        return this.#stepExtension(byte);
      case State.SizeLf:
        if (byte !== 0x0a) return false;
        this.#state = this.#size === 0 ? State.Trailers : State.Data;
        this.#digits = 0;
        return true;
      case State.DataCr:
        this.#state = State.DataLf;
        return byte === 0x0d;
      case State.DataLf:
        this.#state = State.Size;
        this.#size = 0;
        return byte === 0x0a;
      default:
        return false;
    }
  }

  #stepSize(byte: number): boolean {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit;
      this.#digits += 1;
      return this.#digits <= MAX_SIZE_DIGITS;
    }
    if (this.#digits === 0) return false;
    if (byte === 0x0d) this.#state = State.SizeLf;
    else if (byte === 0x3b) this.#state = State.Extension;
    else return false;
    return true;
  }

  #stepExtension(byte: number): boolean {
    const step = (this.#extension ??= new ChunkExtension()).step(byte);
    if (step === Step.Malformed) return false;
    if (step === Step.End) {
      this.#extension = null;
      this.#state = State.SizeLf;
    }
    return true;
  }

  #readTrailers(chunk: Buffer, at: number, sink: ChunkedSink): number {
    const before = this.#trailers.length;
    this.#trailers += latin1(chunk, at, Math.min(chunk.length, at + MAX_TRAILER_BYTES + 4));
    if (this.#trailers.startsWith('\r\n')) return this.#finish(at + 2 - before, [], sink);
    const end = this.#trailers.indexOf('\r\n\r\n');
    if (end < 0) {
      const malformed = this.#trailers.length > MAX_TRAILER_BYTES || hasBareLineEnd(this.#trailers);
      return malformed ? -1 : chunk.length;
    }
    const block = emptyBlock();
    const problem = readFieldBlock(this.#trailers, { at: 0, end: end + 2 }, MAX_TRAILERS, block);
    if (problem !== null || block.hosts > 0 || block.contentLength >= 0 || block.chunked) return -1;
    return this.#finish(at + end + 4 - before, withoutForbidden(block.fields), sink);
  }

  #finish(index: number, trailers: Fields, sink: ChunkedSink): number {
    this.#state = State.Done;
    this.#trailers = '';
    sink.onBodyEnd(trailers);
    return index;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function hasBareLineEnd(text: string): boolean {
  return /\r[^\n]|(?:^|[^\r])\n/.test(text);
}
