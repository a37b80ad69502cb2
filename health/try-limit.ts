// How long a try may take before it is worth trying elsewhere: from the tail of the latencies of what is asked.

/** Windows are this long; two of them count. */
const WINDOW_MS = 10_000;
/** Fewer answers than this say nothing about a tail. */
const MIN_ANSWERS = 20;
const TAIL = 0.99;
const TAIL_FACTOR = 3;
/** Never below: what is usual elsewhere, and three sweeps of the deadlines. */
const FLOOR_MS = 250;
/** Latencies up to this are one slot, as three times of it is still below the floor: the common answer costs no logarithm. */
const FIRST_SLOT_MS = 64;
/** While too little is known: longer than most answers take, and short enough to leave what has stopped. */
const UNKNOWN_MS = 1000;
/** Slots double every four; the last one is above 17 minutes. */
const SLOTS_PER_OCTAVE = 4;
const SLOTS = 57;

/**
 * `3 × p99`, 250 ms at least, of the last 10 to 20 seconds. So no more than about one answer in a hundred is ever given up, however the
 * latencies are spread. What was given up counts as slow as its limit, but only once an answer comes again: what has stopped has no latency;
 * and not where another place answered it in less: then giving up was right.
 * The limit is worked out when a window ends and, within it, whenever twice as many answers are there: the first few, of a program that is not
 * warm yet, do not set it for long.
 */
export class TryLimit {
  #limitMs = UNKNOWN_MS;
  #known = false;
  #current = new Uint32Array(SLOTS);
  #previous = new Uint32Array(SLOTS);
  #windowEndsMs = Number.NEGATIVE_INFINITY;
  /** In this window. */
  #answers = 0;
  /** So many answers of this window are a reason to work it out again. */
  #reviewAt = MIN_ANSWERS;
  /** Tries given up since the last answer. */
  #givenUp = 0;

  /** An answer began. */
  answered(tookMs: number): void {
    if (this.#givenUp > 0) this.#fold();
    this.#answers += 1;
    const slot = tookMs <= FIRST_SLOT_MS ? 0 : slotOf(tookMs);
    this.#current[slot] = (this.#current[slot] ?? 0) + 1;
  }

  /** An answer would have taken longer, and is not waited for as another one came first. */
  wouldTake(atLeastMs: number): void {
    const slot = atLeastMs <= FIRST_SLOT_MS ? 0 : slotOf(atLeastMs);
    this.#current[slot] = (this.#current[slot] ?? 0) + 1;
  }

  /** A try was given up, or asked whether it should be. */
  gaveUp(): void {
    this.#givenUp += 1;
  }

  /** What was given up last was answered in less time elsewhere: this place is slow, not what it is asked, so there is nothing to wait longer for. */
  spared(): void {
    if (this.#givenUp > 0) this.#givenUp -= 1;
  }

  /** One second while too little is known. */
  limitMs(nowMs: number): number {
    if (nowMs >= this.#windowEndsMs || this.#answers >= this.#reviewAt) this.#review(nowMs);
    return this.#limitMs;
  }

  #fold(): void {
    const slot = slotOf(Math.min(this.#limitMs, 1e6));
    this.#current[slot] = (this.#current[slot] ?? 0) + this.#givenUp;
    this.#givenUp = 0;
  }

  #review(nowMs: number): void {
    this.#known ||= this.#answers >= MIN_ANSWERS;
    if (this.#known) this.#limitMs = this.#tail();
    this.#reviewAt = this.#known ? Math.max(MIN_ANSWERS, this.#answers * 2) : MIN_ANSWERS;
    if (nowMs < this.#windowEndsMs) return;
    this.#windowEndsMs = nowMs + WINDOW_MS;
    // Where little is asked, a window lasts until it tells something.
    if (this.#answers < MIN_ANSWERS) return;
    this.#answers = 0;
    this.#reviewAt = MIN_ANSWERS;
    [this.#current, this.#previous] = [this.#previous, this.#current];
    this.#current.fill(0);
  }

  /** What was known stays where the two windows hold too little. */
  #tail(): number {
    let answers = 0;
    for (let slot = 0; slot < SLOTS; slot += 1) answers += this.#count(slot);
    if (answers < MIN_ANSWERS) return this.#limitMs;
    let above = 0;
    for (let slot = SLOTS - 1; slot > 0; slot -= 1) {
      above += this.#count(slot);
      if (above > (1 - TAIL) * answers) return Math.max(FLOOR_MS, TAIL_FACTOR * FIRST_SLOT_MS * 2 ** (slot / SLOTS_PER_OCTAVE));
    }
    return FLOOR_MS;
  }

  #count(slot: number): number {
    return (this.#current[slot] ?? 0) + (this.#previous[slot] ?? 0);
  }
}

/** The upper bound of slot n is `64 × 2^(n/4)` ms. */
function slotOf(ms: number): number {
  if (ms <= FIRST_SLOT_MS) return 0;
  return Math.min(SLOTS - 1, Math.ceil(SLOTS_PER_OCTAVE * Math.log2(ms / FIRST_SLOT_MS)));
}
