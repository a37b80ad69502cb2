// A percentile of recent latencies: how long the usual answer takes.

/** Windows are this long; two of them count. */
const WINDOW_MS = 10_000;
/** Fewer answers say nothing, whatever the percentile. */
const MIN_ANSWERS = 20;
/** A slot ends 9 % above where it begins; the first one ends at a millisecond, the last one is above 17 minutes. */
const SLOTS_PER_OCTAVE = 8;
const SLOTS = 162;

/**
 * Of the last 10 to 20 seconds, as the upper bound of its slot. It is worked out when a window ends, and as soon as there can be a first
 * one: when 20 answers are known, and for high percentiles as many as it takes for one of them to be above.
 */
export class RecentPercentile {
  /** 0 to 1. */
  readonly percentile: number;
  readonly #minAnswers: number;
  #valueMs = Infinity;
  #current = new Uint32Array(SLOTS);
  #previous = new Uint32Array(SLOTS);
  #windowEndsMs = Number.NEGATIVE_INFINITY;
  /** In this window. */
  #answers = 0;

  constructor(percentile: number) {
    this.percentile = percentile;
    this.#minAnswers = Math.max(MIN_ANSWERS, Math.round(1 / (1 - percentile)));
  }

  /** An answer took so long, or was not waited for any longer: a lower bound above the percentile stands for it as well as what it would have been. */
  observe(tookMs: number): void {
    this.#answers += 1;
    const slot = tookMs <= 1 ? 0 : Math.min(SLOTS - 1, Math.ceil(SLOTS_PER_OCTAVE * Math.log2(tookMs)));
    this.#current[slot] = (this.#current[slot] ?? 0) + 1;
  }

  /** Infinity while too little is known. */
  valueMs(nowMs: number): number {
    if (nowMs >= this.#windowEndsMs || (this.#valueMs === Infinity && this.#answers >= this.#minAnswers)) this.#review(nowMs);
    return this.#valueMs;
  }

  #review(nowMs: number): void {
    this.#valueMs = this.#measured();
    if (nowMs < this.#windowEndsMs) return;
    this.#windowEndsMs = nowMs + WINDOW_MS;
    // Where little is asked, a window lasts until it tells something.
    if (this.#answers < this.#minAnswers) return;
    this.#answers = 0;
    [this.#current, this.#previous] = [this.#previous, this.#current];
    this.#current.fill(0);
  }

  /** What was known stays where the two windows hold too little. */
  #measured(): number {
    let answers = 0;
    for (let slot = 0; slot < SLOTS; slot += 1) answers += this.#count(slot);
    if (answers < this.#minAnswers) return this.#valueMs;
    // In whole answers: 0.95 of 100 is 95 and not 94.99…
    const atMost = Math.ceil(this.percentile * answers - 1e-9);
    let seen = 0;
    for (let slot = 0; slot < SLOTS; slot += 1) {
      seen += this.#count(slot);
      if (seen >= atMost) return 2 ** (slot / SLOTS_PER_OCTAVE);
    }
    return this.#valueMs;
  }

  #count(slot: number): number {
    return (this.#current[slot] ?? 0) + (this.#previous[slot] ?? 0);
  }
}
