// A body that is kept while it streams to the client. It is stored when it is complete, and given up when it is too large or broken off.
import type { Fields } from '../../message/fields.ts';
import type { BodyTransform, LastBytes } from '../filter.ts';
import type { ResponseStore } from './response-store.ts';

const EMPTY = Buffer.alloc(0);

export class CollectedBody implements BodyTransform {
  readonly watches = true;
  readonly #store: Pick<ResponseStore, 'reserve' | 'release'>;
  readonly #mostBytes: number;
  /** Negative: it is not known. */
  readonly #declared: number;
  readonly #onOver: (body: Buffer | null) => void;
  #pieces: Buffer[] | null = [];
  #bytes = 0;
  #reserved = 0;

  /** `onOver` is called once, with all of it, or with null when it is given up. */
  constructor(
    store: Pick<ResponseStore, 'reserve' | 'release'>,
    length: { readonly most: number; readonly declared: number },
    onOver: (body: Buffer | null) => void,
  ) {
    this.#store = store;
    this.#mostBytes = length.most;
    this.#declared = length.declared;
    this.#onOver = onOver;
  }

  push(chunk: Buffer): Buffer {
    if (this.#pieces === null || chunk.length === 0) return chunk;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#mostBytes || !this.#store.reserve(chunk.length)) {
      this.giveUp();
      return chunk;
    }
    this.#reserved += chunk.length;
    // The bytes are valid for this call only; a small piece would keep the slab of many alive.
    const copy = Buffer.allocUnsafeSlow(chunk.length);
    chunk.copy(copy);
    this.#pieces.push(copy);
    return chunk;
  }

  end(trailers: Fields): LastBytes {
    const pieces = this.#pieces ?? [];
    // What comes behind a body belongs to it, and is not stored.
    const isWhole = trailers.length === 0 && (this.#declared < 0 || this.#declared === this.#bytes);
    this.#leave(isWhole ? () => (pieces.length === 1 ? (pieces[0] ?? EMPTY) : joined(pieces, this.#bytes)) : null);
    return { bytes: EMPTY, trailers };
  }

  /** It is not stored; what follows passes. */
  giveUp(): void {
    this.#leave(null);
  }

  #leave(whole: (() => Buffer) | null): void {
    if (this.#pieces === null) return;
    this.#pieces = null;
    this.#store.release(this.#reserved);
    this.#onOver(whole?.() ?? null);
  }
}

function joined(pieces: readonly Buffer[], bytes: number): Buffer {
  const whole = Buffer.allocUnsafeSlow(bytes);
  let at = 0;
  for (const piece of pieces) at += piece.copy(whole, at);
  return whole;
}
