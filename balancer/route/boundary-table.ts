// Keys that begin or end a text at a boundary (`/api` of `/api/x`, `example.com` of `a.example.com`), found in one pass without substrings.

import { isStep } from './steps.ts';

const SLASH = 0x2f;
const DOT = 0x2e;
const FNV_OFFSET = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

/** A key belongs to an owner, and is found for that owner only: one table serves all hosts, so that a match touches little memory. */
export interface OwnedKey {
  readonly owner: number;
  readonly key: string;
}

/** FNV-1a, one character more. Texts of attackers can do no harm: only operators put keys in, and a hit is compared in full. */
const step = (hash: number, character: number): number => Math.imul(hash ^ character, FNV_PRIME);

/** Keys of different owners differ from the first step on. */
const seed = (owner: number): number => step(FNV_OFFSET, owner);

function hashForward({ owner, key }: OwnedKey): number {
  let hash = seed(owner);
  for (let at = 0; at < key.length; at += 1) hash = step(hash, key.charCodeAt(at));
  return hash;
}

function hashBackward({ owner, key }: OwnedKey): number {
  let hash = seed(owner);
  for (let at = key.length - 1; at >= 0; at -= 1) hash = step(hash, key.charCodeAt(at));
  return hash;
}

/** Integers of a slot: the number of the key plus 1 (0: the slot is free), its hash, its owner. One more fills up to 16 bytes. */
const STRIDE = 4;

/** Open addressing. */
class Slots {
  readonly longest: number;
  readonly #keys: readonly string[];
  readonly #slots: Int32Array;
  readonly #mask: number;
  readonly #atEnd: boolean;
  /** By length: most texts have boundaries where no key ends, and need no look into the slots. */
  readonly #lengths: Uint8Array;

  constructor(keys: readonly OwnedKey[], atEnd: boolean) {
    this.#atEnd = atEnd;
    this.#keys = keys.map(({ key }) => key);
    this.longest = this.#keys.reduce((longest, key) => Math.max(longest, key.length), 0);
    this.#lengths = new Uint8Array(this.longest + 1);
    let size = 4;
    // At most half full: chains stay short.
    while (size < keys.length * 2) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Int32Array(size * STRIDE);
  }

  /** The keys it was made with, in steps; nothing is found before. */
  *fill(keys: readonly OwnedKey[]): Generator<undefined, void> {
    const hash = this.#atEnd ? hashBackward : hashForward;
    for (const [index, key] of keys.entries()) {
      this.#lengths[key.key.length] = 1;
      const hashed = hash(key);
      let slot = this.#home(hashed);
      while (this.#slots[slot * STRIDE] !== 0) slot = (slot + 1) & this.#mask;
      const at = slot * STRIDE;
      this.#slots[at] = index + 1;
      this.#slots[at + 1] = hashed;
      this.#slots[at + 2] = key.owner;
      if (isStep(index)) yield;
    }
  }

  /** Whether any key has this length. */
  hasLength(length: number): boolean {
    return this.#lengths[length] === 1;
  }

  /** The number of the owner's key of that length at the start (or end) of the text, or -1. */
  find(owner: number, hash: number, text: string, length: number): number {
    const slots = this.#slots;
    for (let slot = this.#home(hash); ; slot = (slot + 1) & this.#mask) {
      const at = slot * STRIDE;
      const index = (slots[at] ?? 0) - 1;
      if (index < 0) return -1;
      if (slots[at + 1] !== hash || slots[at + 2] !== owner) continue;
      const key = this.#keys[index];
      if (key?.length === length && text.startsWith(key, this.#atEnd ? text.length - length : 0)) return index;
    }
  }

  #home(hash: number): number {
    return (hash ^ (hash >>> 15)) & this.#mask;
  }
}

/** The most keys one text can have of one owner: one per length. */
const mostFound = (keys: readonly OwnedKey[]): number => new Set(keys.map(({ key }) => key.length)).size;

/** Path prefixes by element. Keys begin with `/` and do not end with it, but for the root, which is the empty key. */
export class PrefixTable {
  readonly #slots: Slots;
  /** Keys found by the last collect, shortest first. */
  readonly #found: Int32Array;

  private constructor(keys: readonly OwnedKey[]) {
    this.#slots = new Slots(keys, false);
    this.#found = new Int32Array(mostFound(keys));
  }

  static *of(keys: readonly OwnedKey[]): Generator<undefined, PrefixTable> {
    const table = new PrefixTable(keys);
    yield* table.#slots.fill(keys);
    return table;
  }

  /** How many of the owner's keys are prefixes of `path`; `at` gives them until the next collect. */
  collect(owner: number, path: string): number {
    const slots = this.#slots;
    const end = path.length;
    const last = Math.min(end, slots.longest);
    let hash = seed(owner);
    let count = 0;
    for (let at = 0; at <= last; at += 1) {
      const character = at < end ? path.charCodeAt(at) : SLASH;
      if (character === SLASH && slots.hasLength(at)) {
        const key = slots.find(owner, hash, path, at);
        if (key >= 0) {
          this.#found[count] = key;
          count += 1;
        }
      }
      hash = step(hash, character);
    }
    return count;
  }

  /** Number of the key; 0 is the shortest of those collected. */
  at(index: number): number {
    return this.#found[index] ?? -1;
  }
}

/** Suffixes of host names by label; the host has at least one label more. */
export class SuffixTable {
  readonly #slots: Slots;
  readonly #found: Int32Array;

  private constructor(keys: readonly OwnedKey[]) {
    this.#slots = new Slots(keys, true);
    this.#found = new Int32Array(mostFound(keys));
  }

  static *of(keys: readonly string[]): Generator<undefined, SuffixTable> {
    const owned = keys.map((key) => ({ owner: 0, key }));
    const table = new SuffixTable(owned);
    yield* table.#slots.fill(owned);
    return table;
  }

  /** How many keys are suffixes of `host`; `at` gives them until the next collect. */
  collect(host: string): number {
    const slots = this.#slots;
    const last = Math.max(1, host.length - 1 - slots.longest);
    let hash = seed(0);
    let count = 0;
    for (let at = host.length - 1; at >= last; at -= 1) {
      const character = host.charCodeAt(at);
      const length = host.length - 1 - at;
      if (character === DOT && slots.hasLength(length)) {
        const key = slots.find(0, hash, host, length);
        if (key >= 0) {
          this.#found[count] = key;
          count += 1;
        }
      }
      hash = step(hash, character);
    }
    return count;
  }

  /** Number of the key; 0 is the shortest of those collected. */
  at(index: number): number {
    return this.#found[index] ?? -1;
  }
}
