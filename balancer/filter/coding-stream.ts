// Bodies into and out of content codings, piece by piece and at once: what the streams of node:zlib do on other threads, done in the same call.
import zlib from 'node:zlib';

export const CODINGS = ['zstd', 'br', 'gzip'] as const;

/** By its name in Content-Encoding. */
export type Coding = (typeof CODINGS)[number];

export type Effort = 'fast' | 'normal' | 'small';

/** What the streams of node:zlib call for all their work; `flush` is one of the constants of the coding. */
interface Binding {
  writeSync(flush: number, input: Buffer, inputOffset: number, inputLength: number, output: Buffer, offset: number, length: number): void;
  onerror: (message: string, errno: number, code: string) => void;
}

interface Flushes {
  readonly none: number;
  readonly now: number;
  readonly end: number;
}

const FLUSHES: Readonly<Record<Coding, Flushes>> = {
  zstd: { none: zlib.constants.ZSTD_e_continue, now: zlib.constants.ZSTD_e_flush, end: zlib.constants.ZSTD_e_end },
  br: {
    none: zlib.constants.BROTLI_OPERATION_PROCESS,
    now: zlib.constants.BROTLI_OPERATION_FLUSH,
    end: zlib.constants.BROTLI_OPERATION_FINISH,
  },
  gzip: { none: zlib.constants.Z_NO_FLUSH, now: zlib.constants.Z_SYNC_FLUSH, end: zlib.constants.Z_FINISH },
};

/** Levels at which the codings cost about the same; docs/filters/compress.md has figures. */
const LEVELS: Readonly<Record<Effort, Readonly<Record<Coding, number>>>> = {
  fast: { zstd: 1, br: 1, gzip: 1 },
  normal: { zstd: 3, br: 4, gzip: 4 },
  small: { zstd: 6, br: 6, gzip: 6 },
};
/** Logarithm of the bytes that a stream remembers: much larger windows need megabytes for each response that is on its way. */
const WINDOW_LOG = 18;
/** The streams themselves get no output, so they need no place for it. */
const SMALLEST_CHUNK = 64;

/** Shared: it is empty again when a call returns. */
const output = Buffer.allocUnsafeSlow(65_536);
const EMPTY = Buffer.alloc(0);

function encoder(coding: Coding, effort: Effort): zlib.Gzip | zlib.BrotliCompress | zlib.ZstdCompress {
  const level = LEVELS[effort][coding];
  const { constants } = zlib;
  switch (coding) {
    case 'gzip':
      return zlib.createGzip({ level, chunkSize: SMALLEST_CHUNK });
    case 'br': {
      const params = { [constants.BROTLI_PARAM_QUALITY]: level, [constants.BROTLI_PARAM_LGWIN]: WINDOW_LOG };
      return zlib.createBrotliCompress({ params, chunkSize: SMALLEST_CHUNK });
    }
    case 'zstd': {
      const params = { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: WINDOW_LOG };
      return zlib.createZstdCompress({ params, chunkSize: SMALLEST_CHUNK });
    }
  }
}

export class CodingStream {
  readonly #stream: zlib.Gzip | zlib.BrotliCompress | zlib.ZstdCompress;
  readonly #binding: Binding;
  /** After a call: what is left of the output's room, and of the input. */
  readonly #left: Uint32Array;
  readonly #flushes: Flushes;
  #problem = '';

  constructor(coding: Coding, effort: Effort) {
    this.#stream = encoder(coding, effort);
    this.#flushes = FLUSHES[coding];
    const binding: unknown = Reflect.get(this.#stream, '_handle');
    const left: unknown = Reflect.get(this.#stream, '_writeState');
    if (!isBinding(binding) || !(left instanceof Uint32Array))
      throw new Error('this version of Node cannot compress in the same call; use another');
    // Its own way to tell of trouble is an event, which comes too late.
    binding.onerror = (message) => {
      this.#problem = message;
    };
    this.#binding = binding;
    this.#left = left;
  }

  /** `now`: what is known of the piece comes out, whatever that costs in size. */
  push(piece: Buffer, now: boolean): Buffer {
    return this.#work(piece, now ? this.#flushes.now : this.#flushes.none);
  }

  end(): Buffer {
    return this.#work(EMPTY, this.#flushes.end);
  }

  /** Gives its memory back; nothing may follow. */
  close(): void {
    this.#stream.close();
  }

  #work(input: Buffer, flush: number): Buffer {
    const made: Buffer[] = [];
    let from = 0;
    let room = 0;
    do {
      this.#binding.writeSync(flush, input, from, input.length - from, output, 0, output.length);
      if (this.#problem !== '') throw new Error(this.#problem);
      const [outputLeft = 0, inputLeft = 0] = this.#left;
      room = outputLeft;
      from = input.length - inputLeft;
      if (room < output.length) made.push(Buffer.from(output.subarray(0, output.length - room)));
    } while (room === 0);
    return made.length === 1 ? (made[0] ?? EMPTY) : Buffer.concat(made);
  }
}

function isBinding(value: unknown): value is Binding {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'writeSync') === 'function';
}
