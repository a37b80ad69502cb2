// A body on its way through edits: out of its coding, checked to be UTF-8 and JSON, changed, and what is wrong with it told in the words of its side.
import { WeirError, type ErrorCode } from '../../errors.ts';
import { removeBodyFields } from '../../message/body-fields.ts';
import type { Fields } from '../../message/fields.ts';
import type { BodyTransform, LastBytes } from '../filter.ts';
import type { Decoder } from '../request-limits/decoder.ts';
import type { FieldSource } from '../request-values.ts';
import { JsonRewriter } from './json-rewriter.ts';
import { JsonError, JsonScanner } from './json-scanner.ts';
import type { SideRules } from './options.ts';
import { Utf8Check } from './utf8-check.ts';

interface Way {
  /** Null: it is in no coding. */
  readonly decoder: Decoder | null;
  readonly several: boolean;
  readonly side: 'request' | 'response';
}

type Trouble = 'malformed' | 'deep' | 'large';

const CODES: Readonly<Record<Way['side'], Readonly<Record<Trouble, ErrorCode>>>> = {
  request: { malformed: 'body_malformed', deep: 'body_too_deep', large: 'body_too_large' },
  response: { malformed: 'response_unfit', deep: 'response_unfit', large: 'response_unfit' },
};
/** Readers skip it (RFC 8259 section 8.1). */
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const EMPTY = Buffer.alloc(0);

export class RewrittenBody implements BodyTransform {
  readonly #way: Way;
  readonly #maxBytes: number;
  readonly #rewriter: JsonRewriter<FieldSource>;
  readonly #scanner: JsonScanner;
  readonly #utf8 = new Utf8Check();
  /** The first bytes, while they may be a mark. */
  #mark: Buffer | null = EMPTY;
  #decoded = 0;
  #closed = false;

  constructor(rules: SideRules, from: FieldSource, way: Way) {
    this.#way = way;
    this.#maxBytes = rules.maxBytes;
    this.#rewriter = new JsonRewriter(rules.edits, from, { mask: rules.mask, several: way.several });
    this.#scanner = new JsonScanner(this.#rewriter, { depth: rules.depth, several: way.several });
  }

  push(chunk: Buffer): Buffer {
    return this.#checked(() => {
      const { decoder } = this.#way;
      if (decoder === null) this.#take(chunk);
      else decoder.push(chunk, (bytes) => this.#take(bytes));
    });
  }

  end(trailers: Fields): LastBytes {
    const bytes = this.#checked(() => {
      if (this.#mark !== null && this.#mark.length > 0) this.#read(this.#mark);
      if (!this.#utf8.isWhole) throw new JsonError('malformed', 'it ends within a character');
      this.#scanner.end();
    });
    this.close();
    const kept: Fields = [...trailers];
    removeBodyFields(kept);
    return { bytes, trailers: kept };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#way.decoder?.close();
  }

  /** Nothing comes out of a piece with which something is wrong. */
  #checked(act: () => void): Buffer {
    try {
      act();
      return this.#rewriter.take();
    } catch (error) {
      const { side } = this.#way;
      if (error instanceof JsonError) throw new WeirError(CODES[side][error.trouble], error.message);
      if (error instanceof WeirError && side === 'response') throw new WeirError('response_unfit', error.detail);
      throw error;
    }
  }

  #take(bytes: Buffer): void {
    this.#decoded += bytes.length;
    if (this.#decoded > this.#maxBytes) throw new WeirError(CODES[this.#way.side].large, `more than ${this.#maxBytes} bytes are in it`);
    if (this.#mark === null) return this.#read(bytes);
    if (this.#mark.length === 0 && bytes[0] !== BYTE_ORDER_MARK[0] && bytes.length > 0) {
      this.#mark = null;
      return this.#read(bytes);
    }
    const begun = this.#mark.length === 0 ? bytes : Buffer.concat([this.#mark, bytes]);
    const isMark = BYTE_ORDER_MARK.subarray(0, begun.length).equals(begun.subarray(0, BYTE_ORDER_MARK.length));
    if (isMark && begun.length < BYTE_ORDER_MARK.length) {
      this.#mark = Buffer.from(begun);
      return;
    }
    this.#mark = null;
    this.#read(isMark ? begun.subarray(BYTE_ORDER_MARK.length) : begun);
  }

  #read(bytes: Buffer): void {
    if (!this.#utf8.push(bytes)) throw new JsonError('malformed', 'it is not UTF-8');
    this.#rewriter.expect(bytes.length);
    this.#scanner.push(bytes);
  }
}
