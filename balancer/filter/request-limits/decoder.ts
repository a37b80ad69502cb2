// Bodies out of content codings, to look at what is in them: piece by piece, without keeping any of it.
import zlib from 'node:zlib';
import { WeirError } from '../../errors.ts';
import { SMALLEST_CHUNK, SyncCoder, type Coder } from '../sync-coder.ts';

export interface Coding {
  readonly make: () => Coder;
  /** How what is known of a piece comes out. */
  readonly flush: number;
}

/** By its name in Content-Encoding (RFC 9110 section 8.4.1). */
export const CODINGS: ReadonlyMap<string, Coding> = new Map<string, Coding>([
  ['gzip', { make: () => zlib.createGunzip({ chunkSize: SMALLEST_CHUNK }), flush: zlib.constants.Z_SYNC_FLUSH }],
  ['x-gzip', { make: () => zlib.createGunzip({ chunkSize: SMALLEST_CHUNK }), flush: zlib.constants.Z_SYNC_FLUSH }],
  ['deflate', { make: () => zlib.createInflate({ chunkSize: SMALLEST_CHUNK }), flush: zlib.constants.Z_SYNC_FLUSH }],
  ['br', { make: () => zlib.createBrotliDecompress({ chunkSize: SMALLEST_CHUNK }), flush: zlib.constants.BROTLI_OPERATION_PROCESS }],
  ['zstd', { make: () => zlib.createZstdDecompress({ chunkSize: SMALLEST_CHUNK }), flush: zlib.constants.ZSTD_e_continue }],
]);

export class Decoder {
  readonly #coder: SyncCoder;
  readonly #flush: number;

  constructor({ make, flush }: Coding) {
    this.#coder = new SyncCoder(make());
    this.#flush = flush;
  }

  /** What comes out goes to `take`, which may throw to end it; nothing of a bomb is made that nobody takes. */
  push(piece: Buffer, take: (bytes: Buffer) => void): void {
    let used: number;
    try {
      used = this.#coder.run(piece, this.#flush, take);
    } catch (error) {
      if (error instanceof WeirError) throw error;
      throw new WeirError('body_malformed', 'it is not of the coding that it says', { cause: error });
    }
    if (used < piece.length) throw new WeirError('body_malformed', 'something follows the end of its coding');
  }

  close(): void {
    this.#coder.close();
  }
}
