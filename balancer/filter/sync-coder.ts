// What the streams of node:zlib do on other threads, done in the same call: a body on its way cannot wait for them in order.
import type { BrotliCompress, BrotliDecompress, Gunzip, Gzip, Inflate, ZstdCompress, ZstdDecompress } from 'node:zlib';

export type Coder = Gzip | BrotliCompress | ZstdCompress | Gunzip | Inflate | BrotliDecompress | ZstdDecompress;

/** What the streams call for all their work; `flush` is one of the constants of the coding. */
interface Binding {
  writeSync(flush: number, input: Buffer, inputOffset: number, inputLength: number, output: Buffer, offset: number, length: number): void;
  onerror: (message: string, errno: number, code: string) => void;
}

/** The streams themselves get no output, so they need no place for it. */
export const SMALLEST_CHUNK = 64;

/** Shared: it is empty again when a call returns. */
const output = Buffer.allocUnsafeSlow(65_536);

export class SyncCoder {
  readonly #coder: Coder;
  readonly #binding: Binding;
  /** After a call: what is left of the output's room, and of the input. */
  readonly #left: Uint32Array;
  #problem = '';

  /** Throws where this version of Node cannot do it. */
  constructor(coder: Coder) {
    this.#coder = coder;
    const binding: unknown = Reflect.get(coder, '_handle');
    const left: unknown = Reflect.get(coder, '_writeState');
    if (!isBinding(binding) || !(left instanceof Uint32Array))
      throw new Error('this version of Node cannot compress in the same call; use another');
    // Its own way to tell of trouble is an event, which comes too late.
    binding.onerror = (message) => {
      this.#problem = message;
    };
    this.#binding = binding;
    this.#left = left;
  }

  /**
   * All that comes out for `input` goes to `take`, in pieces that are only valid during the call. Throws for input that is not of the coding.
   * Returns how much of the input was used: less than all of it where the coding ends before.
   */
  run(input: Buffer, flush: number, take: (bytes: Buffer) => void): number {
    let from = 0;
    let room = 0;
    do {
      this.#binding.writeSync(flush, input, from, input.length - from, output, 0, output.length);
      if (this.#problem !== '') throw new Error(this.#problem);
      const [outputLeft = 0, inputLeft = 0] = this.#left;
      room = outputLeft;
      from = input.length - inputLeft;
      if (room < output.length) take(output.subarray(0, output.length - room));
    } while (room === 0);
    return from;
  }

  /** Gives its memory back; nothing may follow. */
  close(): void {
    this.#coder.close();
  }
}

function isBinding(value: unknown): value is Binding {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'writeSync') === 'function';
}
