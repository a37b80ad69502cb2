// Random ids of traces and spans, and the `traceparent` of requests that nobody keeps: cut from texts that are drawn now and then, so that one costs no system call.
import { randomFillSync } from 'node:crypto';

const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;
/** Some hundred ids; small enough that making it is not felt. */
const BLOCK_BYTES = 16_384;

/** A `traceparent` that is not sampled: `left` is the first half of the trace id, the other half and the span are left out. */
const form = (left: string): string => `00-${left}${'0'.repeat(HALF_DIGITS)}-${'0'.repeat(SPAN_DIGITS)}-00`;
const HALF_DIGITS = TRACE_DIGITS / 2;
const HALF_AT = 3 + HALF_DIGITS;
const SPAN_AT = HALF_AT + HALF_DIGITS + 1;
const FORM_CHARS = SPAN_AT + SPAN_DIGITS + 3;
/** Asking for random bytes costs as much as making a hundred of these; to make them all takes less than a tenth of a millisecond. */
const PARENTS = 1200;
const RANDOM_BYTES = SPAN_DIGITS / 2;
/** The two digits of each byte. */
const PAIRS = Uint16Array.from({ length: 256 }, (_, byte) => Buffer.from(byte.toString(16).padStart(2, '0'), 'latin1').readUInt16BE());

export class TraceIds {
  readonly #bytes = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #digits = '';
  #at = 0;
  readonly #random = Buffer.allocUnsafeSlow(PARENTS * RANDOM_BYTES);
  readonly #forms = Buffer.from(form(this.#take(HALF_DIGITS)).repeat(PARENTS), 'latin1');
  readonly #view = new DataView(this.#forms.buffer, this.#forms.byteOffset, this.#forms.length);
  #parents = '';
  #parentAt = 0;

  trace(): string {
    return this.#take(TRACE_DIGITS);
  }

  span(): string {
    return this.#take(SPAN_DIGITS);
  }

  /**
   * Of a new trace that is not sampled: the whole text, ready to be sent. The right half of the trace id is random (level 2 of the specification asks for seven
   * bytes), the left half is of this process, and the span has the digits of the right half, as the first of a trace has with Zipkin.
   */
  unsampledParent(): string {
    if (this.#parentAt === this.#parents.length) this.#drawParents();
    const from = this.#parentAt;
    this.#parentAt += FORM_CHARS;
    return this.#parents.slice(from, this.#parentAt);
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

  /** An id of zeros is none, and comes up once in longer than there is time. */
  #drawParents(): void {
    const [random, view] = [randomFillSync(this.#random), this.#view];
    let next = 0;
    for (let at = 0; at < this.#forms.length; at += FORM_CHARS)
      for (let digit = 0; digit < SPAN_DIGITS; digit += 2) {
        const pair = PAIRS[random[next++] ?? 0] ?? 0;
        view.setUint16(at + HALF_AT + digit, pair);
        view.setUint16(at + SPAN_AT + digit, pair);
      }
    this.#parents = this.#forms.latin1Slice();
    this.#parentAt = 0;
  }
}
