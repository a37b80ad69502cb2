// Text for a TLS socket past its stream. Such a write is over a turn later, and TLS takes one at a time: what the stream writes meanwhile waits here.
import { Socket } from 'node:net';
import { STREAMS, writeError, type TextHandle, type WriteRequest } from './stream-binding.ts';

interface SecureRequest extends WriteRequest {
  writes: SecureWrite | null;
}

/** Where a socket has its own: whoever writes to it has to know of the write that goes on. */
const WRITES = Symbol('writes past the stream');

export class SecureWrite {
  /** Of the write that goes on; 0: there is none. */
  waitingBytes = 0;
  readonly #socket: Socket;
  readonly #handle: TextHandle;
  /** What the stream began meanwhile; it begins one thing at a time. */
  #held: (() => void) | null = null;

  private constructor(socket: Socket, handle: TextHandle) {
    this.#socket = socket;
    this.#handle = handle;
  }

  /** The one of this socket. `handle` is the socket's. */
  static of(socket: Socket, handle: TextHandle): SecureWrite {
    const present: unknown = Reflect.get(socket, WRITES);
    if (present instanceof SecureWrite) return present;
    return Object.assign(socket, { [WRITES]: new SecureWrite(socket, handle) }, HOLDING)[WRITES];
  }

  /** Writes `text`, latin1. Nothing must wait in the stream, and no other write go on. */
  write(text: string): void {
    if (STREAMS === null) return;
    const request = new STREAMS.WriteRequest() as SecureRequest;
    request.oncomplete = onComplete;
    request.writes = this;
    this.waitingBytes = text.length;
    const status = this.#handle.writeLatin1String(request, text);
    if (status === 0 && STREAMS.state[STREAMS.writeGoesOn] !== 0) return;
    this.waitingBytes = 0;
    if (status !== 0) this.#socket.destroy(writeError(status));
  }

  /** Begins `operation` of the stream when the write is over. */
  hold(operation: () => void): void {
    if (this.waitingBytes === 0) operation();
    else this.#held = operation;
  }

  /** The write is over. */
  complete(status: number): void {
    this.waitingBytes = 0;
    if (status !== 0 && !this.#socket.destroyed) this.#socket.destroy(writeError(status));
    // Of a socket that is destroyed the stream learns so.
    const held = this.#held;
    this.#held = null;
    held?.();
  }
}

function onComplete(this: WriteRequest, status: number): void {
  const request = this as SecureRequest;
  request.writes?.complete(status);
  request.writes = null;
}

/** What the stream of a socket calls, one at a time, held back while a write goes on. */
const HOLDING = Object.fromEntries(['_write', '_writev', '_final'].map((name) => [name, holding(Reflect.get(Socket.prototype, name))]));

function holding(operation: unknown) {
  return function (this: Socket, ...given: unknown[]): void {
    const writes: unknown = Reflect.get(this, WRITES);
    if (writes instanceof SecureWrite && typeof operation === 'function') writes.hold(() => void Reflect.apply(operation, this, given));
  };
}
