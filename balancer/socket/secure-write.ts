// Text for a TLS socket past its stream. Such a write is over a turn later, and TLS takes one at a time: what the stream writes meanwhile waits here.
import { Socket } from 'node:net';
import { parentHandleOf, STREAMS, writeError, type SystemHandle, type TextHandle, type WriteRequest } from './stream-binding.ts';

/** Where a socket has its own: whoever writes to it has to know of the write that goes on. */
const WRITES = Symbol('writes past the stream');

export class SecureWrite {
  /** Of the write that goes on, as long as the system has not taken all of it; 0: it has, or there is none. */
  waitingBytes = 0;
  readonly #socket: Socket;
  readonly #handle: TextHandle;
  readonly #system: SystemHandle;
  readonly #onComplete = (status: number): void => this.#complete(status);
  /** Used again for each write: Node has let go of it when that is over, which it tells by having no number. */
  #request: WriteRequest;
  /** What the stream began meanwhile; it begins one thing at a time. */
  #held: (() => void) | null = null;

  private constructor(socket: Socket, handle: TextHandle, system: SystemHandle) {
    this.#socket = socket;
    this.#handle = handle;
    this.#system = system;
    this.#request = newRequest();
  }

  /** The one of this socket; null: this Node has no such way. `handle` is the socket's. */
  static of(socket: Socket, handle: TextHandle): SecureWrite | null {
    const present: unknown = Reflect.get(socket, WRITES);
    if (present instanceof SecureWrite) return present;
    const system = parentHandleOf(handle);
    if (system === null) return null;
    return Object.assign(socket, { [WRITES]: new SecureWrite(socket, handle, system) }, HOLDING)[WRITES];
  }

  /** Whether the last write is not over: Node ends the process that begins another one before. */
  get goesOn(): boolean {
    return this.#request.getAsyncId() >= 0;
  }

  /** Writes `text`, latin1. Nothing must wait in the stream, and no other write go on. */
  write(text: string): void {
    const request = this.#request;
    request.oncomplete = this.#onComplete;
    const status = this.#handle.writeLatin1String(request, text);
    if (status !== 0) this.#socket.destroy(writeError(status));
    // It failed within the call.
    else if (request !== this.#request) return;
    // The end of what the system has taken is looked up by the next write: to be told of it costs as much as all the rest here.
    else if (this.#system.writeQueueSize === 0) request.oncomplete = null;
    else this.waitingBytes = text.length;
  }

  /** Begins `operation` of the stream when the write is over. */
  hold(operation: () => void): void {
    if (!this.goesOn) return operation();
    this.#held = operation;
    this.#request.oncomplete = this.#onComplete;
  }

  /** The write is over. Node still holds its request, so the next one needs another. */
  #complete(status: number): void {
    this.#request = newRequest();
    this.waitingBytes = 0;
    if (status !== 0 && !this.#socket.destroyed) this.#socket.destroy(writeError(status));
    // Of a socket that is destroyed the stream learns so.
    const held = this.#held;
    this.#held = null;
    held?.();
  }
}

function newRequest(): WriteRequest {
  if (STREAMS === null) throw new Error('a handle that takes text, and no request for it');
  return new STREAMS.WriteRequest();
}

/** What the stream of a socket calls, one at a time, held back while a write goes on. */
const HOLDING = Object.fromEntries(['_write', '_writev', '_final'].map((name) => [name, holding(Reflect.get(Socket.prototype, name))]));

function holding(operation: unknown) {
  return function (this: Socket, ...given: unknown[]): void {
    const writes: unknown = Reflect.get(this, WRITES);
    if (writes instanceof SecureWrite && typeof operation === 'function') writes.hold(() => void Reflect.apply(operation, this, given));
  };
}
