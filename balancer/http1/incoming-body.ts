// The body of a request as it comes in: where it ends, how large it may be, and how fast it must come.
import { BodyPace } from '../message/body-pace.ts';
import { UNKNOWN_LENGTH } from '../message/exchange.ts';
import { ChunkedDecoder, type ChunkedSink } from './chunked.ts';

/** Both 0: no limit. */
export interface BodyLimits {
  readonly bodyBytes: number;
  /** Bytes per second. */
  readonly bodyRate: number;
}

/** What `feed` returns instead of a number of bytes. */
export const MALFORMED = -1;
export const TOO_LARGE = -2;

export class IncomingBody implements ChunkedSink {
  readonly pace: BodyPace;
  readonly #decoder: ChunkedDecoder | null;
  #left: number;
  #room: number;
  #sink: ChunkedSink | null = null;

  constructor(length: number, { bodyBytes, bodyRate }: BodyLimits) {
    this.pace = new BodyPace(bodyRate);
    this.#decoder = length === UNKNOWN_LENGTH ? new ChunkedDecoder() : null;
    this.#left = length;
    this.#room = bodyBytes === 0 ? Infinity : bodyBytes;
  }

  /** Hands on what of `bytes` is body; returns how many it used, MALFORMED or TOO_LARGE. */
  feed(bytes: Buffer, sink: ChunkedSink): number {
    if (this.#decoder === null) return this.#feedSized(bytes, sink);
    this.#sink = sink;
    const used = this.#decoder.feed(bytes, 0, this);
    return this.#room < 0 ? TOO_LARGE : used;
  }

  /** Of the decoder. What is beyond the limit goes nowhere. */
  onBody(chunk: Buffer): void {
    this.#room -= chunk.length;
    if (this.#room >= 0) this.#sink?.onBody(chunk);
  }

  onBodyEnd(trailers: string[]): void {
    if (this.#room >= 0) this.#sink?.onBodyEnd(trailers);
  }

  /** A length beyond the limit was refused with the head. */
  #feedSized(bytes: Buffer, sink: ChunkedSink): number {
    const take = Math.min(this.#left, bytes.length);
    this.#left -= take;
    sink.onBody(take === bytes.length ? bytes : bytes.subarray(0, take));
    if (this.#left === 0) sink.onBodyEnd([]);
    return take;
  }
}
