// Text for a socket: gathered over a turn of the event loop, and given to the system past the socket's stream where nothing waits there.
import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { latin1 } from './latin1.ts';
import { turnEnd, type Gatherer } from './turn-end.ts';

/** What Node's own sockets write with; not documented, so everything here is looked for, and missed without harm. */
interface Writing {
  /** Belongs to one write, from when the system did not take all of it at once. */
  readonly Request: new () => WriteRequest;
  readonly state: Readonly<Record<number, number>>;
  /** Where `state` says whether the last write still goes on. */
  readonly goesOn: number;
}

/** As Node names them. */
interface Found {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: Readonly<Record<number, number>>;
  readonly kLastWriteWasAsync: number;
}

interface WriteRequest {
  oncomplete?: (status: number) => void;
}

interface Handle {
  writeLatin1String(request: WriteRequest, text: string): number;
}

/** Null: this Node has no such writes, and all text goes through the streams. */
const WRITING = findWriting();

/** Text is gathered up to this size, and written at once where it fits the memory that Node sets aside for an attempt. */
const MAX_TEXT = 16_384;

export class TextWriter implements Gatherer {
  readonly #socket: Socket;
  readonly #handle: Handle | null;
  #text = '';
  #waitsForTurnEnd = false;
  readonly #atTurnEnd: Gatherer = {
    flush: () => {
      this.#waitsForTurnEnd = false;
      this.flush();
    },
  };

  /** For a socket that is connected. Whoever writes to it, or ends it, by itself calls `flush` or `take` before. */
  constructor(socket: Socket) {
    this.#socket = socket;
    const handle: unknown = Reflect.get(socket, '_handle');
    // TLS completes no write at once.
    this.#handle = WRITING !== null && !('encrypted' in socket) && takesText(handle) ? handle : null;
  }

  /** Whether text goes past the stream. */
  get direct(): boolean {
    return this.#handle !== null;
  }

  /** Gathers `text`, latin1, which leaves when the turn of the event loop is over. False: the socket will say `drain`, wait for that. */
  write(text: string): boolean {
    if (this.#text.length + text.length > MAX_TEXT) this.flush();
    if (text.length > MAX_TEXT) return this.writeNow(text);
    this.#text += text;
    if (!this.#waitsForTurnEnd) {
      this.#waitsForTurnEnd = true;
      turnEnd.add(this.#atTurnEnd);
    }
    return !this.#socket.writableNeedDrain;
  }

  /** Gathers `bytes`, whose memory is free after the call. */
  writeBytes(bytes: Buffer): boolean {
    if (bytes.length <= MAX_TEXT / 2) return this.write(latin1(bytes, 0, bytes.length));
    this.flush();
    return !this.#socket.writable || this.#socket.write(Buffer.from(bytes));
  }

  /** Writes what was gathered. */
  flush(): void {
    const text = this.take();
    if (text !== '') this.writeNow(text);
  }

  /** What was gathered is the caller's to write. */
  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  /** Writes `text`, as `socket.write` would, to a socket that is not corked, and not given empty chunks; what it gathered has to have left. */
  writeNow(text: string): boolean {
    const socket = this.#socket;
    const handle = this.#handle;
    if (!socket.writable) return true;
    if (handle === null || WRITING === null || text.length > MAX_TEXT || socket.writableLength > 0) return socket.write(text, 'latin1');
    const request = spare ?? new WRITING.Request();
    spare = request;
    const status = handle.writeLatin1String(request, text);
    if (status === 0 && WRITING.state[WRITING.goesOn] === 0) return true;
    spare = null;
    return this.#handOver(request, status, text);
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

function writeError(status: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: 'write' });
}

function takesText(handle: unknown): handle is Handle {
  return typeof handle === 'object' && handle !== null && typeof Reflect.get(handle, 'writeLatin1String') === 'function';
}

function findWriting(): Writing | null {
  const binding: unknown = Reflect.get(process, 'binding');
  if (typeof binding !== 'function') return null;
  try {
    const {
      WriteWrap: Request,
      streamBaseState: state,
      kLastWriteWasAsync: goesOn,
    } = Reflect.apply(binding, process, ['stream_wrap']) as Partial<Found>;
    const known = typeof Request === 'function' && typeof goesOn === 'number' && typeof state?.[goesOn] === 'number';
    return known ? { Request, state, goesOn } : null;
  } catch {
    return null;
  }
}
