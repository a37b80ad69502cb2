// A client's socket, read in place: no memory is allocated for a read, and no stream stands between the system and who reads.
import { Socket } from 'node:net';
import { ReadBuffer } from './read-buffer.ts';
import { TextWriter } from './text-writer.ts';

const READ_BYTES = 65_536;
/** Where the connections of this process are read to: each read is used up, or copied, before the next one. */
const COMMON = Buffer.allocUnsafeSlow(READ_BYTES);

/**
 * The slots that the documented option `onread` of a connecting socket fills. Sockets that a server accepts have them too, but no option that
 * leads there.
 */
interface Slots {
  readonly buffer: symbol;
  readonly callback: symbol;
  readonly nextBuffer: symbol;
}

/** Null: this Node has no such slots, and sockets are read as streams. */
const SLOTS = findSlots();

export class ClientSocket {
  readonly socket: Socket;
  /** What is written to it. */
  readonly text: TextWriter;
  /** Is given memory and how much of it was read. The memory is the reader's during the call; `owned` makes it last. */
  onRead: (bytes: Buffer, length: number) => void = () => undefined;
  /** Whether reads go past the stream. */
  readonly inPlace: boolean;
  readonly #secure: boolean;
  /** Null: nobody has said yet. */
  #reads: boolean | null = null;
  #own: ReadBuffer | null = null;
  #next: Buffer = COMMON;

  /** Takes over an accepted socket. Nothing is delivered before the turn is over. */
  constructor(socket: Socket) {
    this.socket = socket;
    this.text = new TextWriter(socket);
    this.#secure = 'encrypted' in socket;
    this.inPlace = SLOTS !== null && this.#fill(SLOTS);
    // What another reader gave back comes this way in any case.
    socket.on('data', (chunk: Buffer) => this.onRead(chunk, chunk.length));
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
    return bytes === COMMON;
  }

  /** A part of what was read, to be kept. */
  owned(bytes: Buffer, from: number, to: number): Buffer {
    const part = bytes.subarray(from, to);
    return this.inPlace ? Buffer.from(part) : part;
  }

  #fill({ buffer, callback, nextBuffer }: Slots): boolean {
    const handle: unknown = Reflect.get(this.socket, '_handle');
    if (!takesBuffer(handle)) return false;
    Reflect.set(this.socket, buffer, COMMON);
    Reflect.set(this.socket, callback, (length: number, bytes: Buffer) => this.onRead(bytes, length));
    Reflect.set(this.socket, nextBuffer, () => this.#changed());
    handle.useUserBuffer(COMMON);
    return true;
  }

  /** Where the next read goes, if that is not where the last one went. */
  #changed(): Buffer | undefined {
    const next = this.#own === null ? COMMON : this.#own.next();
    if (next === this.#next) return undefined;
    this.#next = next;
    return next;
  }
}

function findSlots(): Slots | null {
  const byName = new Map(Object.getOwnPropertySymbols(new Socket()).map((symbol) => [symbol.description, symbol]));
  const buffer = byName.get('kBuffer');
  const callback = byName.get('kBufferCb');
  const nextBuffer = byName.get('kBufferGen');
  return buffer === undefined || callback === undefined || nextBuffer === undefined ? null : { buffer, callback, nextBuffer };
}

function takesBuffer(handle: unknown): handle is { useUserBuffer(buffer: Uint8Array): void } {
  return typeof handle === 'object' && handle !== null && typeof Reflect.get(handle, 'useUserBuffer') === 'function';
}
