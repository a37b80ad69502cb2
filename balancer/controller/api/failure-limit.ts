// Slows down guessing: an address that keeps presenting bad tokens is answered 429 for a while; good tokens always pass.
import type { Clock } from '../../../health/clock.ts';

/** Failures an address may make at once; then one more every REFILL_MS. */
const BURST = 10;
const REFILL_MS = 6000;
/** Addresses remembered; the one longest quiet is forgotten first, so that a flood of addresses costs bounded memory. */
const MAX_ADDRESSES = 4096;

interface Bucket {
  /** Failures still allowed, as of `atMs`. */
  left: number;
  atMs: number;
}

export class FailureLimit {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a failure of `address`. 0: answer it; otherwise the seconds after which trying again makes sense. */
  failed(address: string): number {
    const nowMs = this.#clock.nowMs();
    const bucket = this.#buckets.get(address) ?? { left: BURST, atMs: nowMs };
    bucket.left = Math.min(BURST, bucket.left + (nowMs - bucket.atMs) / REFILL_MS);
    bucket.atMs = nowMs;
    // Deleted first, so that the map's order is the order of last use.
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    this.#forgetOldest();
    if (bucket.left < 1) return Math.ceil(((1 - bucket.left) * REFILL_MS) / 1000);
    bucket.left -= 1;
    return 0;
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= MAX_ADDRESSES) return;
    for (const address of this.#buckets.keys()) {
      this.#buckets.delete(address);
      return;
    }
  }
}
