// The client's end of a tunnel: a socket that was an HTTP/1.1 connection.
import type { Socket } from 'node:net';
import type { TunnelEnd, TunnelListener } from '../message/tunnel.ts';

export class ClientTunnel implements TunnelEnd {
  readonly #socket: Socket;
  readonly #early: Buffer;

  /** `early`: bytes that came behind the request. */
  constructor(socket: Socket, early: Buffer) {
    this.#socket = socket;
    this.#early = early;
  }

  attach(listener: TunnelListener): void {
    const socket = this.#socket;
    socket.on('data', (chunk: Buffer) => listener.onTunnelData(chunk));
    socket.on('end', () => listener.onTunnelEnd());
    socket.on('drain', () => listener.onTunnelDrain());
    socket.on('close', () => listener.onTunnelClosed());
    if (this.#early.length > 0) listener.onTunnelData(this.#early);
    if (socket.destroyed) listener.onTunnelClosed();
    else if (socket.readableEnded) listener.onTunnelEnd();
    else socket.resume();
  }

  write(chunk: Buffer): boolean {
    return !this.#socket.writable || this.#socket.write(chunk);
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
