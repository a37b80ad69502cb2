// The memory a connection reads into: used again and again, and left to whoever still writes from it.

/** One read of a plain socket fills at most this; untouched pages of it cost nothing. */
const PLAIN_BYTES = 65_536;
/** A TLS record holds no more (RFC 8446 section 5.1). */
const TLS_BYTES = 16_384;

export class ReadBuffer {
  readonly #size: number;
  #bytes: Buffer;
  #lent = false;

  constructor(secure: boolean) {
    this.#size = secure ? TLS_BYTES : PLAIN_BYTES;
    this.#bytes = Buffer.allocUnsafeSlow(this.#size);
  }

  /** What was read last is still needed: the next read gets other memory. */
  lend(): void {
    this.#lent = true;
  }

  /** Where the next read goes. */
  next(): Buffer {
    if (this.#lent) {
      this.#lent = false;
      this.#bytes = Buffer.allocUnsafeSlow(this.#size);
    }
    return this.#bytes;
  }
}
