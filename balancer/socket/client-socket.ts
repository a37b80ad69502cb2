// A client's socket, read in place: no memory is allocated for a read, and no stream stands between the system and who reads.
import type { Socket } from 'node:net';
import { readDirectly, type DirectReader, type SocketReader } from './direct-read.ts';
import { COMMON_MEMORY, ReadBuffer } from './read-buffer.ts';
import { TextWriter } from './text-writer.ts';

/** Until somebody reads. */
const DEAF: SocketReader = { onRead: () => undefined };

export class ClientSocket implements DirectReader {
  readonly socket: Socket;
  /** What is written to it. */
  readonly text: TextWriter;
  /** Gets what is read; `owned` makes it last. */
  reader = DEAF;
  /** Whether reads go past the stream. */
  readonly inPlace: boolean;
  readonly #secure: boolean;
  /** Null: nobody has said yet. */
  #reads: boolean | null = null;
  #own: ReadBuffer | null = null;
  #next: Buffer = COMMON_MEMORY;

  /** Takes over an accepted socket. Nothing is delivered before the turn is over. */
  constructor(socket: Socket) {
    this.socket = socket;
    this.text = new TextWriter(socket);
    this.#secure = 'encrypted' in socket;
    this.inPlace = readDirectly(socket, COMMON_MEMORY, this);
    // What another reader gave back comes this way in any case.
    socket.on('data', (chunk: Buffer) => this.reader.onRead(chunk, chunk.length));
  }

  onBytes(length: number): Buffer | undefined {
    this.reader.onRead(this.#next, length);
    return this.#changed();
  }

  /** Stops the reading. Who calls this, or `resume`, leaves those of the socket alone: with each request that costs its part. */
  pause(): void {
    if (this.#reads === false) return;
    this.#reads = false;
    this.socket.pause();
  }

  resume(): void {
    if (this.#reads === true) return;
    this.#reads = true;
    this.socket.resume();
  }

  /** Reads from the next one on into memory of its own, which `lend` leaves to whoever still needs it. */
  readApart(): void {
    this.#own ??= new ReadBuffer(this.#secure);
  }

  readTogether(): void {
    this.#own = null;
  }

  lend(): void {
    this.#own?.lend();
  }

  /** Whether `bytes` are overwritten by the next read of any connection. */
  isShared(bytes: Buffer): boolean {
    return bytes === COMMON_MEMORY;
  }

  /** A part of what was read, to be kept. */
  owned(bytes: Buffer, from: number, to: number): Buffer {
    const part = bytes.subarray(from, to);
    return this.inPlace ? Buffer.from(part) : part;
  }

  /** Where the next read goes, if that is not where the last one went. */
  #changed(): Buffer | undefined {
    const next = this.#own === null ? COMMON_MEMORY : this.#own.next();
    if (next === this.#next) return undefined;
    this.#next = next;
    return next;
  }
}
