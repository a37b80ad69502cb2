// The body of a request as it comes in: where it ends, how large it may be, and how fast it must come.
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

/** A client may take this long to get going, and again after it was held back. */
const GRACE_MS = 5000;

export class IncomingBody implements ChunkedSink {
  readonly #decoder: ChunkedDecoder | null;
  readonly #msPerByte: number;
  #left: number;
  #room: number;
  #dueMs = Infinity;
  #sink: ChunkedSink | null = null;

  constructor(length: number, { bodyBytes, bodyRate }: BodyLimits) {
    this.#decoder = length === UNKNOWN_LENGTH ? new ChunkedDecoder() : null;
    this.#left = length;
    this.#room = bodyBytes === 0 ? Infinity : bodyBytes;
    this.#msPerByte = bodyRate === 0 ? 0 : 1000 / bodyRate;
  }

  /** When the next byte must have come for the body to be fast enough. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** The client is asked for the body, for the first time or again. */
  awaited(nowMs: number): void {
    if (this.#msPerByte === 0) return;
    this.#dueMs = this.#dueMs === Infinity ? nowMs + GRACE_MS : Math.max(this.#dueMs, nowMs + GRACE_MS);
  }

  /** Bytes buy time, framing included; more than `mostMs` of it cannot be saved up. */
  arrived(bytes: number, nowMs: number, mostMs: number): void {
    if (this.#msPerByte > 0) this.#dueMs = Math.min(this.#dueMs + bytes * this.#msPerByte, nowMs + Math.max(GRACE_MS, mostMs));
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
