// How many requests the client of one HTTP/2 connection may have open while the process has more work than time: what waits, waits at the client,
// where it costs nothing and nothing is refused. Pure but for what it remembers.
import { BUSY, type LoopLook } from './admission-limit.ts';

/** Of the turn that refusing begins at: to let clients wait is milder, so it comes first. */
const PART = 1 / 4;
/** So many more looks with long turns than with others before the limit falls: to begin with, and from one fall to the next, as what is open already has to be answered first. */
const LOOKS_TO_BEGIN = 2;
const LOOKS_TO_FALL = 4;
/** Looks in a row that find idle time, or turns well below the limit, before it rises: two round trips to clients that are far away. */
const LOOKS_TO_RISE = 5;
/** Of the turns that let the limit fall. Twice as many streams make a turn of three times the length: what is in work no longer fits the caches. */
const SHORT = 1 / 4;
/** What it begins with, and from which on there is none any more. */
const FIRST = 8;

export class StreamLimit {
  /** Infinity: as many as the listener allows. */
  streams = Infinity;
  readonly #turnMs: number;
  #longLooks = 0;
  #shortLooks = 0;
  #idleLooks = 0;

  /** `targetMs`: how long a turn may be in the mean before requests are refused; 0: any length, and there is no limit. */
  constructor(targetMs: number) {
    this.#turnMs = targetMs === 0 ? Infinity : targetMs * PART;
  }

  /**
   * Halves the limit while turns are long, and doubles it while they are so short that twice as many would do, or the loop has time. With fewer requests in a turn each of
   * them costs more, so a loop that is busy with less than it could take serves less.
   */
  look({ turnMs, utilisation }: Pick<LoopLook, 'turnMs' | 'utilisation'>): void {
    const isBusy = utilisation >= BUSY;
    this.#idleLooks = isBusy ? 0 : this.#idleLooks + 1;
    this.#longLooks = isBusy ? Math.max(0, this.#longLooks + (turnMs > this.#turnMs ? 1 : -1)) : 0;
    this.#shortLooks = isBusy && turnMs < this.#turnMs * SHORT ? this.#shortLooks + 1 : 0;
    if (this.#longLooks >= (this.streams === Infinity ? LOOKS_TO_BEGIN : LOOKS_TO_FALL)) this.#fall();
    else if (this.#idleLooks >= LOOKS_TO_RISE) this.#rise(Infinity);
    else if (this.#shortLooks >= LOOKS_TO_RISE) this.#rise(FIRST);
  }

  #fall(): void {
    this.#longLooks = 0;
    this.streams = this.streams === Infinity ? FIRST : Math.max(1, this.streams >> 1);
  }

  /** From FIRST on to `most`. */
  #rise(most: number): void {
    this.#idleLooks = this.#shortLooks = 0;
    if (this.streams < FIRST) this.streams *= 2;
    else if (this.streams === FIRST) this.streams = most;
  }
}
