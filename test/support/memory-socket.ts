// A socket without a network: what a test feeds comes in, what is written is kept. Fast enough to put thousands of byte sequences through a parser.
import { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

export class MemorySocket extends Socket {
  #sent = '';
  #ended = false;

  constructor() {
    super({ allowHalfOpen: true });
    this.on('error', () => undefined);
  }

  /** All that was written to it, one character a byte. */
  get sent(): string {
    return this.#sent;
  }

  /** The side under test has half-closed it, or torn it down. */
  get ended(): boolean {
    return this.#ended || this.destroyed;
  }

  /** Bytes that arrive together. */
  feed(bytes: string): void {
    if (!this.destroyed && bytes !== '') this.push(Buffer.from(bytes, 'latin1'));
  }

  override _read(): void {
    return undefined;
  }

  override _write(chunk: string | Buffer, encoding: BufferEncoding, done: Done): void {
    this.#keep(chunk, encoding);
    done();
  }

  override _writev(chunks: readonly { readonly chunk: string | Buffer; readonly encoding: BufferEncoding }[], done: Done): void {
    for (const { chunk, encoding } of chunks) this.#keep(chunk, encoding);
    done();
  }

  override _final(done: Done): void {
    this.#ended = true;
    done();
  }

  /** A socket of the system tells its end by itself, and so does this one. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error);
    process.nextTick(() => this.emit('close', error !== null));
  }

  override resetAndDestroy(): this {
    return this.destroy();
  }

  #keep(chunk: string | Buffer, encoding: BufferEncoding): void {
    this.#sent += typeof chunk === 'string' ? Buffer.from(chunk, encoding).toString('latin1') : chunk.toString('latin1');
  }
}
