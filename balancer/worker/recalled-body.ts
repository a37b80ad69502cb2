// A stored response on its way to the client: its head past the other filters, its body in pieces, as fast as the client takes them.
import type { ResponseHead, StoredReply } from '../message/response.ts';
import type { RouteRuntime } from './generation.ts';

/** Larger ones would be held whole for a client that reads slowly. */
const PIECE_BYTES = 65_536;

/** The head of its own that filters may change; null: none of them does, and all answers can have the same one. */
export function changeableHead({ status, fields, bodyLength }: StoredReply, route: RouteRuntime | null): ResponseHead | null {
  return route?.changesRecalled === true ? { status, fields: [...fields], bodyLength, isRecalled: true } : null;
}

export interface RecalledBodyOwner {
  readonly finished: boolean;
  /** False: wait for `resume`. */
  onResponseBody(piece: Buffer): boolean;
  onRecalledEnd(): void;
}

export class RecalledBody {
  readonly #bytes: Buffer;
  readonly #owner: RecalledBodyOwner;
  #at = 0;

  constructor(bytes: Buffer, owner: RecalledBodyOwner) {
    this.#bytes = bytes;
    this.#owner = owner;
  }

  resume(): void {
    const owner = this.#owner;
    while (this.#at < this.#bytes.length && !owner.finished) {
      const whole = this.#at === 0 && this.#bytes.length <= PIECE_BYTES;
      const piece = whole ? this.#bytes : this.#bytes.subarray(this.#at, this.#at + PIECE_BYTES);
      this.#at += piece.length;
      if (!owner.onResponseBody(piece)) return;
    }
    if (!owner.finished) owner.onRecalledEnd();
  }
}
