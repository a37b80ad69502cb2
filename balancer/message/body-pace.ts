// How fast a request body must come: its bytes buy the time in which the next one is due.

/** A client may take this long to get going, and again after it was held back. */
export const GRACE_MS = 5000;

export class BodyPace {
  readonly #msPerByte: number;
  #dueMs = Infinity;

  /** `bodyRate`: bytes per second; 0: as slowly as it likes. */
  constructor(bodyRate: number) {
    this.#msPerByte = bodyRate === 0 ? 0 : 1000 / bodyRate;
  }

  /** When the next byte must have come for the body to be fast enough. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** The client is asked for the body, for the first time or again. */
  awaited(nowMs: number): void {
    if (this.#msPerByte === 0) return;
    this.#dueMs = this.#dueMs === Infinity ? nowMs + GRACE_MS : Math.max(this.#dueMs, nowMs + GRACE_MS);
  }

  /** Bytes buy time, framing included; more than `mostMs` of it cannot be saved up. */
  arrived(bytes: number, nowMs: number, mostMs: number): void {
    if (this.#msPerByte > 0) this.#dueMs = Math.min(this.#dueMs + bytes * this.#msPerByte, nowMs + Math.max(GRACE_MS, mostMs));
  }
}
