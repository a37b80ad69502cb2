// An upgraded connection: bytes both ways with back-pressure, each direction ended on its own, closed when idle for too long.
import type { Deadlines, Expiring } from '../../health/deadlines.ts';
import type { TunnelEnd, TunnelListener } from '../message/tunnel.ts';

export interface TunnelTotals {
  bytesIn: number;
  bytesOut: number;
}

export class Tunnel implements Expiring {
  deadlineMs: number;
  readonly totals: TunnelTotals = { bytesIn: 0, bytesOut: 0 };
  readonly #client: TunnelEnd;
  readonly #upstream: TunnelEnd;
  readonly #idleMs: number;
  readonly #deadlines: Deadlines;
  readonly #onClosed: (tunnel: Tunnel) => void;
  #open = true;

  constructor(
    ends: { readonly client: TunnelEnd; readonly upstream: TunnelEnd },
    idleMs: number,
    deadlines: Deadlines,
    onClosed: (tunnel: Tunnel) => void,
  ) {
    this.#client = ends.client;
    this.#upstream = ends.upstream;
    this.#idleMs = idleMs;
    this.#deadlines = deadlines;
    this.#onClosed = onClosed;
    this.deadlineMs = deadlines.nowMs + idleMs;
  }

  start(): void {
    this.#deadlines.add(this);
    const countIn = (bytes: number): number => (this.totals.bytesIn += bytes);
    const countOut = (bytes: number): number => (this.totals.bytesOut += bytes);
    this.#upstream.attach(this.#direction(this.#upstream, this.#client, countOut));
    if (this.#open) this.#client.attach(this.#direction(this.#client, this.#upstream, countIn));
  }

  onDeadline(): void {
    this.close();
  }

  /** Ends both directions. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#deadlines.remove(this);
    this.#client.destroy();
    this.#upstream.destroy();
    this.#onClosed(this);
  }

  /** What arrives at `from` goes to `to`. */
  #direction(from: TunnelEnd, to: TunnelEnd, count: (bytes: number) => number): TunnelListener {
    return {
      onTunnelData: (chunk) => {
        count(chunk.length);
        this.deadlineMs = this.#deadlines.nowMs + this.#idleMs;
        if (!to.write(chunk)) from.pause();
      },
      onTunnelEnd: () => to.end(),
      onTunnelDrain: () => to.resume(),
      onTunnelClosed: () => this.close(),
    };
  }
}
