// One request on an HTTP/2 connection to an endpoint: its state, its time-outs, its part of the windows.
import type { ErrorCode } from '../errors.ts';
import type { AttemptTimeouts, OutgoingRequest, ResponseListener, UpstreamExchange } from '../message/exchange.ts';
import { UNKNOWN_LENGTH } from '../message/exchange.ts';
import { fieldValue, type Fields } from '../message/fields.ts';
import { withoutForbidden } from '../message/trailers.ts';
import type { TunnelEnd, TunnelListener } from '../message/tunnel.ts';
import { Http2Error } from './frame.ts';
import { webSocketAccept } from './request-block.ts';
import type { BlockHead } from './response-head.ts';
import type { Http2UpstreamConnection } from './upstream-connection.ts';

/** What a stream may send us before we have to ask for more; what a client does not read waits in memory up to this. */
export const INITIAL_WINDOW = 131_072;
/** A stream that is read as fast as it comes gets this much, so that a long way to the cluster does not limit it. */
const LARGE_WINDOW = 1_048_576;

/** Most requests need no list of their own. Never changed. */
const NONE: Buffer[] = [];

/** `list`, or one of its own, with a copy of `piece` at its end. */
function withPiece(list: Buffer[], piece: Buffer): Buffer[] {
  const copy = Buffer.from(piece);
  if (list === NONE) return [copy];
  list.push(copy);
  return list;
}

export class Http2UpstreamStream implements UpstreamExchange, TunnelEnd {
  readonly id: number;
  deadlineMs = Infinity;
  /** What it may still send; negative after the endpoint made its window smaller (RFC 9113 section 6.9.2). */
  sendWindow: number;
  /** Reads of the connection when the request was sent. */
  readonly sentAtRead: number;
  headSeen = false;
  /** Bytes came in the read that is being worked on, and its listener has not been told yet that it is over. */
  touched = false;
  readonly #connection: Http2UpstreamConnection;
  readonly #timeouts: AttemptTimeouts;
  /** Until its listener is asked whether it waits on; 0: it was asked, or never is. */
  #tryMs: number;
  readonly #headRequest: boolean;
  readonly #upgrade: string;
  readonly #webSocketKey: string;
  #listener: ResponseListener | null;
  #tunnel: TunnelListener | null = null;
  /** Body that waits for a window. */
  #queue = NONE;
  #requestEnd: Fields | null = null;
  #requestDone: boolean;
  #blocked = false;
  #expected = UNKNOWN_LENGTH;
  #received = 0;
  #receiveWindow = INITIAL_WINDOW;
  /** What the receive window is filled up to. */
  #window = INITIAL_WINDOW;
  #paused = false;
  /** What came while it was paused, in copies: the connection goes on reading. */
  #held = NONE;
  #heldEnd: Fields | null = null;
  #remoteDone = false;

  constructor(connection: Http2UpstreamConnection, id: number, outgoing: OutgoingRequest, listener: ResponseListener) {
    this.#connection = connection;
    this.id = id;
    this.#listener = listener;
    this.#timeouts = outgoing.timeouts;
    this.#tryMs = outgoing.tryMs;
    this.#headRequest = outgoing.request.method === 'HEAD';
    this.#upgrade = outgoing.upgrade;
    this.#webSocketKey = outgoing.upgrade === '' ? '' : (fieldValue(outgoing.fields, 'sec-websocket-key') ?? '');
    this.#requestDone = outgoing.bodyLength === 0 && outgoing.upgrade === '';
    this.sendWindow = connection.initialSendWindow;
    this.sentAtRead = connection.reads;
    this.expectNext();
  }

  // --- towards the endpoint ---

