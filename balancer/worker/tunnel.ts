// An upgraded or passed-through connection: bytes both ways with back-pressure, each direction ended on its own, closed when idle for too long.
import { NOT_WATCHED, type Deadlines, type Expiring } from '../../health/deadlines.ts';
import type { TunnelEnd, TunnelListener } from '../message/tunnel.ts';
import { FramePosition, goingAwayFrame } from '../message/websocket-frames.ts';

export interface TunnelTotals {
  bytesIn: number;
  bytesOut: number;
}

/**
 * `complete`: both directions came to their ends. `client`, `upstream`: who broke off. `cut`: by the worker. `moved`: by the worker, after
 * both ends were told.
 */
export type TunnelCause = 'complete' | 'client' | 'upstream' | 'idle' | 'cut' | 'moved';

/** What a tunnel joins. */
export interface TunnelJoint {
  readonly client: TunnelEnd;
  readonly upstream: TunnelEnd;
  readonly cluster: string;
  /** The protocol that was changed to; empty: none, the bytes mean nothing here. */
  readonly upgrade: string;
}

/** One direction. */
interface Way {
  readonly name: 'client' | 'upstream';
  readonly from: TunnelEnd;
  readonly to: TunnelEnd;
  /** Null: there are no frames to know of. */
  readonly frames: FramePosition | null;
  /** `to` has been told that this is the end. */
  told: boolean;
}

/** For both ends to read what is on its way, to answer a Close and to close. */
const LEAVE_MS = 5000;

export class Tunnel implements Expiring {
  deadlineMs: number;
  watchedAt = NOT_WATCHED;
  readonly cluster: string;
  /** To leave, in words of its own protocol; what is but bytes can only be cut. */
  readonly canBeTold: boolean;
  readonly totals: TunnelTotals = { bytesIn: 0, bytesOut: 0 };
  readonly #idleMs: number;
  readonly #deadlines: Deadlines;
  readonly #onClosed: (tunnel: Tunnel, cause: TunnelCause) => void;
  readonly #toClient: Way;
  readonly #toUpstream: Way;
  #open = true;
  /** 32 bits for the frame that tells the endpoint; null: the tunnel stays. */
  #leaving: number | null = null;
  /** Directions that have ended. */
  #ended = 0;
  #oneClosed = false;

  constructor(
    { client, upstream, cluster, upgrade }: TunnelJoint,
    idleMs: number,
    deadlines: Deadlines,
    onClosed: (tunnel: Tunnel, cause: TunnelCause) => void,
  ) {
    this.cluster = cluster;
    this.#idleMs = idleMs;
    this.#deadlines = deadlines;
    this.#onClosed = onClosed;
    this.deadlineMs = deadlines.nowMs + idleMs;
    const framed = upgrade === 'websocket';
    this.canBeTold = framed;
    this.#toClient = { name: 'upstream', from: upstream, to: client, frames: framed ? new FramePosition() : null, told: false };
    this.#toUpstream = { name: 'client', from: client, to: upstream, frames: framed ? new FramePosition() : null, told: false };
  }

  /** It is about to close. */
  get leaving(): boolean {
    return this.#leaving !== null;
  }

  start(): void {
    this.#deadlines.add(this);
    const countIn = (bytes: number): number => (this.totals.bytesIn += bytes);
    const countOut = (bytes: number): number => (this.totals.bytesOut += bytes);
    this.#toClient.from.attach(this.#direction(this.#toClient, countOut));
    if (this.#open) this.#toUpstream.from.attach(this.#direction(this.#toUpstream, countIn));
  }

  onDeadline(): void {
    this.#finish(this.leaving ? 'moved' : 'idle');
  }

  /** Ends both directions. */
  close(): void {
    this.#finish('cut');
  }

  /**
   * Ends both directions so that both ends know: a WebSocket with a Close frame as soon as no other frame is under way, anything else, and a
   * frame that takes too long, by closing the connections behind what was written. `mask`: 32 random bits.
   */
  leave(mask: number): void {
    if (!this.#open || this.leaving) return;
    this.#leaving = mask;
    this.deadlineMs = this.#deadlines.nowMs + LEAVE_MS;
    for (const way of [this.#toClient, this.#toUpstream]) {
      if (way.frames === null) way.to.end();
      else if (way.frames.betweenFrames) this.#tell(way);
    }
  }

  #direction(way: Way, count: (bytes: number) => number): TunnelListener {
    const { name, from, to } = way;
    return {
      onTunnelData: (chunk) => {
        count(chunk.length);
        if (this.#leaving !== null) return this.#lastData(way, chunk);
        this.#moved();
        way.frames?.pass(chunk, false);
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
    if (this.#leaving === null) this.deadlineMs = this.#deadlines.nowMs + this.#idleMs;
  }

  /** Up to the end of the frame that is under way, and then the Close; what comes behind that is for nobody. */
  #lastData(way: Way, chunk: Buffer): void {
    if (way.frames === null) return;
    if (way.told) {
      way.frames.pass(chunk, false);
      // Its answer to the Close: all is said (section 5.5.1).
      if (way.frames.sawClose) way.from.end();
      return;
    }
    const length = way.frames.pass(chunk, true);
    if (!way.to.write(chunk.subarray(0, length))) way.from.pause();
    if (!way.frames.betweenFrames) return;
    this.#tell(way);
    if (length < chunk.length) this.#lastData(way, chunk.subarray(length));
  }

  #tell(way: Way): void {
    way.told = true;
    const ofClient = way === this.#toClient;
    // One end has said Close by itself: the other answers that, and a second one would be a fault.
    if (way.frames?.sawClose !== true) way.to.write(goingAwayFrame(ofClient ? null : this.#leaving));
    // What it answers is read whether or not the other end takes anything.
    way.to.resume();
  }

  /** When both directions have ended the other end closes by itself, once it has written what waits there. */
  #endClosed(name: 'client' | 'upstream'): void {
    if (this.leaving) {
      if (this.#oneClosed) return this.#finish('moved');
      this.#oneClosed = true;
      (name === 'client' ? this.#toUpstream : this.#toClient).to.end();
    } else if (this.#ended < 2) this.#finish(name);
    else if (this.#oneClosed) this.#finish('complete');
    else this.#oneClosed = true;
  }

  #finish(cause: TunnelCause): void {
    if (!this.#open) return;
    this.#open = false;
    this.#deadlines.remove(this);
    this.#toClient.to.destroy();
    this.#toUpstream.to.destroy();
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
  joint: TunnelJoint,
  idleMs: number,
  { deadlines, tunnels }: TunnelHome,
  onClosed: (tunnel: Tunnel, cause: TunnelCause) => void,
): void {
  const tunnel = new Tunnel(joint, idleMs, deadlines, (closed, cause) => {
    tunnels.delete(closed);
    onClosed(closed, cause);
  });
  tunnels.add(tunnel);
  tunnel.start();
}
