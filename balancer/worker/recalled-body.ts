// A stored body on its way to the client, in pieces, as fast as the client takes them.

/** Larger ones would be held whole for a client that reads slowly. */
const PIECE_BYTES = 65_536;

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