  sendBody(chunk: Buffer): boolean {
    if (chunk.length === 0 || this.#requestDone) return true;
    if (this.#queue.length === 0) {
      const sent = this.#connection.writeData(this, chunk);
      if (sent < chunk.length) this.#queue = withPiece(this.#queue, chunk.subarray(sent));
    } else this.#queue = withPiece(this.#queue, chunk);
    this.#blocked = this.#queue.length > 0 || this.#connection.congested;
    if (this.#blocked) this.#connection.waitToSend(this);
    if (this.#blocked) this.expectNext();
    return !this.#blocked;
  }

  endBody(trailers: Fields): void {
    if (this.#requestDone) return;
    if (this.#queue.length > 0) this.#requestEnd = trailers;
    else this.#finishRequest(trailers);
  }

  /** The windows or the socket have room again. True when it needs to wait no longer. */
  goOn(): boolean {
    while (this.#queue.length > 0) {
      const chunk = this.#queue[0];
      if (chunk === undefined) break;
      const sent = this.#connection.writeData(this, chunk);
      if (sent < chunk.length) {
        this.#queue[0] = chunk.subarray(sent);
        return false;
      }
      this.#queue.shift();
    }
    if (this.#connection.congested) return false;
    if (this.#requestEnd !== null) this.#finishRequest(this.#requestEnd);
    this.#requestEnd = null;
    if (!this.#blocked) return true;
    this.#blocked = false;
    this.expectNext();
    if (this.#tunnel === null) this.#listener?.onUpstreamDrain();
    else this.#tunnel.onTunnelDrain();
    // More may have come in that call, and have to wait again.
    return !this.#isBlocked();
  }

  pause(): void {
    if (this.#paused || this.#over) return;
    this.#paused = true;
    this.deadlineMs = Infinity;
    // What was read last is still being written to the client.
    this.#connection.lendBuffer();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.expectNext();
    const held = this.#held;
    this.#held = NONE;
    for (const [index, piece] of held.entries()) {
      this.#deliver(piece);
      if (!this.#isPaused()) continue;
      this.#held = [...held.slice(index + 1), ...this.#held];
      return;
    }
    this.#replenish();
    if (this.#heldEnd !== null) this.#complete(this.#heldEnd);
    else if (this.#tunnel === null) this.#listener?.onTurnEnd();
  }

  cancel(): void {
    if (this.#over) return;
    this.#listener = null;
    this.#tunnel = null;
    this.#connection.reset(this, Http2Error.Cancel);
  }

  // --- from the endpoint ---

  /** A header block; null: it could be read and is no head. Returns what is wrong with it, or null. */
  onBlock(head: BlockHead | null, endStream: boolean): string | null {
    if (head === null) return 'a header block that is not what RFC 9113 allows';
    const { status, contentLength } = head;
    if (this.headSeen) return status === 0 && endStream ? this.#end(withoutForbidden(head.fields)) : 'trailers that do not end the stream';
    if (status === 0 || status === 101 || (status < 200 && endStream)) return 'a head without a status that it may have';
    if (status < 200) this.#listener?.onInformational(status, head.fields);
    else this.#onHead(status, head.fields, contentLength);
    return endStream ? this.#end([]) : null;
  }

  /** `flowBytes` counts padding too. Returns what is wrong with it, or null. */
  onData(piece: Buffer, flowBytes: number, endStream: boolean): string | null {
    if (!this.headSeen) return 'a body before the head';
    this.#receiveWindow -= flowBytes;
    if (this.#receiveWindow < 0) return 'more bytes than the window allows';
    this.#received += piece.length;
    if (this.#expected !== UNKNOWN_LENGTH && this.#received > this.#expected) return 'more bytes than content-length says';
    if (this.#paused || this.#held.length > 0) {
      if (piece.length > 0) this.#held = withPiece(this.#held, piece);
    } else {
      this.expectNext();
      if (piece.length > 0) this.#deliver(piece);
    }
    return endStream ? this.#end([]) : null;
  }

  onTurnEnd(): void {
    this.touched = false;
    if (this.#tunnel === null && this.headSeen) this.#listener?.onTurnEnd();
  }

  /** The connection has forgotten it already. */
  onFailure(code: ErrorCode, detail: string): void {
    const listener = this.#listener;
    const tunnel = this.#tunnel;
    this.#listener = null;
    this.#tunnel = null;
    listener?.onUpstreamFailure(code, detail);
    tunnel?.onTunnelClosed();
  }

  checkDeadline(nowMs: number): void {
    if (nowMs < this.deadlineMs) return;
    this.deadlineMs = Infinity;
    if (this.#tryMs > 0 && !this.headSeen) return this.#late(nowMs);
    const code = this.headSeen ? 'between_bytes_timeout' : 'first_byte_timeout';
    const { betweenBytesMs, firstByteMs } = this.#timeouts;
    const detail = this.headSeen ? `no byte for ${betweenBytesMs} ms` : `no response within ${firstByteMs} ms`;
    this.#connection.reset(this, Http2Error.Cancel);
    this.onFailure(code, detail);
  }

  /** Time counts against the endpoint only while it is its turn: the request is sent, or it does not take it; and nobody holds it back. */
  expectNext(): void {
    const { firstByteMs, betweenBytesMs } = this.#timeouts;
    const withinMs = this.headSeen ? betweenBytesMs : this.#tryMs > 0 ? this.#tryMs : firstByteMs;
    const asked = this.#requestDone || this.#blocked || (this.#upgrade !== '' && !this.headSeen);
    const itsTurn = asked && !this.#paused && this.#tunnel === null;
    this.deadlineMs = itsTurn && withinMs > 0 ? this.#connection.nowMs + withinMs : Infinity;
  }

  /** The rest of the time to the first byte is left, if the listener wants to wait for it. */
  #late(nowMs: number): void {
    const { firstByteMs } = this.#timeouts;
    if (firstByteMs > 0) this.deadlineMs = nowMs + Math.max(1, firstByteMs - this.#tryMs);
    this.#tryMs = 0;
    this.#listener?.onLate();
  }

  // --- as one end of a tunnel ---

  attach(listener: TunnelListener): void {
    this.#tunnel = listener;
    this.deadlineMs = Infinity;
  }

  write(chunk: Buffer): boolean {
    return this.sendBody(Buffer.from(chunk));
  }

  end(): void {
    this.endBody([]);
  }

  destroy(): void {
    this.cancel();
  }

  // --- inside ---

  #onHead(status: number, fields: Fields, contentLength: number): void {
    this.headSeen = true;
    this.expectNext();
    if (this.#upgrade !== '' && status === 200) {
      const listener = this.#listener;
      this.#listener = null;
      listener?.onUpgrade([...fields, 'sec-websocket-accept', webSocketAccept(this.#webSocketKey)], this.#upgrade, this);
      return;
    }
    const bodyless = this.#headRequest || status === 204 || status === 304;
    this.#expected = bodyless ? 0 : contentLength;
    this.#listener?.onHead(status, fields, contentLength);
  }

  /** END_STREAM. The length must be the one that was declared (RFC 9113 section 8.1.1). */
  #end(trailers: Fields): string | null {
    if (this.#expected !== UNKNOWN_LENGTH && this.#received !== this.#expected) return 'fewer bytes than content-length says';
    if (this.#paused || this.#held.length > 0) this.#heldEnd = trailers;
    else this.#complete(trailers);
    return null;
  }

  get #over(): boolean {
    return this.#listener === null && this.#tunnel === null;
  }

  /** Asked anew after every call of a listener, which may have paused it. */
  #isPaused(): boolean {
    return this.#paused;
  }

  #isBlocked(): boolean {
    return this.#blocked;
  }

  #deliver(piece: Buffer): void {
    if (this.#tunnel === null) this.#listener?.onBody(piece);
    else this.#tunnel.onTunnelData(piece);
    this.#replenish();
  }

  /** Lets the endpoint go on once half is used up; further from then on, as the client keeps up. */
  #replenish(): void {
    if (this.#paused || this.#receiveWindow > this.#window / 2) return;
    this.#window = LARGE_WINDOW;
    const grant = LARGE_WINDOW - this.#receiveWindow;
    this.#receiveWindow += grant;
    this.#connection.grant(this, grant);
  }

  #finishRequest(trailers: Fields): void {
    this.#requestDone = true;
    this.#connection.writeEnd(this, trailers);
    if (this.#tunnel === null) this.expectNext();
    else if (this.#remoteDone) this.#closeTunnel();
  }

  #complete(trailers: Fields): void {
    const listener = this.#listener;
    const tunnel = this.#tunnel;
    this.#heldEnd = null;
    if (tunnel !== null) {
      this.#remoteDone = true;
      tunnel.onTunnelEnd();
      if (this.#requestDone) this.#closeTunnel();
      return;
    }
    this.#listener = null;
    // An answer before the end of the request: what is left of it is not wanted.
    if (this.#requestDone) this.#connection.forget(this);
    else this.#connection.reset(this, Http2Error.NoError);
    listener?.onBodyEnd(trailers);
  }

  /** Both directions are over. */
  #closeTunnel(): void {
    const tunnel = this.#tunnel;
    this.#tunnel = null;
    this.#connection.forget(this);
    tunnel?.onTunnelClosed();
  }
}
