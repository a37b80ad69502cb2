// The client's end of a tunnel: a socket that was an HTTP/1.1 connection.
import type { Socket } from 'node:net';
import type { TunnelEnd, TunnelListener } from '../message/tunnel.ts';
import type { ClientSocket } from '../socket/client-socket.ts';

export class ClientTunnel implements TunnelEnd {
  readonly #link: ClientSocket;
  readonly #socket: Socket;
  readonly #early: Buffer;

  /** `early`: bytes that came behind the request. */
  constructor(link: ClientSocket, early: Buffer) {
    this.#link = link;
    this.#socket = link.socket;
    this.#early = early;
  }

  attach(listener: TunnelListener): void {
    const socket = this.#socket;
    this.#link.reader = { onRead: (bytes, length) => listener.onTunnelData(bytes.subarray(0, length)) };
    socket.on('end', () => listener.onTunnelEnd());
    socket.on('drain', () => listener.onTunnelDrain());
    socket.on('close', () => listener.onTunnelClosed());
    if (this.#early.length > 0) listener.onTunnelData(this.#early);
    if (socket.destroyed) listener.onTunnelClosed();
    else if (socket.readableEnded) listener.onTunnelEnd();
    else socket.resume();
  }

  write(chunk: Buffer): boolean {
    return !this.#socket.writable || this.#link.text.writeBytes(chunk);
  }

  end(): void {
    this.#link.text.flush();
    this.#socket.end();
  }

  destroy(): void {
    this.#link.text.flush();
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
