// A connection to an endpoint: one request at a time, responses parsed strictly, bodies handed on without a copy where possible.
import type { Socket } from 'node:net';
import { NOT_WATCHED, type Expiring } from '../../health/deadlines.ts';
import type { ErrorCode } from '../errors.ts';
import {
  UNKNOWN_LENGTH,
  UNTIL_CLOSE,
  type AttemptTimeouts,
  type OutgoingRequest,
  type ResponseListener,
  type UpstreamConnection,
  type UpstreamExchange,
} from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
import type { TunnelEnd, TunnelListener } from '../message/tunnel.ts';
import { latin1 } from '../socket/latin1.ts';
import type { SocketReader } from '../socket/direct-read.ts';
import type { UpstreamSocket } from '../socket/upstream-socket.ts';
import { ChunkedDecoder } from './chunked.ts';
import type { ResponseHead1 } from './response-head.ts';
import { lastChunkText, requestHeadText } from './serialize.ts';
import type { Http1UpstreamOwner, Http1UpstreamSettings } from './upstream-owner.ts';

const HEAD_BYTES = 65_536;
const GATHER_BYTES = 8192;
/** Interim responses to one request; each is written to the client, who may not read. */
const MAX_INTERIM = 32;
/** We close an idle connection this long before the endpoint said it would. */
const KEEP_ALIVE_MARGIN_MS = 1000;
const EMPTY = Buffer.alloc(0);

type State = 'idle' | 'head' | 'body' | 'tunnel' | 'closed';

export class Http1UpstreamConnection implements UpstreamConnection, UpstreamExchange, SocketReader, Expiring, TunnelEnd {
  deadlineMs: number;
  watchedAt = NOT_WATCHED;
  readonly tellsUnseen = false;
  /** Requests sent on it so far. */
  requests = 0;
  readonly #owner: Http1UpstreamOwner;
  readonly #settings: Http1UpstreamSettings;
  readonly #link: UpstreamSocket;
  readonly #socket: Socket;
  #state: State = 'idle';
  #listener: ResponseListener | null = null;
  #timeouts: AttemptTimeouts = { firstByteMs: 0, betweenBytesMs: 0 };
  /** Until its listener is asked whether it waits on; 0: it was asked, or never is. */
  #tryMs = 0;
  #held: Buffer = EMPTY;
  #method = '';
  #requestChunked = false;
  #requestDone = true;
  #left = 0;
  #interim = 0;
  #untilClose = false;
  #decoder: ChunkedDecoder | null = null;
  #reusable = false;
  #keepAliveMs: number;
  #paused = false;
  #completed = false;
  /** The endpoint does not take what it was sent. */
  #blocked = false;
  #tunnel: TunnelListener | null = null;
  readonly #onWritten = (): void => this.#drained();

  /** On a socket that has just connected. */
  constructor(link: UpstreamSocket, settings: Http1UpstreamSettings, owner: Http1UpstreamOwner) {
    this.#owner = owner;
    this.#settings = settings;
    this.#keepAliveMs = settings.keepAliveMs;
    this.deadlineMs = settings.deadlines.nowMs + settings.keepAliveMs;
    this.#link = link;
    this.#socket = link.socket;
    this.#listen();
    settings.deadlines.add(this);
  }

  get state(): State {
    return this.#state;
  }

  send(outgoing: OutgoingRequest, listener: ResponseListener): UpstreamExchange {
    const { request, bodyLength } = outgoing;
    this.#listener = listener;
    this.#method = request.method;
    this.#timeouts = outgoing.timeouts;
    this.#tryMs = outgoing.tryMs;
    this.#requestChunked = bodyLength === UNKNOWN_LENGTH;
    this.#requestDone = bodyLength === 0;
    this.#state = 'head';
    this.#reusable = true;
    this.#interim = 0;
    this.requests += 1;
    this.#expectNext();
    this.#link.text.write(requestHeadText(outgoing));
    return this;
  }

