// What a client may send on all streams of a connection together (RFC 9113 section 6.9), and when it is let send more.
import { DEFAULT_MAX_FRAME, DEFAULT_WINDOW } from './frame.ts';

export class ReceiveWindow {
  /** Of all bodies so far, framing included. */
  received = 0;
  readonly #largest: number;
  #left: number;
  /** Of bodies that nobody takes now. */
  #held = 0;

  constructor(largest: number) {
    this.#largest = largest;
    this.#left = Math.max(DEFAULT_WINDOW, largest);
  }

  /** Takes what a frame uses; false: the client has overrun it. */
  take(flowBytes: number): boolean {
    this.received += flowBytes;
    this.#left -= flowBytes;
    return this.#left >= 0;
  }

  /** Bytes that wait here, changed by this many. */
  hold(bytes: number): void {
    this.#held += bytes;
  }

  /** Bodies that nobody takes have used it up: the client cannot send, on whatever stream. */
  get shut(): boolean {
    return this.#held >= this.#largest && this.#left < DEFAULT_MAX_FRAME;
  }

  /**
   * By how much the client is to be told that it opens; 0: not now. Bodies that nobody takes must not stop those that flow: it is opened
   * for both, until what is held is too much.
   */
  widen(): number {
    if (this.#held >= this.#largest || this.#left > this.#largest / 2) return 0;
    const increment = this.#largest - this.#left;
    this.#left = this.#largest;
    return increment;
  }
}
