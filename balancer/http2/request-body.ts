// The body of one request: windows, declared length, and bytes that wait until somebody wants them.
import type { DownstreamListener } from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
import { HeldBytes } from './held-bytes.ts';

/** The connection, as a body sees it. */
export interface BodyOwner {
  readonly streamWindow: number;
  /** As far as the window of a stream may grow whose body is taken as fast as it comes. */
  readonly largestWindow: number;
  updateWindow(streamId: number, increment: number): void;
  /** Bytes of all bodies that wait, changed by this many. */
  countHeld(bytes: number): void;
  /** A byte came, or may come now. */
  expectBody(body: RequestBody): void;
}

/** A piece of a DATA frame. */
export interface BodyPiece {
  readonly piece: Buffer;
  readonly flowBytes: number;
  readonly endStream: boolean;
}

export class RequestBody {
  /** The client has ended its side of the stream. */
  remoteDone: boolean;
  deadlineMs = Infinity;
  /** False: the client may be silent for as long as it likes, as in a tunnel. */
  timed = true;
  readonly #streamId: number;
  readonly #owner: BodyOwner;
  /** -1: not told. */
  readonly #length: number;
  #held: HeldBytes | null = null;
  /** Bytes of windows that what is held took. */
  #heldFlow = 0;
  #received = 0;
  #window: number;
  #target: number;
  #flows = false;
  /** The end was told to the listener, or there is none to tell. */
  #told: boolean;
  #trailers: Fields = [];

  constructor(streamId: number, owner: BodyOwner, length: number, remoteDone: boolean) {
    this.#streamId = streamId;
    this.#owner = owner;
    this.#length = length;
    this.#window = owner.streamWindow;
    this.#target = owner.streamWindow;
    this.remoteDone = remoteDone;
    this.#told = remoteDone || length === 0;
  }

  /** Takes what a frame uses of the window of the stream; false: the client has overrun it (RFC 9113 section 6.9.1). */
  takeWindow(flowBytes: number): boolean {
    this.#window -= flowBytes;
    return this.#window >= 0;
  }

  /** False when the length that was declared is not kept (RFC 9113 section 8.1.1): nothing of the piece was handed on. */
  take({ piece, flowBytes, endStream }: BodyPiece, listener: DownstreamListener): boolean {
    this.#received += piece.length;
    if (this.#length >= 0 && (endStream ? this.#received !== this.#length : this.#received > this.#length)) return false;
    if (endStream) this.remoteDone = true;
    if (this.#told) {
      // Nobody wants it; the window stays as it is.
    } else if (this.#flows && this.#held === null) {
      if (piece.length > 0) listener.onBody(piece);
      this.#widen();
    } else {
      (this.#held ??= new HeldBytes()).append(piece);
      this.#heldFlow += flowBytes;
      this.#owner.countHeld(flowBytes);
    }
    if (endStream) this.#tellEnd(listener);
    else this.#expect();
    return true;
  }

  /** False as with `take`. */
  end(trailers: Fields, listener: DownstreamListener): boolean {
    if (this.#length >= 0 && this.#received !== this.#length) return false;
    this.remoteDone = true;
    this.#trailers = trailers;
    this.#tellEnd(listener);
    return true;
  }

  /** The listener wants it from now on. */
  flow(listener: DownstreamListener): void {
    this.#flows = true;
    if (this.#held !== null) {
      const bytes = this.#held.take();
      this.#release();
      if (bytes.length > 0) listener.onBody(bytes);
    }
    this.#widen();
    if (this.remoteDone) this.#tellEnd(listener);
    else this.#expect();
  }

  #expect(): void {
    // The listener may have paused it while it was told of bytes.
    if (this.#flows && !this.#told) this.#owner.expectBody(this);
  }

  /** The endpoint takes it slower than it comes: the window is not opened further, and the time is not the client's. */
  pause(): void {
    this.#flows = false;
    this.#target = this.#owner.streamWindow;
    this.deadlineMs = Infinity;
  }

  /** Nobody wants the rest. */
  drop(): void {
    this.#flows = false;
    this.#told = true;
    this.deadlineMs = Infinity;
    this.#release();
  }

  #release(): void {
    if (this.#heldFlow > 0) this.#owner.countHeld(-this.#heldFlow);
    this.#heldFlow = 0;
    this.#held = null;
  }

  #tellEnd(listener: DownstreamListener): void {
    if (this.#told || !this.#flows || this.#held !== null) return;
    this.#told = true;
    this.deadlineMs = Infinity;
    listener.onBodyEnd(this.#trailers);
  }

  /** Opens the window again, when half of it is used. A body that never had to wait gets a larger one each time. */
  #widen(): void {
    if (this.remoteDone || !this.#flows) return;
    // The rest fits in.
    if (this.#length >= 0 && this.#length - this.#received <= this.#window) return;
    if (this.#window + this.#heldFlow > this.#target / 2) return;
    this.#target = Math.min(this.#target * 2, Math.max(this.#target, this.#owner.largestWindow));
    const increment = this.#target - this.#window - this.#heldFlow;
    this.#window += increment;
    this.#owner.updateWindow(this.#streamId, increment);
  }
}
