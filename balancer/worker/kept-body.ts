// A small request body, kept while it is on its way, so that a request can be sent again whose body the client has sent but once.
import type { Fields } from '../message/fields.ts';

/** Larger bodies are not kept: their requests are sent once. */
export const MAX_KEPT_BYTES = 64 * 1024;
/** Of all bodies that a worker keeps. */
const MAX_MEMORY_BYTES = 8 * 1024 * 1024;

/** What the bodies of a worker share. */
export class BodyMemory {
  /** Bytes that are kept now. */
  used = 0;

  get isFull(): boolean {
    return this.used > MAX_MEMORY_BYTES;
  }
}

/** As an attempt is. */
export interface BodyTaker {
  sendBody(chunk: Buffer): boolean;
  endBody(trailers: Fields): void;
}

export class KeptBody {
  readonly #memory: BodyMemory;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #trailers: Fields | null = null;

  constructor(memory: BodyMemory) {
    this.#memory = memory;
  }

  /** Null: the body has not ended. */
  get trailers(): Fields | null {
    return this.#trailers;
  }

  /** Whether none of it has come yet. */
  get isEmpty(): boolean {
    return this.#bytes === 0 && this.#trailers === null;
  }

  get isTooLarge(): boolean {
    return this.#bytes > MAX_KEPT_BYTES || this.#memory.isFull;
  }

  /** Keeps a copy of the bytes, even when they are too many: who cannot send them on has nothing else. */
  add(bytes: Buffer): Buffer {
    const copy = Buffer.from(bytes);
    this.#chunks.push(copy);
    this.#bytes += copy.length;
    this.#memory.used += copy.length;
    return copy;
  }

  end(trailers: Fields): void {
    this.#trailers = trailers;
  }

  /** All that is kept, and the end if it has come. Whether the taker can take more at once. A taker that failed in the middle takes the rest for nothing. */
  sendTo(taker: BodyTaker): boolean {
    let flowing = true;
    for (const chunk of this.#chunks) flowing = taker.sendBody(chunk);
    if (this.#trailers !== null) taker.endBody(this.#trailers);
    return flowing;
  }

  /** It is not needed any more. */
  release(): void {
    this.#memory.used -= this.#bytes;
    this.#bytes = 0;
    this.#chunks.length = 0;
  }
}
