// Bodies into content codings, piece by piece and at once.
import zlib from 'node:zlib';
import { SMALLEST_CHUNK, SyncCoder } from './sync-coder.ts';

export const CODINGS = ['zstd', 'br', 'gzip'] as const;

/** By its name in Content-Encoding. */
export type Coding = (typeof CODINGS)[number];

export type Effort = 'fast' | 'normal' | 'small';

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
  readonly #coder: SyncCoder;
  readonly #flushes: Flushes;

  /** Throws where this version of Node cannot do it. */
  constructor(coding: Coding, effort: Effort) {
    this.#coder = new SyncCoder(encoder(coding, effort));
    this.#flushes = FLUSHES[coding];
  }

  /** `now`: what is known of the piece comes out, whatever that costs in size. */
  push(piece: Buffer, now: boolean): Buffer {
    return this.#made(piece, now ? this.#flushes.now : this.#flushes.none);
  }

  end(): Buffer {
    return this.#made(EMPTY, this.#flushes.end);
  }

  /** Gives its memory back; nothing may follow. */
  close(): void {
    this.#coder.close();
  }

  #made(input: Buffer, flush: number): Buffer {
    const made: Buffer[] = [];
    this.#coder.run(input, flush, (bytes) => made.push(Buffer.from(bytes)));
    return made.length === 1 ? (made[0] ?? EMPTY) : Buffer.concat(made);
  }
}
