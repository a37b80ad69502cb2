// The client's end of a tunnel: a stream that was opened by an extended CONNECT (RFC 8441).
import type { DownstreamListener } from '../message/exchange.ts';
import type { TunnelEnd, TunnelListener } from '../message/tunnel.ts';
import { Http2Error } from './frame.ts';
import type { Http2Exchange } from './downstream-exchange.ts';

export class StreamTunnel implements TunnelEnd, DownstreamListener {
  readonly #exchange: Http2Exchange;
  #listener: TunnelListener | null = null;
  #closed = false;

  constructor(exchange: Http2Exchange) {
    this.#exchange = exchange;
  }

  attach(listener: TunnelListener): void {
    this.#listener = listener;
    if (this.#closed) listener.onTunnelClosed();
    else this.#exchange.body.flow(this);
  }

  write(chunk: Buffer): boolean {
    // What its windows do not take now waits here.
    this.#exchange.sendBody(Buffer.from(chunk));
    return this.#exchange.flush();
  }

  end(): void {
    this.#exchange.sendEnd([]);
  }

  /** As a reset of a TCP connection is told (RFC 8441 section 5). */
  destroy(): void {
    this.#exchange.abort(Http2Error.Cancel);
  }

  pause(): void {
    this.#exchange.body.pause();
  }

  resume(): void {
    this.#exchange.body.flow(this);
  }

  onBody(chunk: Buffer): void {
    this.#listener?.onTunnelData(chunk);
  }

  onBodyEnd(): void {
    this.#listener?.onTunnelEnd();
  }

  onDownstreamDrain(): void {
    this.#listener?.onTunnelDrain();
  }

  /** What follows is the end of the stream. */
  onDownstreamFailed(): void {
    this.closed();
  }

  /** The stream is over. */
  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener?.onTunnelClosed();
  }
}
