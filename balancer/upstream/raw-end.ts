// One end of a connection that is passed through: a plain socket whose bytes are counted and not looked at.
import type { Socket } from 'node:net';
import type { TunnelEnd, TunnelListener } from '../message/tunnel.ts';
import type { Counter } from '../telemetry/meter.ts';

const EMPTY = Buffer.alloc(0);

export class RawEnd implements TunnelEnd {
  readonly #socket: Socket;
  readonly #read: Counter;
  #early: Buffer;
  #listener: TunnelListener | null = null;
  #paused = false;
  readonly #onWritten = (): void => {
    if (this.#socket.writableLength === 0) this.#listener?.onTunnelDrain();
  };

  /** `read` counts the bytes that come from the socket; `early` are those that came before. */
  constructor(socket: Socket, read: Counter, early: Buffer = EMPTY) {
    this.#socket = socket;
    this.#read = read;
    this.#early = early;
  }

  attach(listener: TunnelListener): void {
    const socket = this.#socket;
    this.#listener = listener;
    socket.on('data', (chunk: Buffer) => this.deliver(chunk));
    socket.on('end', () => listener.onTunnelEnd());
    socket.on('close', () => listener.onTunnelClosed());
    const early = this.#early;
    this.#early = EMPTY;
    if (early.length > 0) this.deliver(early);
    if (socket.destroyed) listener.onTunnelClosed();
    // A client may have said all it had before there was anybody to say it to.
    else if (socket.readableEnded) listener.onTunnelEnd();
    else if (!this.#paused) socket.resume();
  }

  /** Bytes have come. False: no more until `resume`; until then the memory they are in is still needed. */
  deliver(bytes: Buffer): boolean {
    this.#read.add(bytes.length);
    this.#listener?.onTunnelData(bytes);
    return !this.#paused;
  }

  /** False as long as anything waits, however little: the other end reads into the same memory again as soon as it may. */
  write(chunk: Buffer): boolean {
    const socket = this.#socket;
    if (!socket.writable) return true;
    socket.write(chunk);
    if (socket.writableLength === 0) return true;
    // Nothing behind what waits, to be told when it has left: `drain` speaks of the high-water mark only.
    socket.write(EMPTY, this.#onWritten);
    return false;
  }

  end(): void {
    this.#socket.end();
  }

  /** Where this end was not told of an end yet it must not take what came for everything: a reset, and no FIN. */
  destroy(): void {
    if (this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
  }
}
