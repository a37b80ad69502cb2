// A clock that stands still while one read of a socket is worked on: all that came with it came at one moment, and is written when the turn is
// over. Requests ask for the time four times each, and hundreds of them may come in one read.
import { systemClock, type Clock } from '../../health/clock.ts';

export class ReadClock implements Clock {
  readonly #clock: Clock;
  #stands = false;
  /** Below 0: nobody has asked in this read. */
  #standsAtMs = -1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be followed by `end` within the call. */
  begin(): void {
    this.#stands = true;
    this.#standsAtMs = -1;
  }

  end(): void {
    this.#stands = false;
  }

  nowMs(): number {
    if (!this.#stands) return this.#clock.nowMs();
    if (this.#standsAtMs < 0) this.#standsAtMs = this.#clock.nowMs();
    return this.#standsAtMs;
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  after(...call: Parameters<Clock['after']>): ReturnType<Clock['after']> {
    return this.#clock.after(...call);
  }
}

/** A process has one event loop. */
export const readClock = new ReadClock(systemClock);
