// The socket to an endpoint, plain or TLS, reading into memory of its own; whoever speaks on it says what becomes of the bytes.
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket, type ConnectionOptions } from 'node:tls';
import { readDirectly, type DirectReader, type SocketReader } from './direct-read.ts';
import { COMMON_MEMORY, ReadBuffer } from './read-buffer.ts';
import { TextWriter } from './text-writer.ts';

/** How a connection is secured. */
export interface EndpointTls extends ConnectionOptions {
  /** Takes the session that the next connection may resume. */
  readonly keepSession?: (session: Buffer) => void;
}

/** Where and how to connect. `tls` null: plain. */
export interface UpstreamAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: EndpointTls | null;
  /** What ALPN offers instead of what `tls` says. */
  readonly protocols?: readonly string[];
}

export class UpstreamSocket implements DirectReader {
  readonly socket: Socket;
  readonly buffer: ReadBuffer;
  readonly secure: boolean;
  #text: TextWriter | null = null;
  #reader: SocketReader | null = null;
  /** Where the next read goes. Nothing is read before somebody listens. */
  #next: Buffer = COMMON_MEMORY;
  #together = false;
  #free = false;

  /** Begins to connect. */
  constructor(address: UpstreamAddress) {
    const { host, port, tls } = address;
    this.secure = tls !== null;
    this.buffer = new ReadBuffer(this.secure);
    const onread = {
      buffer: () => (this.#next = this.#reader === null ? COMMON_MEMORY : this.#memory()),
      callback: (length: number) => this.#fromStream(length),
    };
    const where = { host, port, noDelay: true, allowHalfOpen: true, onread };
    this.socket = tls === null ? connectPlain(where) : connectSecured(tls, { ...where, ...alpnOf(address) });
    this.socket.setNoDelay(true);
  }

  /** Gives what is read to `reader`, once it is connected; each read overwrites the one before. Until somebody listens nothing is read. */
  listen(reader: SocketReader): void {
    this.#reader = reader;
    const memory = this.#memory();
    if (readDirectly(this.socket, memory, this) !== null) this.#next = memory;
  }

  /**
   * Reads from the next one on into the memory of all: nothing of a read may be needed after the call, unless it is copied. `free`: nor is anything
   * needed of what was read before. TLS goes on with memory of its own.
   */
  readTogether(free: boolean): void {
    if (this.secure) return;
    this.#together = true;
    this.#free = free;
  }

  /** Reads from the next one on into `buffer`. */
  readApart(): void {
    this.#together = false;
  }

  /** `part` of what was read, if need be in a copy, that no other connection overwrites: it lasts until the next read, or for as long as it is lent. */
  apart(bytes: Buffer, part: Buffer): Buffer {
    return bytes === COMMON_MEMORY ? this.buffer.keep(part) : part;
  }

  onBytes(length: number): Buffer | undefined {
    const filled = length === this.#next.length;
    this.#reader?.onRead(this.#next, length);
    if (this.#free) this.#giveBack();
    if (filled && !this.#together) this.buffer.filled();
    const next = this.#memory();
    if (next === this.#next) return undefined;
    return (this.#next = next);
  }

  /** Only now that the read is over: what follows a response in it lies there, too. */
  #giveBack(): void {
    this.#free = false;
    if (this.#together) this.buffer.giveBack();
  }

  #memory(): Buffer {
    return this.#together ? COMMON_MEMORY : this.buffer.next();
  }

  #fromStream(length: number): boolean {
    if (this.#reader === null) return false;
    this.#reader.onRead(this.#next, length);
    return true;
  }

  /** What is written to it, once it is connected. */
  get text(): TextWriter {
    return (this.#text ??= new TextWriter(this.socket));
  }

  /** What ALPN agreed on; empty: nothing, or no TLS. */
  get protocol(): string {
    return this.socket instanceof TLSSocket && typeof this.socket.alpnProtocol === 'string' ? this.socket.alpnProtocol : '';
  }
}

function connectSecured(tls: EndpointTls, where: ConnectionOptions): Socket {
  const socket = connectTls({ ...tls, ...where });
  // Only told once the certificate and its name were found right: a resumption does not look at them again.
  if (tls.keepSession !== undefined) socket.on('session', tls.keepSession);
  return socket;
}

function alpnOf({ protocols }: UpstreamAddress): ConnectionOptions {
  return protocols === undefined ? {} : { ALPNProtocols: [...protocols] };
}

export function isTlsTrouble(error: NodeJS.ErrnoException): boolean {
  const code = error.code ?? '';
  return code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || /CERT|SELF_SIGNED|UNABLE_TO_/.test(code);
}
