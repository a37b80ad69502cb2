// An upgraded or passed-through connection: bytes both ways with back-pressure, each direction ended on its own, closed when idle for too long.
import type { Deadlines, Expiring } from '../../health/deadlines.ts';
import type { TunnelEnd, TunnelListener } from '../message/tunnel.ts';

export interface TunnelTotals {
  bytesIn: number;
  bytesOut: number;
}

/** `complete`: both directions came to their ends. `client`, `upstream`: who broke off. `cut`: by the worker. */
export type TunnelCause = 'complete' | 'client' | 'upstream' | 'idle' | 'cut';

export class Tunnel implements Expiring {
  deadlineMs: number;
  readonly totals: TunnelTotals = { bytesIn: 0, bytesOut: 0 };
  readonly #client: TunnelEnd;
  readonly #upstream: TunnelEnd;
  readonly #idleMs: number;
  readonly #deadlines: Deadlines;
  readonly #onClosed: (tunnel: Tunnel, cause: TunnelCause) => void;
  #open = true;
  /** Directions that have ended. */
  #ended = 0;
  #oneClosed = false;

  constructor(
    ends: { readonly client: TunnelEnd; readonly upstream: TunnelEnd },
    idleMs: number,
    deadlines: Deadlines,
    onClosed: (tunnel: Tunnel, cause: TunnelCause) => void,
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
    this.#upstream.attach(this.#direction('upstream', this.#upstream, this.#client, countOut));
    if (this.#open) this.#client.attach(this.#direction('client', this.#client, this.#upstream, countIn));
  }

  onDeadline(): void {
    this.#finish('idle');
  }

  /** Ends both directions. */
  close(): void {
    this.#finish('cut');
  }

  /** What arrives at `from` goes to `to`. */
  #direction(name: 'client' | 'upstream', from: TunnelEnd, to: TunnelEnd, count: (bytes: number) => number): TunnelListener {
    return {
      onTunnelData: (chunk) => {
        count(chunk.length);
        this.#moved();
        if (!to.write(chunk)) from.pause();
      },
      onTunnelEnd: () => {
        this.#ended += 1;
        to.end();
      },
      onTunnelDrain: () => {
        this.#moved();
        to.resume();
      },
      onTunnelClosed: () => this.#endClosed(name),
    };
  }

  #moved(): void {
    this.deadlineMs = this.#deadlines.nowMs + this.#idleMs;
  }

  /** When both directions have ended the other end closes by itself, once it has written what waits there. */
  #endClosed(name: 'client' | 'upstream'): void {
    if (this.#ended < 2) this.#finish(name);
    else if (this.#oneClosed) this.#finish('complete');
    else this.#oneClosed = true;
  }

  #finish(cause: TunnelCause): void {
    if (!this.#open) return;
    this.#open = false;
    this.#deadlines.remove(this);
    this.#client.destroy();
    this.#upstream.destroy();
    this.#onClosed(this, cause);
  }
}

/** Where the tunnels of a worker are known. */
export interface TunnelHome {
  readonly deadlines: Deadlines;
  readonly tunnels: Set<Tunnel>;
}

/** Begins a tunnel that is known there until it has closed. */
export function openTunnel(
  ends: { readonly client: TunnelEnd; readonly upstream: TunnelEnd },
  idleMs: number,
  { deadlines, tunnels }: TunnelHome,
  onClosed: (tunnel: Tunnel, cause: TunnelCause) => void,
): void {
  const tunnel = new Tunnel(ends, idleMs, deadlines, (closed, cause) => {
    tunnels.delete(closed);
    onClosed(closed, cause);
  });
  tunnels.add(tunnel);
  tunnel.start();
}
