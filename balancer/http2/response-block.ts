// Heads of responses as header blocks; one for all connections of a worker, since what it remembers is the same for all.
import { UNKNOWN_LENGTH } from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
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
    let block = this.#status(status);
    let dated = false;
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] ?? '';
      if (name === 'date') dated = true;
      block += this.#encoder.line(name, fields[i + 1] ?? '');
    }
    if (!dated) block += this.#date();
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
