// Whether the other end of a connection is still there: what is silent for long is asked, and given up when it does not answer.

const ASK_AFTER_MS = 10_000;
const ANSWER_WITHIN_MS = 5000;

export class Liveness {
  #heardMs: number;
  #askedMs = 0;

  constructor(nowMs: number) {
    this.#heardMs = nowMs;
  }

  /** Bytes came: whatever they say, somebody is there. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#askedMs = 0;
  }

  /** Only asked while something is waited for. `ask`: send a PING now. */
  check(nowMs: number): 'alive' | 'ask' | 'dead' {
    if (this.#askedMs > 0) return nowMs - this.#askedMs > ANSWER_WITHIN_MS ? 'dead' : 'alive';
    if (nowMs - this.#heardMs < ASK_AFTER_MS) return 'alive';
    this.#askedMs = nowMs;
    return 'ask';
  }
}
