// Whether the other end of a connection is still there and speaks our language: what is silent for long is asked, and given up when it does
// not answer, and so is what does not acknowledge our SETTINGS.

const ASK_AFTER_MS = 10_000;
const ANSWER_WITHIN_MS = 5000;
/** RFC 9113 section 6.5.3: a reasonable amount of time. */
const ACKNOWLEDGE_WITHIN_MS = 10_000;

export class Liveness {
  #heardMs: number;
  #askedMs = 0;
  /** Infinity: acknowledged. */
  #settingsSentMs: number;

  /** Our SETTINGS are sent now. */
  constructor(nowMs: number) {
    this.#heardMs = nowMs;
    this.#settingsSentMs = nowMs;
  }

  /** False: once more than there was something to acknowledge. */
  acknowledged(): boolean {
    if (this.#settingsSentMs === Infinity) return false;
    this.#settingsSentMs = Infinity;
    return true;
  }

  /** Bytes came: whatever they say, somebody is there. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#askedMs = 0;
  }

  /** Only asked while something is waited for. `ask`: send a PING now. */
  check(nowMs: number): 'alive' | 'ask' | 'dead' | 'unsettled' {
    if (nowMs - this.#settingsSentMs > ACKNOWLEDGE_WITHIN_MS) return 'unsettled';
    if (this.#askedMs > 0) return nowMs - this.#askedMs > ANSWER_WITHIN_MS ? 'dead' : 'alive';
    if (nowMs - this.#heardMs < ASK_AFTER_MS) return 'alive';
    this.#askedMs = nowMs;
    return 'ask';
  }
}
