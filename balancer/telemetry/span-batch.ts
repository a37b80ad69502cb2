// Spans on their way to a collector, in the bytes that are sent: texts of so many pieces would stay trees of them for as long as they wait, which the
// collector of garbage has to walk again and again, and bytes of their own for each would have to be put together.
import { EXPORT_TAIL, exportHead } from './otlp.ts';

const FIRST_BYTES = 65_536;
/** Of one UTF-16 unit. */
const MOST_UTF8 = 3;
const COMMA = 0x2c;
const TAIL = Buffer.from(EXPORT_TAIL);

export class SpanBatch {
  spans = 0;
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;
  readonly #headLength: number;

  /** `resource`: attributes, as `otlp.ts` writes them. */
  constructor(resource: string, version: string) {
    const head = exportHead(resource, version);
    this.#make(head.length * MOST_UTF8);
    this.#length = this.#headLength = this.#bytes.write(head);
  }

  get memoryBytes(): number {
    return this.#bytes.length;
  }

  /** `json`: as `spanJson()` makes it. */
  add(json: string): void {
    this.#make(1 + json.length * MOST_UTF8 + TAIL.length);
    if (this.spans > 0) {
      this.#bytes[this.#length] = COMMA;
      this.#length += 1;
    }
    this.#length += this.#bytes.write(json, this.#length);
    this.spans += 1;
  }

  /** What is sent. Valid until `clear()`; nothing is added after it. */
  body(): Buffer {
    TAIL.copy(this.#bytes, this.#length);
    return this.#bytes.subarray(0, this.#length + TAIL.length);
  }

  clear(): void {
    this.spans = 0;
    this.#length = this.#headLength;
  }

  #make(room: number): void {
    const needed = this.#length + room;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
