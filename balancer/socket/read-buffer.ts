// The memory a connection reads into: used again and again, and left to whoever still writes from it.

/** One read of a plain socket fills at most this; untouched pages of it cost nothing. */
const PLAIN_BYTES = 65_536;
/** Where a read has filled that: with a quarter of the calls of the system a byte of a large body costs half, and more than this lies in no cache. */
const FLOWING_BYTES = 262_144;
/** A TLS record holds no more (RFC 8446 section 5.1). */
const TLS_BYTES = 16_384;
/** So many of `FLOWING_BYTES` are kept for the bodies to come. */
const MAX_SPARE = 8;

/** Memory that large bodies have left: what each one allocates costs more to collect than to fill. */
const SPARE: Buffer[] = [];

/**
 * Where connections of this process are read to that have used up, or copied, what was read before the call is over: it stays in the cache of
 * the core, where memory of each connection's own is fetched for each of its reads.
 */
export const COMMON_MEMORY = Buffer.allocUnsafeSlow(PLAIN_BYTES);

export class ReadBuffer {
  readonly #secure: boolean;
  #size: number;
  #bytes: Buffer | null = null;
  #lent = false;

  constructor(secure: boolean) {
    this.#secure = secure;
    this.#size = secure ? TLS_BYTES : PLAIN_BYTES;
  }

  /** The last read took all the memory it was given: more waits, and the next one is given more. */
  filled(): void {
    if (this.#secure || this.#size === FLOWING_BYTES) return;
    this.#size = FLOWING_BYTES;
    this.#bytes = null;
  }

  /** What was read last is still needed: the next read gets other memory. */
  lend(): void {
    this.#lent = true;
  }

  /** A copy of `part` that lasts as what is read here does: until the next read, or for as long as it is lent. */
  keep(part: Buffer): Buffer {
    const spare = this.#secure ? undefined : SPARE.pop();
    if (spare === undefined && (this.#secure || part.length <= PLAIN_BYTES / 2)) return Buffer.from(part);
    const memory = (this.#bytes = spare ?? Buffer.allocUnsafeSlow(FLOWING_BYTES));
    this.#size = FLOWING_BYTES;
    this.#lent = false;
    part.copy(memory);
    return memory.subarray(0, part.length);
  }

  /** Nothing of what was read is needed any more, and no read goes there before `next` or `keep` say so: the memory is anybody's. */
  giveBack(): void {
    if (this.#bytes?.length === FLOWING_BYTES && !this.#lent && SPARE.length < MAX_SPARE) SPARE.push(this.#bytes);
    this.#bytes = null;
    this.#lent = false;
    if (!this.#secure) this.#size = PLAIN_BYTES;
  }

  /** Where the next read goes. */
  next(): Buffer {
    if (this.#bytes !== null && !this.#lent) return this.#bytes;
    // Whoever takes bytes slower than they come holds little of them here.
    if (this.#lent && !this.#secure) this.#size = PLAIN_BYTES;
    const spare = this.#size === FLOWING_BYTES ? SPARE.pop() : undefined;
    this.#lent = false;
    return (this.#bytes = spare ?? Buffer.allocUnsafeSlow(this.#size));
  }
}
