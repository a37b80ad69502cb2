// Heads of responses as header blocks; one for all connections of a worker, since what it remembers is the same for all.
import { UNKNOWN_LENGTH } from '../message/exchange.ts';
import { fieldIndex, type Fields } from '../message/fields.ts';
import { flat, madeOf } from '../message/shared-fields.ts';
import { FieldEncoder } from './hpack-encoder.ts';

export class ResponseEncoder {
  readonly #encoder = new FieldEncoder(true);
  readonly #dateLine: () => string;
  readonly #statuses: string[] = [];
  #dateText = '';
  #dateCoded = '';

  /** `dateLine`: the Date field as a line of HTTP/1.1. */
  constructor(dateLine: () => string) {
    this.#dateLine = dateLine;
  }

  /** The block of a response; `date` is added when the fields have none (RFC 9110 section 6.6.1). UNKNOWN_LENGTH: no length is told. */
  head(status: number, fields: Readonly<Fields>, tellsLength: number): string {
    const made = madeOf(fields);
    if (made?.http2 === '') {
      made.http2 = flat(this.#encoder.block(fields));
      made.dated = fieldIndex(fields, 'date') >= 0;
    }
    let block = this.#status(status) + (made?.http2 ?? this.#encoder.block(fields));
    if (!(made?.dated ?? fieldIndex(fields, 'date') >= 0)) block += this.#date();
    return tellsLength === UNKNOWN_LENGTH ? block : block + this.#encoder.line('content-length', `${tellsLength}`);
  }

  /** The block of a 1xx response. */
  informational(status: number, fields: Readonly<Fields>): string {
    return this.#status(status) + this.#encoder.block(fields);
  }

  trailers(fields: Readonly<Fields>): string {
    return this.#encoder.block(fields);
  }

  #status(status: number): string {
    return (this.#statuses[status] ??= this.#encoder.line(':status', `${status}`));
  }

  #date(): string {
    const line = this.#dateLine();
    if (line !== this.#dateText) {
      this.#dateText = line;
      this.#dateCoded = this.#encoder.line('date', line.slice('date: '.length, -'\r\n'.length));
    }
    return this.#dateCoded;
  }
}
