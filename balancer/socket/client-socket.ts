// A client's socket, read in place: no memory is allocated for a read, and no stream stands between the system and who reads.
import type { Socket } from 'node:net';
import { readDirectly, type DirectReader, type ReadInto, type SocketReader } from './direct-read.ts';
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
  readonly #readInto: ReadInto | null;
  readonly #secure: boolean;
  /** Null: nobody has said yet. */
  #reads: boolean | null = null;
  #own: ReadBuffer | null = null;
  #held = false;
  #reading = false;
  #next: Buffer = COMMON_MEMORY;

  /** Takes over an accepted socket. Nothing is delivered before the turn is over. */
  constructor(socket: Socket) {
    this.socket = socket;
    this.text = new TextWriter(socket);
    this.#secure = 'encrypted' in socket;
    this.#readInto = readDirectly(socket, COMMON_MEMORY, this);
    this.inPlace = this.#readInto !== null;
    // It is always followed by `close`, where whoever speaks on it cleans up.
    socket.on('error', () => undefined);
    // What another reader gave back comes this way in any case.
    socket.on('data', (chunk: Buffer) => this.reader.onRead(chunk, chunk.length));
  }

  onBytes(length: number): Buffer | undefined {
    const filled = length === this.#next.length;
    this.#reading = true;
    try {
      this.reader.onRead(this.#next, length);
    } finally {
      this.#reading = false;
    }
    if (filled) this.#own?.filled();
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
    if (this.#held) this.#lend();
    this.#reads = true;
    this.socket.resume();
  }

  /** Reads from the next one on into memory of its own, which `hold` leaves to whoever still needs it. */
  readApart(): void {
    this.#own ??= new ReadBuffer(this.#secure);
  }

  /**
   * Reads from the next one on into the memory of all. Returns its own, for `giveBack` once nothing that was read before is needed any more; null: others
   * must not have it. `usedUp`: nothing is left of this read.
   */
  readTogether(usedUp: boolean): ReadBuffer | null {
    // Between two reads Node goes on with the memory that it was told last.
    const own = usedUp && this.#reading ? this.#own : null;
    this.#own = null;
    this.#held = false;
    return own;
  }

  /** What was read last is needed until `release`. Plain sockets are not read before (true), all others not into that memory. */
  hold(): boolean {
    if (this.#own === null) return false;
    // TLS goes on with the records it has decrypted. The end of the read names other memory; what did not come of a read is a copy.
    if (this.#secure) this.#own.lend();
    else {
      this.#held = true;
      this.pause();
    }
    return this.#held;
  }

  /** Reads on although something is held: a client that has left is not heard otherwise. False: nothing is. */
  readOn(): boolean {
    const held = this.#held;
    if (held) this.resume();
    return held;
  }

  /** What was read is not needed any more. */
  release(): void {
    this.#held = false;
  }

  #lend(): void {
    this.#held = false;
    this.#own?.lend();
    const next = this.#changed();
    if (next !== undefined) this.#readInto?.(next);
  }

  /** `part` of what was read, if need be in a copy, that no other connection overwrites: it lasts until the next read, or for as long as it is held. */
  apart(bytes: Buffer, part: Buffer): Buffer {
    if (bytes !== COMMON_MEMORY) return part;
    return this.#own === null ? Buffer.from(part) : this.#own.keep(part);
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