  sendBody(chunk: Buffer): boolean {
    const socket = this.#socket;
    if (!socket.writable || chunk.length === 0) return true;
    const { text } = this.#link;
    const before = this.#requestChunked ? `${chunk.length.toString(16)}\r\n` : '';
    const after = this.#requestChunked ? '\r\n' : '';
    if (chunk.length <= GATHER_BYTES) text.write(before + latin1(chunk, 0, chunk.length) + after);
    else {
      const first = text.take() + before;
      socket.cork();
      if (first !== '') socket.write(first, 'latin1');
      socket.write(chunk, this.#onWritten);
      if (after !== '') socket.write(after, 'latin1');
      socket.uncork();
    }
    const flowing = chunk.length <= GATHER_BYTES ? !socket.writableNeedDrain : socket.writableLength === 0;
    if (flowing) return true;
    this.#blocked = true;
    text.moved();
    this.#expectNext();
    return false;
  }

  endBody(trailers: Fields): void {
    this.#requestDone = true;
    if (this.#requestChunked && this.#socket.writable) this.#link.text.write(lastChunkText(trailers));
    this.#expectNext();
  }

  pause(): void {
    if (this.#paused || this.#state === 'closed') return;
    this.#paused = true;
    this.deadlineMs = Infinity;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused || this.#state === 'closed') return;
    this.#paused = false;
    this.#expectNext();
    this.#socket.resume();
    if (this.#held.length > 0) this.#take(EMPTY, 0);
  }

  /** In the middle of an exchange there is no other way to give it up. */
  cancel(): void {
    this.destroy();
  }

  /** Ends the connection without a word to the listener: it was the listener's wish. */
  destroy(): void {
    this.#listener = null;
    this.#tunnel = null;
    this.#state = 'closed';
    this.#socket.destroy();
  }

  attach(listener: TunnelListener): void {
    this.#tunnel = listener;
    const early = this.#held;
    this.#held = EMPTY;
    if (early.length > 0) listener.onTunnelData(early);
  }

  write(chunk: Buffer): boolean {
    return !this.#socket.writable || this.#link.text.writeBytes(chunk);
  }

  end(): void {
    this.#link.text.flush();
    this.#socket.end();
  }

  onDeadline(): void {
    this.deadlineMs = Infinity;
    if (this.#state === 'idle') this.#discard();
    else if (this.#blocked && this.#link.text.moved()) this.#expectNext();
    else if (this.#state === 'head' && this.#tryMs > 0) this.#late();
    else if (this.#state === 'head') this.#fail('first_byte_timeout', `no response within ${this.#timeouts.firstByteMs} ms`);
    else if (this.#state === 'body') this.#fail('between_bytes_timeout', `no byte for ${this.#timeouts.betweenBytesMs} ms`);
  }

  /** The rest of the time to the first byte is left, if the listener wants to wait for it. */
  #late(): void {
    const { firstByteMs } = this.#timeouts;
    if (firstByteMs > 0) this.deadlineMs = this.#settings.deadlines.nowMs + Math.max(1, firstByteMs - this.#tryMs);
    this.#tryMs = 0;
    this.#listener?.onLate();
  }

  #listen(): void {
    const socket = this.#socket;
    this.#link.readTogether(false);
    this.#link.listen(this);
    socket.on('end', () => this.#ended());
    socket.on('error', (error: NodeJS.ErrnoException) => this.#broke(error));
    socket.on('close', () => this.#closed());
    socket.on('drain', this.#onWritten);
  }

  /** Called with memory that is overwritten by the next read: what is kept is copied. */
  onRead(bytes: Buffer, length: number): void {
    this.#take(bytes, length);
    // A plain socket stops at once. TLS goes on with the records it has decrypted, while the client's socket still writes from this one.
    if (this.#paused && this.#link.secure) this.#link.buffer.lend();
  }

  #take(read: Buffer, length: number): void {
    if (this.#tunnel !== null) return this.#tunnel.onTunnelData(read.subarray(0, length));
    let bytes = read;
    let end = length;
    if (this.#held.length > 0) {
      bytes = Buffer.concat([this.#held, read.subarray(0, length)]);
      end = bytes.length;
      this.#held = EMPTY;
    }
    let at = 0;
    while (at < end) {
      const before = at;
      const state = this.#state;
      if (state === 'head') at = this.#takeHead(bytes, at, end);
      else if (state === 'body') at = this.#takeBody(bytes, at, end);
      else if (state === 'closed' || state === 'tunnel') return;
      // Bytes nobody asked for: whatever they are, no later request may get them as its answer.
      else {
        this.#completed = false;
        this.#discard();
        return;
      }
      if (at === before && this.#state === state) break;
    }
    if (at < end && this.#state !== 'tunnel') this.#held = Buffer.from(bytes.subarray(at, end));
    this.#listener?.onTurnEnd();
    if (!this.#completed) return;
    // Only now, with every byte of the turn used: a request sent earlier could be given the bytes behind this response.
    this.#completed = false;
    this.#owner.onIdle(this);
  }

  #takeHead(bytes: Buffer, at: number, until: number): number {
    const { heads } = this.#settings;
    const again = heads.again(bytes, at, until);
    if (again !== null) {
      const behind = at + heads.keptBytes;
      this.#begin(again);
      return behind;
    }
    const text = latin1(bytes, at, Math.min(until, at + HEAD_BYTES));
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) {
      if (text.length >= HEAD_BYTES) this.#fail('response_head_too_large', `more than ${HEAD_BYTES} bytes`);
      return at;
    }
    const head = heads.read(text, end + 4);
    const next = at + end + 4;
    if (head === null) this.#fail('response_malformed', 'the head is not what RFC 9112 allows');
    else if (head.status === 101) this.#upgrade(head, bytes.subarray(next, until));
    else if (head.status < 200 && (this.#interim += 1) > MAX_INTERIM) this.#fail('response_malformed', 'interim responses without end');
    else if (head.status < 200) this.#listener?.onInformational(head.status, head.block.fields);
    else this.#begin(head);
    return next;
  }

  #begin({ status, minor, block }: ResponseHead1): void {
    const { chunked, contentLength, keepAliveTimeoutS } = block;
    const bodyless = this.#method === 'HEAD' || status === 204 || status === 304;
    if (block.close || (minor === 0 && !block.keepAlive)) this.#reusable = false;
    if (keepAliveTimeoutS >= 0)
      this.#keepAliveMs = Math.min(this.#settings.keepAliveMs, Math.max(0, keepAliveTimeoutS * 1000 - KEEP_ALIVE_MARGIN_MS));
    this.#decoder = !bodyless && chunked ? new ChunkedDecoder() : null;
    this.#untilClose = !bodyless && !chunked && contentLength < 0;
    this.#left = bodyless || chunked ? 0 : Math.max(0, contentLength);
    if (this.#decoder !== null || this.#untilClose || this.#left > GATHER_BYTES) this.#link.readApart();
    this.#state = 'body';
    this.#expectNext();
    this.#listener?.onHead(status, block.fields, this.#untilClose ? UNTIL_CLOSE : Math.max(contentLength, UNKNOWN_LENGTH));
    if (this.#decoder === null && !this.#untilClose && this.#left === 0) this.#complete([]);
  }

  #takeBody(bytes: Buffer, at: number, end: number): number {
    this.#expectNext();
    const listener = this.#listener;
    if (listener === null) return end;
    if (this.#decoder !== null) {
      const used = this.#decoder.feed(this.#lasting(bytes, at, end), 0, {
        onBody: (chunk) => listener.onBody(chunk),
        onBodyEnd: (trailers) => this.#complete(trailers),
      });
      if (used < 0) this.#fail('response_malformed', 'the chunked coding is broken');
      return used < 0 ? end : at + used;
    }
    const take = this.#untilClose ? end - at : Math.min(this.#left, end - at);
    this.#left -= take;
    listener.onBody(this.#lasting(bytes, at, at + take));
    if (!this.#untilClose && this.#left === 0) this.#complete([]);
    return at + take;
  }

  /** A part of a body: who takes it slower than it comes needs what is longer than a piece that is gathered until it has left. */
  #lasting(bytes: Buffer, from: number, to: number): Buffer {
    const part = bytes.subarray(from, to);
    return part.length > GATHER_BYTES ? this.#link.apart(bytes, part) : part;
  }

  /** The response is complete; the listener may start the next request of its client within this call, on another connection. */
  #complete(trailers: Fields): void {
    if (this.#state !== 'body') return;
    const listener = this.#listener;
    this.#listener = null;
    this.#decoder = null;
    this.#state = 'idle';
    this.#link.readTogether(!this.#paused);
    // Without the whole request at the endpoint its next bytes would be read as the rest of this one.
    const reusable = this.#reusable && this.#requestDone && !this.#untilClose;
    this.deadlineMs = this.#settings.deadlines.nowMs + this.#keepAliveMs;
    if (!reusable) this.#socket.destroySoon();
    else if (this.#paused) this.#letGo();
    this.#completed = reusable;
    listener?.onBodyEnd(trailers);
  }

  /** The last bytes are still being written to the client: they keep their memory, and the connection is free. */
  #letGo(): void {
    this.#paused = false;
    this.#link.buffer.lend();
    this.#socket.resume();
  }

  #upgrade(head: ResponseHead1, rest: Buffer): void {
    const listener = this.#listener;
    const { upgrade, connectionUpgrade, fields } = head.block;
    if (upgrade === '' || !connectionUpgrade) return this.#fail('response_malformed', '101 without upgrade');
    this.#listener = null;
    this.#state = 'tunnel';
    this.deadlineMs = Infinity;
    this.#settings.deadlines.remove(this);
    this.#held = Buffer.from(rest);
    listener?.onUpgrade(fields.slice(), upgrade, this);
  }

  /** Time counts against the endpoint only while it is its turn: the request is sent, or it does not take it; and nobody holds it back. */
  #expectNext(): void {
    if (this.#paused || (this.#state !== 'head' && this.#state !== 'body')) return;
    const itsTurn = this.#requestDone || this.#blocked;
    const { firstByteMs, betweenBytesMs } = this.#timeouts;
    const withinMs = this.#state === 'body' ? betweenBytesMs : this.#tryMs > 0 ? this.#tryMs : firstByteMs;
    this.deadlineMs = !itsTurn || withinMs === 0 ? Infinity : this.#settings.deadlines.nowMs + withinMs;
  }

  /** FIN from the endpoint. */
  #ended(): void {
    if (this.#state === 'tunnel') return this.#tunnel?.onTunnelEnd();
    if (this.#state === 'body' && this.#untilClose) return this.#complete([]);
    if (this.#state === 'head') this.#fail(this.#resetCode(), 'the endpoint closed the connection before it answered');
    else if (this.#state === 'body') this.#fail('response_incomplete', 'the endpoint closed in the middle of its answer');
    else this.#discard();
  }

  /** Ends a connection that carries nothing. It says so at once: `close` comes a turn later, and a request in between would be lost on it. */
  #discard(): void {
    this.#state = 'closed';
    this.#socket.destroy();
  }

  #broke(error: NodeJS.ErrnoException): void {
    const detail = error.code ?? error.message;
    if (this.#state === 'head') this.#fail(this.#resetCode(), detail);
    else if (this.#state === 'body') this.#fail('response_incomplete', detail);
    else if (this.#state === 'idle') this.#discard();
  }

  /** A kept connection that dies before it answers most likely died before it saw the request. */
  #resetCode(): ErrorCode {
    return this.requests > 1 && this.#held.length === 0 ? 'stale_connection' : 'connection_reset';
  }

  #fail(code: ErrorCode, detail: string): void {
    const listener = this.#listener;
    this.#listener = null;
    this.#state = 'closed';
    this.#socket.destroy();
    listener?.onUpstreamFailure(code, detail);
  }

  #closed(): void {
    if (this.#state === 'head' || this.#state === 'body') this.#broke(new Error('closed'));
    this.#state = 'closed';
    this.#settings.deadlines.remove(this);
    this.#tunnel?.onTunnelClosed();
    this.#owner.onClosed(this);
  }

  #drained(): void {
    if (this.#socket.writableLength > 0) return;
    this.#blocked = false;
    this.#expectNext();
    if (this.#tunnel === null) this.#listener?.onUpstreamDrain();
    else this.#tunnel.onTunnelDrain();
  }
}
