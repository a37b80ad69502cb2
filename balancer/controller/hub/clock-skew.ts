// How far the clock of an agent is off, from the times its messages bear and the way they take. Shown to people; nothing is decided by it.

/** Messages that are looked back on: one that was not held up is among them. */
const KEPT = 16;

export class ClockSkew {
  /** `sentAtMs` less the time of arrival, newest last: the true skew less the time on the way. */
  readonly #differencesMs: number[] = [];
  #roundTripMs: number | null = null;

  /** `roundTripMs`: the shortest that was seen on the connection; null: none yet. */
  add(sentAtMs: number, arrivedWallMs: number, roundTripMs: number | null): void {
    this.#differencesMs.push(sentAtMs - arrivedWallMs);
    if (this.#differencesMs.length > KEPT) this.#differencesMs.shift();
    this.#roundTripMs = roundTripMs;
  }

  get roundTripMs(): number | null {
    return this.#roundTripMs;
  }

  /** Positive: the agent's clock is ahead of this host's. The message that took least, and half a round trip for its way. Null: not known. */
  get skewMs(): number | null {
    if (this.#differencesMs.length === 0) return null;
    return Math.max(...this.#differencesMs) + (this.#roundTripMs ?? 0) / 2;
  }
}
