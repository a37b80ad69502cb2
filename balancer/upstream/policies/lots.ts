// Whole numbers drawn at random for a choice among few: no number on the way is one that the heap has to hold.
import type { Random } from '../../../health/clock.ts';

/** Marsaglia's xorshift with 32 bits (2003), begun at random. Good enough to spread requests; nothing secret depends on it. */
export class Lots {
  #state: number;

  constructor(random: Random) {
    this.#state = Math.floor(random() * 0x7fff_ffff) + 1;
  }

  /** 0 to `count` - 1. */
  below(count: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    // The sign is cut off, not the upper bits lost: they are the better ones.
    return (state >>> 1) % count;
  }
}
