// A stable hash of a text: the same on every worker, host and version of weir, since users keep their place by it.

/**
 * MurmurHash3, 32 bits, of the lower bytes of a text. Keys are bytes of the wire, one to a character. Not a secret hash: who chooses
 * keys can choose where they land. Signed, as every hash here: a number that may be 2^31 or more is an object on the heap.
 */
export function hash32(text: string, seed: number): number {
  const { length } = text;
  let hash = seed | 0;
  let block = 0;
  for (let i = 0; i < length; i += 1) {
    block |= (text.charCodeAt(i) & 0xff) << ((i & 3) * 8);
    if ((i & 3) !== 3) continue;
    hash ^= scramble(block);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
    block = 0;
  }
  if ((length & 3) !== 0) hash ^= scramble(block);
  return mix32(hash ^ length);
}

function scramble(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

/** Every bit of the number counts for every bit of the result; 0 stays 0. One to one, so no two numbers meet. */
export function mix32(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

const TWO_32 = 2 ** 32;
/** Splits the two halves of a 64-bit hash; any odd number other than 0 would do, and it stays as it is. */
const OTHER_HALF = 0x9e3779b9;

/** Where a key stands in [0, 1): hash64(salt, key) / 2^64, to the 53 bits of a double. */
export function keyPoint(salt: number, key: string): number {
  const high = hash32(key, salt);
  const low = hash32(key, salt ^ OTHER_HALF);
  return ((high >>> 0) + (low >>> 11) / 2 ** 21) / TWO_32;
}
