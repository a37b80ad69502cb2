// Random ids of traces and spans, cut from one text of hexadecimal digits that is drawn now and then: an id costs no system call.
import { randomFillSync } from 'node:crypto';

const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;
/** Some hundred ids; small enough that making it is not felt. */
const BLOCK_BYTES = 16_384;

export class TraceIds {
  readonly #bytes = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #digits = '';
  #at = 0;

  trace(): string {
    return this.#take(TRACE_DIGITS);
  }

  span(): string {
    return this.#take(SPAN_DIGITS);
  }

  #take(digits: number): string {
    if (this.#at + digits > this.#digits.length) {
      this.#digits = randomFillSync(this.#bytes).toString('hex');
      this.#at = 0;
    }
    const from = this.#at;
    this.#at += digits;
    return this.#digits.slice(from, this.#at);
  }
}
