// Keys that were seen within the last minute or two, in constant memory: by it a client that comes back is told from a new one.
import { hash32 } from '../message/key-hash.ts';

/** A key that comes at least once in this time is never new again; no key is new twice in it. */
export const REMEMBERED_MS = 60_000;

/** 16 KiB a minute. A full table calls fewer keys new, of all places alike: where a key is at home is in other bits. */
const BITS = 17;

/** Tells places of the table apart from places of the split. */
const SEEN = 0x5ee9_0e1d;

export class SeenKeys {
  #recent = new Int32Array(2 ** (BITS - 5));
  #before = new Int32Array(2 ** (BITS - 5));
  #turnsAtMs = -Infinity;

  /** Whether the key was not seen for a minute; from now on it is. */
  isNew(key: string, nowMs: number): boolean {
    if (nowMs >= this.#turnsAtMs) this.#turn(nowMs);
    const slot = hash32(key, SEEN) >>> (32 - BITS);
    const word = slot >>> 5;
    const bit = 1 << (slot & 31);
    if (((this.#recent[word] ?? 0) & bit) !== 0) return false;
    this.#recent[word] = (this.#recent[word] ?? 0) | bit;
    return ((this.#before[word] ?? 0) & bit) === 0;
  }

  #turn(nowMs: number): void {
    const isLong = nowMs >= this.#turnsAtMs + REMEMBERED_MS;
    [this.#recent, this.#before] = [this.#before, this.#recent];
    this.#recent.fill(0);
    if (isLong) this.#before.fill(0);
    this.#turnsAtMs = nowMs + REMEMBERED_MS;
  }
}
