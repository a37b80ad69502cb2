// Text for a socket: gathered over a turn of the event loop, and given to the system past the socket's stream where nothing waits there.
import type { Socket } from 'node:net';
import { latin1 } from './latin1.ts';
import { SecureWrite } from './secure-write.ts';
import { STREAMS, textHandleOf, writeError, type TextHandle, type WriteRequest } from './stream-binding.ts';
import { turnEnd, type Gatherer } from './turn-end.ts';

/** Text is gathered up to this size, and written at once where it fits the memory that Node sets aside for an attempt. */
const MAX_TEXT = 16_384;

export class TextWriter implements Gatherer {
  readonly #socket: Socket;
  readonly #handle: TextHandle | null;
  /** Null: the socket is none of TLS, or this Node has no such way. */
  readonly #secure: SecureWrite | null;
  #text = '';
  /** When `moved` was asked last: bytes of the stream, and those of them that the system had not taken. */
  #unsent = 0;
  #waitsForTurnEnd = false;
  /** Something may wait in the stream, or it was ended. Otherwise nobody has to ask it: it lies in memory that no request touches else. */
  #streamUsed: boolean;

  /** For a socket that is connected. Whoever writes to it, or ends it, by itself calls `flush` or `take` before. */
  constructor(socket: Socket) {
    this.#socket = socket;
    const handle = STREAMS === null ? null : textHandleOf(socket);
    const secure = 'encrypted' in socket;
    this.#secure = handle !== null && secure ? SecureWrite.of(socket, handle) : null;
    this.#handle = secure && this.#secure === null ? null : handle;
    this.#streamUsed = this.#handle === null || !socket.writable || socket.writableLength > 0;
  }

  /** Whether text goes past the stream. */
  get direct(): boolean {
    return this.#handle !== null;
  }

  /** Bytes that wait in the stream, as `socket.writableLength`, and those of a write past it that the system has not taken. */
  get waitingBytes(): number {
    const past = this.#secure === null ? 0 : this.#secure.waitingBytes;
    return this.#streamUsed ? this.#socket.writableLength + past : past;
  }

  /** Whether anything has left since it was asked last, or more came: the peer takes it, however slowly. A large piece leaves `waitingBytes` at its end only. */
  moved(): boolean {
    const before = this.#unsent;
    this.#unsent = this.waitingBytes + (this.#handle?.writeQueueSize ?? 0);
    return this.#unsent !== before;
  }

  /** The socket will say `drain`: wait for that, as with `socket.writableNeedDrain`. */
  get needsDrain(): boolean {
    return this.#streamUsed && this.#socket.writableNeedDrain;
  }

  /** Gathers `text`, latin1, which leaves when the turn of the event loop is over. False: the socket will say `drain`, wait for that. */
  write(text: string): boolean {
    if (this.#text.length + text.length > MAX_TEXT) this.#leave();
    if (text.length > MAX_TEXT) return this.writeNow(text);
    this.#text += text;
    if (!this.#waitsForTurnEnd) {
      this.#waitsForTurnEnd = true;
      turnEnd.add(this);
    }
    return !this.needsDrain;
  }

  /** Gathers `bytes`, whose memory is free after the call. */
  writeBytes(bytes: Buffer): boolean {
    if (bytes.length <= MAX_TEXT / 2) return this.write(latin1(bytes, 0, bytes.length));
    this.flush();
    return !this.#socket.writable || this.#socket.write(Buffer.from(bytes));
  }

  /** Writes what was gathered. */
  flush(): void {
    this.#leave();
    this.#streamUsed = true;
  }

  /** What was gathered is the caller's to write. */
  take(): string {
    const text = this.#text;
    this.#text = '';
    this.#streamUsed = true;
    return text;
  }

  onTurnEnd(): void {
    this.#waitsForTurnEnd = false;
    this.#leave();
  }

  /** Writes `text`, as `socket.write` would, to a socket that is not corked, and not given empty chunks; what it gathered has to have left. */
  writeNow(text: string): boolean {
    this.#streamUsed = true;
    return this.#send(text);
  }

  #leave(): void {
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#send(text);
  }

  #send(text: string): boolean {
    if (this.#streamUsed && !this.#streamDone()) return !this.#socket.writable || this.#socket.write(text, 'latin1');
    const handle = this.#handle;
    if (handle === null || STREAMS === null || text.length > MAX_TEXT) return this.#stream(text);
    if (this.#secure !== null) return this.#sendSecurely(this.#secure, text);
    const request = spare ?? new STREAMS.WriteRequest();
    spare = request;
    const status = handle.writeLatin1String(request, text);
    if (status === 0 && STREAMS.state[STREAMS.writeGoesOn] === 0) return true;
    spare = null;
    // Destroyed: nobody reads what is left.
    if (!this.#socket.writable) return true;
    this.#streamUsed = true;
    return this.#handOver(request, status, text);
  }

  #sendSecurely(writes: SecureWrite, text: string): boolean {
    // The last one goes on since an earlier turn: the peer is slow, and the stream tells how slow.
    if (writes.goesOn) return this.#stream(text);
    writes.write(text);
    return true;
  }

  #stream(text: string): boolean {
    this.#streamUsed = true;
    return this.#socket.write(text, 'latin1');
  }

  /** Whether the stream has written all it was given, and takes more. */
  #streamDone(): boolean {
    const socket = this.#socket;
    if (!socket.writable || socket.writableLength > 0) return false;
    // Who was told to wait for `drain` is asked until it comes.
    if (this.#handle !== null && !socket.writableNeedDrain) this.#streamUsed = false;
    return true;
  }

  /** The stream waits for the end of a write it did not begin: it counts the bytes, holds back what follows, and tells when they have left. */
  #handOver(request: WriteRequest, status: number, text: string): boolean {
    const socket = this.#socket;
    socket._write = (_chunk, _encoding, done) => {
      if (status !== 0) return done(writeError(status));
      request.oncomplete = (code) => done(code === 0 ? null : writeError(code));
    };
    const flowing = socket.write(text, 'latin1');
    Reflect.deleteProperty(socket, '_write');
    return flowing;
  }
}

/** The request of the next write. One that was over at once leaves no trace in it. */
let spare: WriteRequest | null = null;
