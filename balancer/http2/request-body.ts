// The body of one request: windows, lengths, pace, and bytes that wait until somebody wants them.
import type { ErrorCode } from '../errors.ts';
import { BodyPace } from '../message/body-pace.ts';
import type { DownstreamListener } from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
import { HeldBytes } from './held-bytes.ts';

/** The connection, as a body sees it. */
export interface BodyOwner {
  readonly streamWindow: number;
  /** As far as the window of a stream may grow whose body is taken as fast as it comes. */
  readonly largestWindow: number;
  updateWindow(streamId: number, increment: number): void;
  /** The same for all requests of the listener. */
  readonly bodyRules: BodyRules;
  /** Of the last sweep. */
  readonly sweptMs: number;
  /** Of all bodies, so far. */
  readonly receivedBytes: number;
  /** Bytes of all bodies that wait, changed by this many. */
  countHeld(bytes: number): void;
  /** A deadline of a body: it is looked at then. */
  expect(deadlineMs: number): void;
}

/** What a body may be. */
export interface BodyRules {
  /** 0: any. */
  readonly bodyBytes: number;
  /** Bytes per second; 0: any. */
  readonly bodyRate: number;
  /** Between two of its bytes. */
  readonly betweenMs: number;
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
  /** The deadline is that of the pace. */
  slow = false;
  /** What all bodies of the connection had received when the deadline was set. */
  mark = 0;
  /** False: a tunnel, in which the client may be silent for as long as it likes, and say as much. */
  bounded = true;
  readonly #streamId: number;
  readonly #owner: BodyOwner;
  /** -1: not told. */
  readonly #length: number;
  readonly #pace: BodyPace | null;
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
    this.#pace = remoteDone || owner.bodyRules.bodyRate === 0 ? null : new BodyPace(owner.bodyRules.bodyRate);
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

  /** Null, or what is wrong: it is larger than it may be, or than was declared (RFC 9113 section 8.1.1). Then nothing of it was handed on. */
  take({ piece, flowBytes, endStream }: BodyPiece, listener: DownstreamListener): ErrorCode | null {
    this.#received += piece.length;
    if (this.#length >= 0 && (endStream ? this.#received !== this.#length : this.#received > this.#length)) return 'bad_framing';
    const { bodyBytes } = this.#owner.bodyRules;
    if (bodyBytes > 0 && this.#received > bodyBytes && this.bounded && !this.#told) return 'body_too_large';
    if (endStream) this.remoteDone = true;
    if (this.#told) {
      // Nobody wants it; the window stays as it is.
    } else if (this.#flows && this.#held === null) {
      this.#arrived(flowBytes);
      if (piece.length > 0) listener.onBody(piece);
      this.#widen();
    } else {
      (this.#held ??= new HeldBytes()).append(piece);
      this.#heldFlow += flowBytes;
      this.#owner.countHeld(flowBytes);
    }
    if (endStream) this.#tellEnd(listener);
    else this.#expect();
    return null;
  }

  /** False when it is not as long as was declared. */
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
    this.#pace?.awaited(this.#owner.sweptMs);
    if (this.#held !== null) {
      this.#arrived(this.#heldFlow);
      const bytes = this.#held.take();
      this.#release();
      if (bytes.length > 0) listener.onBody(bytes);
    }
    this.#widen();
    if (this.remoteDone) this.#tellEnd(listener);
    else this.#expect();
  }

  #arrived(flowBytes: number): void {
    this.#pace?.arrived(flowBytes, this.#owner.sweptMs, this.#owner.bodyRules.betweenMs);
  }

  #expect(): void {
    // The listener may have paused it while it was told of bytes.
    if (!this.#flows || this.#told || !this.bounded) return;
    const owner = this.#owner;
    const betweenMs = owner.sweptMs + owner.bodyRules.betweenMs;
    const paceMs = this.#pace?.dueMs ?? Infinity;
    this.slow = paceMs < betweenMs;
    this.deadlineMs = this.slow ? paceMs : betweenMs;
    this.mark = owner.receivedBytes;
    owner.expect(this.deadlineMs);
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
