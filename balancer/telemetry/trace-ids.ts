// Random ids of traces and spans, and the `traceparent` of requests that nobody keeps: cut from texts that are drawn now and then, so that one costs no system call.
import { randomFillSync } from 'node:crypto';

const TRACE_DIGITS = 32;
const SPAN_DIGITS = 16;
/** Some hundred ids; small enough that making it is not felt. */
const BLOCK_BYTES = 16_384;

/** A `traceparent` that is not sampled, with what is random of it left out. */
const FORM = `00-${'0'.repeat(TRACE_DIGITS)}-${'0'.repeat(SPAN_DIGITS)}-00`;
const TRACE_AT = 3;
const SPAN_AT = TRACE_AT + TRACE_DIGITS + 1;
/** About a block's worth. */
const PARENTS = 300;
const RANDOM_BYTES = (TRACE_DIGITS + SPAN_DIGITS) / 2;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');

export class TraceIds {
  readonly #bytes = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #digits = '';
  #at = 0;
  readonly #random = Buffer.allocUnsafeSlow(PARENTS * RANDOM_BYTES);
  readonly #forms = Buffer.from(FORM.repeat(PARENTS), 'latin1');
  #parents = '';
  #parentAt = 0;

  trace(): string {
    return this.#take(TRACE_DIGITS);
  }

  span(): string {
    return this.#take(SPAN_DIGITS);
  }

  /** Of a new trace that is not sampled: the whole text, ready to be sent. */
  unsampledParent(): string {
    if (this.#parentAt === this.#parents.length) this.#drawParents();
    const from = this.#parentAt;
    this.#parentAt += FORM.length;
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
    randomFillSync(this.#random);
    let next = 0;
    for (let form = 0; form < this.#forms.length; form += FORM.length) {
      next = this.#writeDigits(form + TRACE_AT, TRACE_DIGITS, next);
      next = this.#writeDigits(form + SPAN_AT, SPAN_DIGITS, next);
    }
    this.#parents = this.#forms.latin1Slice();
    this.#parentAt = 0;
  }

  #writeDigits(at: number, digits: number, from: number): number {
    const [random, forms] = [this.#random, this.#forms];
    let next = from;
    for (let place = at; place < at + digits; place += 2) {
      const byte = random[next++] ?? 0;
      forms[place] = DIGITS[byte >> 4] ?? 0;
      forms[place + 1] = DIGITS[byte & 15] ?? 0;
    }
    return next;
  }
}
