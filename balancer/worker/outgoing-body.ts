// The body of a request on its way to the endpoints: through the filters, and kept while another attempt may need it.
import type { Fields } from '../message/fields.ts';
import { withoutNames } from '../message/trailers.ts';
import type { FilteredBody } from './body-steps.ts';
import { KeptBody, type BodyMemory, type BodyTaker } from './kept-body.ts';

/** What the client is to do when an attempt takes the body: send, send on, wait, or nothing as all has come. */
export type Next = 'begin' | 'resume' | 'wait' | 'nothing';

export class OutgoingBody {
  readonly #memory: BodyMemory;
  /** What filters make of it; null: nothing. */
  readonly #filtered: FilteredBody | null;
  readonly #ownFields: ReadonlySet<string>;
  #begun = false;
  /** For another attempt; null: it is too large, or none could follow. */
  #kept: KeptBody | null = null;
  /** The attempt that was sent; null: between two of them. */
  #taker: BodyTaker | null = null;

  /** `ownFields`: what clients may not say in trailers either. */
  constructor(memory: BodyMemory, filtered: FilteredBody | null, ownFields: ReadonlySet<string>) {
    this.#memory = memory;
    this.#filtered = filtered;
    this.#ownFields = ownFields;
  }

  /** Its length is not what the client said. */
  get isFiltered(): boolean {
    return this.#filtered?.isOther === true;
  }

  /** Whether another attempt can have all of it. */
  get isWhole(): boolean {
    return !this.#begun || this.#kept !== null;
  }

  /** All of it has come, and another attempt can have it. */
  get isComplete(): boolean {
    return this.#kept !== null && this.#kept.trailers !== null;
  }

  /** Whether the client has sent any of it, which is kept. */
  get hasCome(): boolean {
    return this.#kept?.isEmpty === false;
  }

  /** An attempt has sent its head; `keep`: another one could follow. */
  goTo(taker: BodyTaker, keep: boolean): Next {
    this.#taker = taker;
    if (this.#kept !== null) return this.#sendAgain(taker, this.#kept);
    this.#begun = true;
    if (keep) this.#kept = new KeptBody(this.#memory);
    return 'begin';
  }

  /** The attempt failed. True: the client has to wait for the next one. */
  interrupt(): boolean {
    this.#taker = null;
    return this.#kept?.trailers === null;
  }

  /** Of the client. False: hold it back. */
  push(chunk: Buffer): boolean {
    const bytes = this.#filtered === null ? chunk : this.#filtered.push(chunk);
    return bytes === null || bytes.length === 0 || this.#pass(bytes);
  }

  end(said: Fields): void {
    const trailers = withoutNames(said, this.#ownFields);
    const last = this.#filtered === null ? { bytes: null, trailers } : this.#filtered.end(trailers);
    if (last === null) return;
    if (last.bytes !== null && last.bytes.length > 0) this.#pass(last.bytes);
    this.#kept?.end(last.trailers);
    this.#taker?.endBody(last.trailers);
  }

  /** No other attempt will follow. */
  forget(): void {
    this.#kept?.release();
    this.#kept = null;
  }

  /** The request is over. */
  close(): void {
    this.#taker = null;
    this.forget();
  }

  #pass(bytes: Buffer): boolean {
    const lasting = this.#kept === null ? bytes : this.#keep(this.#kept, bytes);
    const taker = this.#taker;
    // Between two attempts it is kept only. An attempt that fails in the call has a successor, whose pace counts then.
    return taker === null || taker.sendBody(lasting) || taker !== this.#taker;
  }

  /** The bytes in a copy that does not change. Where they are too many by now the body goes on once, as it comes. */
  #keep(kept: KeptBody, chunk: Buffer): Buffer {
    const bytes = kept.add(chunk);
    if (this.#taker !== null && kept.isTooLarge) this.forget();
    return bytes;
  }

  /** What has come of the body so far, and then the rest as it comes. */
  #sendAgain(taker: BodyTaker, kept: KeptBody): Next {
    const flowing = kept.sendTo(taker);
    // It may fail in the call, and its successor has begun anew.
    if (taker !== this.#taker || kept.trailers !== null) return 'nothing';
    if (kept.isTooLarge) this.forget();
    return flowing ? 'resume' : 'wait';
  }
}
