// A client's HTTP/1.1 connection: bytes to requests, one after the other, with a deadline at every moment.
import type { Socket } from 'node:net';
import { NOT_WATCHED, type Expiring } from '../../health/deadlines.ts';
import type { ErrorCode } from '../errors.ts';
import type { ConnectionFacts, DownstreamConnection } from '../message/connection.ts';
import { UNKNOWN_LENGTH } from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { TunnelEnd } from '../message/tunnel.ts';
import type { ClientSocket } from '../socket/client-socket.ts';
import type { SocketReader } from '../socket/direct-read.ts';
import { ClientTunnel } from './client-tunnel.ts';
import { GATHER_BYTES, Http1Exchange } from './downstream-exchange.ts';
import type { DownstreamSettings } from './downstream-settings.ts';
import { IncomingBody, MALFORMED, TOO_LARGE } from './incoming-body.ts';
import { latin1 } from '../socket/latin1.ts';
import { UnreadBytes } from './unread-bytes.ts';
import { looksForeign, RequestHeads, type RequestHead } from './request-head.ts';
import { responseHeadText } from './serialize.ts';

/** After the last byte has left the client gets this long to read it before the connection is torn down. */
const LINGER_MS = 2000;
/** Longer bodies are worth memory of their own to read into. */
const LARGE_BODY = 16_384;
/** What a client sends first that speaks HTTP/2, as far as it looks like a head of HTTP/1.1 (RFC 9113 section 3.4). */
const HTTP2_PREFACE = 'PRI * HTTP/2.0\r\n\r\n';

/** While something is held for an endpoint's sake the client is not read; after this it is, so that it is seen when it leaves. */
const HELD_MS = 1000;
/** While draining, for a request that is on its way. */
const LAST_REQUEST_GRACE_MS = 1000;

export class Http1DownstreamConnection implements DownstreamConnection, Expiring, SocketReader {
  deadlineMs: number;
  watchedAt = NOT_WATCHED;
  draining = false;
  readonly facts: ConnectionFacts;
  readonly dateLine: () => string;
  readonly #socket: Socket;
  readonly #settings: DownstreamSettings;
  readonly #link: ClientSocket;
  readonly #unread: UnreadBytes;
  #exchange: Http1Exchange | null = null;
  #body: IncomingBody | null = null;
  /** The deadline of the body is that of its rate. */
  #slow = false;
  #requests = 0;
  #firstByteMs = 0;
  readonly #heads = new RequestHeads();
  #closing = false;
  #working = false;
  readonly #onEnd = (): void => this.#left();
  readonly #onClose = (): void => this.#gone();
  readonly #onDrain = (): void => this.#drained();

  constructor(link: ClientSocket, facts: ConnectionFacts, settings: DownstreamSettings) {
    this.#link = link;
    this.#unread = new UnreadBytes(link);
    this.#socket = link.socket;
    this.facts = facts;
    this.#settings = settings;
    this.dateLine = settings.dateLine;
    this.deadlineMs = settings.deadlines.nowMs + settings.timeouts.requestHeadMs;
  }

  /** Begins to read. */
  start(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    this.#link.reader = this;
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
    socket.on('drain', this.#onDrain);
    this.#settings.deadlines.add(this);
  }

  /** True between two requests. */
  get idle(): boolean {
    return this.#exchange === null && this.#unread.empty && !this.#closing;
  }

  /** Closes after the next response, which says so. An idle one gets a moment: a request may be on its way, and would be lost. */
  drain(): void {
    this.draining = true;
    if (this.idle) this.#expectLastRequest();
  }

  destroy(): void {
    this.#link.text.flush();
    // A body that ends with the connection must not look complete: reset instead of FIN. After our own FIN there is nothing left to
    // break off, and the system refuses the reset. TLS tells a cut by its missing close_notify.
    if ('encrypted' in this.#socket || this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  write(text: string): boolean {
    const socket = this.#socket;
    const writer = this.#link.text;
    const waiting = writer.waitingBytes > 0;
    if (waiting && !socket.writable) return true;
    // Behind bytes that wait this may be the last to leave, and then nothing else would tell that all is written.
    const flowing = waiting ? socket.write(writer.take() + text, 'latin1', this.#onDrain) : writer.write(text);
    if (!flowing) this.#expectWritten();
    return flowing;
  }

  /** Writes text and bytes in one system call. False when the bytes are still needed after the call. */
  writeLarge(text: string, chunk: Buffer): boolean {
    const socket = this.#socket;
    if (!socket.writable) return true;
    socket.cork();
    const before = this.#link.text.take() + text;
    if (before !== '') socket.write(before, 'latin1');
    socket.write(chunk, this.#onDrain);
    socket.uncork();
    if (socket.writableLength === 0) return true;
    this.#expectWritten();
    return false;
  }

  /** The response of `exchange` is written. */
  finish(exchange: Http1Exchange): void {
    if (exchange !== this.#exchange) return;
    this.#exchange = null;
    if (exchange.close || !exchange.bodyDone) return this.#linger();
    this.#expectRequest();
    // Its head left before the drain began, and did not say that it is the last.
    if (this.draining) this.#expectLastRequest();
    if (!this.#working) this.#resume();
  }

  #expectLastRequest(): void {
    this.deadlineMs = Math.min(this.deadlineMs, this.#settings.deadlines.nowMs + LAST_REQUEST_GRACE_MS);
  }

  /** The exchange wants (more of) its body. */
  continueBody(): void {
    this.#link.release();
    this.#body?.pace.awaited(this.#settings.deadlines.nowMs);
    this.#expectBody();
    if (!this.#working) this.#resume();
  }

  /** The body is held back for the endpoint's sake: no fault of the client's. */
  holdBody(): void {
    if (!this.#link.text.needsDrain) this.deadlineMs = Infinity;
  }

  /** From here on it is one end of a tunnel, and no connection of this engine any more. */
  becomeTunnel(text: string): TunnelEnd {
    this.#link.text.write(text);
    const early = this.#unread.rest();
    this.#leaveSocket();
    return new ClientTunnel(this.#link, early);
  }

  onDeadline(): void {
    const exchange = this.#exchange;
    this.deadlineMs = Infinity;
    if (this.#closing) this.#socket.destroy();
    else if (this.#link.text.waitingBytes > 0) this.#lookAtWritten();
    else if (exchange !== null) this.#lookAtBody(exchange);
    else if (!this.#unread.empty) {
      this.#settings.handler.onConnectionCut('request_timeout', this.facts);
      this.#refuse('request_timeout');
    } else this.#linger();
  }

  /** A client that takes its answer slowly takes it. */
  #lookAtWritten(): void {
    if (this.#link.text.moved()) this.#expectWritten();
    else this.#cut('write_timeout', false);
  }

  #lookAtBody(exchange: Http1Exchange): void {
    // The end of the body does not reset what runs for bytes that were on their way to a TLS client just then.
    if (exchange.bodyDone || this.#link.readOn()) return;
    this.#cut(this.#slow ? 'body_too_slow' : 'request_timeout', !exchange.headSent);
  }

  #cut(code: ErrorCode, answerable: boolean): void {
    this.#settings.handler.onConnectionCut(code, this.facts);
    this.#fail(code, answerable);
  }

  onRead(bytes: Buffer, length: number): void {
    if (this.#closing) return;
    this.#unread.add(bytes, length);
    this.#work();
    this.#unread.keep(bytes);
  }

  #resume(): void {
    this.#link.resume();
    if (!this.#unread.empty) this.#work();
  }

  #leaveSocket(): void {
    const socket = this.#socket;
    socket.off('end', this.#onEnd).off('drain', this.#onDrain).off('close', this.#onClose);
    this.#link.pause();
    this.#unread.drop();
    this.#exchange = null;
    this.#gone();
  }

  /** The first line of HTTP/2 reads like a request of a version we do not know. */
  #refuseHead(code: ErrorCode, text: string, from: number): void {
    const { onHttp2 } = this.#settings;
    if (this.#requests > 0 || onHttp2 === null || !text.startsWith(HTTP2_PREFACE)) return this.#refuse(code);
    this.#unread.at = from;
    const early = this.#unread.rest();
    this.#leaveSocket();
    onHttp2(this.#link, early);
  }

  /** Uses up what is held, as far as it goes now. Not re-entered: a response written at once only sets the state for the next round. */
  #work(): void {
    if (this.#working) return;
    this.#working = true;
    let progress = true;
    while (progress && !this.#unread.empty && !this.#closing) {
      const exchange = this.#exchange;
      if (exchange === null) progress = this.#mayBegin ? this.#readHead() : this.#wait();
      else progress = exchange.bodyDone || !exchange.bodyFlows ? this.#wait() : this.#readBody(exchange);
    }
    this.#working = false;
    if (this.#exchange === null && !this.#closing && this.#mayBegin) this.#link.resume();
  }

  /** A client that does not read its responses gets no more of them: what it asks on is not read either. */
  get #mayBegin(): boolean {
    return !this.#link.text.needsDrain;
  }

  /** Bytes of the next request, or of a body nobody reads yet: stop reading, so that the client is held back. */
  #wait(): boolean {
    this.#link.pause();
    return false;
  }

  #readHead(): boolean {
    const unread = this.#unread;
    const { bytes, at: from } = unread;
    const { limits, deadlines, timeouts } = this.#settings;
    if (this.#firstByteMs === 0) {
      this.#firstByteMs = this.#settings.nowMs();
      this.deadlineMs = deadlines.nowMs + timeouts.requestHeadMs;
    }
    // One empty line before a request is forgiven (RFC 9112 section 2.2).
    const at = bytes[from] === 0x0d && bytes[from + 1] === 0x0a ? 2 : 0;
    const text = latin1(bytes, from, Math.min(unread.end, from + limits.headBytes + at));
    const again = this.#heads.again(text);
    const end = again === null ? text.indexOf('\r\n\r\n', at) + 4 : text.length;
    if (end < 4) {
      if (unread.end - from - at >= limits.headBytes) this.#refuse('head_too_large');
      else if (looksForeign(text, at)) this.#refuse('bad_request');
      return false;
    }
    unread.at = from + end;
    const head = again ?? this.#heads.read(text, at, end, limits.fields);
    const startedMs = this.#firstByteMs;
    this.#firstByteMs = 0;
    if (typeof head === 'string') this.#refuseHead(head, text, from);
    else this.#begin(head, startedMs);
    return true;
  }

  #begin(head: RequestHead, startedMs: number): void {
    const { expect, contentLength } = head.block;
    if (expect !== '' && expect !== '100-continue') return this.#refuse('expectation_failed');
    const request = this.#heads.request(head, this.facts);
    if (typeof request === 'string') return this.#refuse(request);
    const { limits } = this.#settings;
    if (limits.bodyBytes > 0 && contentLength > limits.bodyBytes) return this.#refuse('body_too_large', request);
    const exchange = new Http1Exchange(this, head, request, startedMs);
    this.#requests += 1;
    if (this.#requests >= limits.requestsPerConnection) exchange.close = true;
    this.#body = exchange.bodyDone ? null : this.#expectedBody(exchange.bodyLength);
    this.#exchange = exchange;
    this.deadlineMs = Infinity;
    this.#settings.handler.onRequest(exchange);
  }

  #expectedBody(length: number): IncomingBody {
    if (length === UNKNOWN_LENGTH || length > LARGE_BODY) this.#link.readApart();
    return new IncomingBody(length, this.#settings.limits);
  }

  #readBody(exchange: Http1Exchange): boolean {
    const { bytes, at: from, end } = this.#unread;
    const part = bytes.subarray(from, end);
    const { deadlines, timeouts } = this.#settings;
    this.#body?.pace.arrived(part.length, deadlines.nowMs, timeouts.requestBodyMs);
    this.#expectBody();
    // Taken before the call: the listener may end everything in the middle of it.
    this.#unread.drop();
    const used = this.#body?.feed(part.length > GATHER_BYTES ? this.#link.apart(bytes, part) : part, {
      onBody: (chunk) => exchange.listener.onBody(chunk),
      onBodyEnd: (trailers) => this.#endBody(exchange, trailers),
    });
    if (used === MALFORMED) this.#fail('bad_framing', !exchange.headSent);
    else if (used === TOO_LARGE) this.#fail('body_too_large', !exchange.headSent);
    else if (used !== undefined && from + used < end && !this.#closing) this.#unread.hold(bytes, from + used, end);
    if (exchange.bodyDone) exchange.leaveMemory(this.#link.readTogether(this.#unread.empty));
    if (!exchange.bodyFlows && !this.#closing) this.#hold();
    return true;
  }

  #hold(): void {
    if (this.#link.hold() && this.deadlineMs === Infinity) this.deadlineMs = this.#settings.deadlines.nowMs + HELD_MS;
  }

  #endBody(exchange: Http1Exchange, trailers: Fields): void {
    if (exchange !== this.#exchange) return;
    exchange.bodyDone = true;
    this.#body = null;
    if (this.#link.text.waitingBytes === 0) this.deadlineMs = Infinity;
    exchange.listener.onBodyEnd(trailers);
  }

  #expectBody(): void {
    const exchange = this.#exchange;
    if (exchange === null || exchange.bodyDone || !exchange.bodyFlows || this.#link.text.needsDrain) return;
    const betweenMs = this.#settings.deadlines.nowMs + this.#settings.timeouts.requestBodyMs;
    const rateMs = this.#body?.pace.dueMs ?? Infinity;
    this.#slow = rateMs < betweenMs;
    this.deadlineMs = Math.min(betweenMs, rateMs);
  }

  /** The next request may take its time, from when the client has taken the response before it. */
  #expectRequest(): void {
    if (this.#link.text.needsDrain) return this.#expectWritten();
    this.deadlineMs = this.#settings.deadlines.nowMs + this.#settings.timeouts.keepAliveMs;
  }

  #expectWritten(): void {
    this.#link.text.moved();
    this.deadlineMs = this.#settings.deadlines.nowMs + this.#settings.timeouts.writeMs;
  }

  #drained(): void {
    if (this.#link.text.waitingBytes > 0) return this.#expectWritten();
    if (this.#closing) return;
    const exchange = this.#exchange;
    if (exchange === null) {
      if (this.#firstByteMs === 0) this.#expectRequest();
      return this.#resume();
    }
    this.deadlineMs = Infinity;
    this.#body?.pace.awaited(this.#settings.deadlines.nowMs);
    this.#expectBody();
    exchange.drained();
  }

  /** Ends the exchange; an answer, where one is possible, is the listener's to send and the last of this connection. */
  #fail(code: ErrorCode, answerable: boolean): void {
    const exchange = this.#exchange;
    this.#unread.drop();
    if (exchange === null) return this.destroy();
    exchange.close = true;
    exchange.listener.onDownstreamFailed(code, answerable);
    if (!answerable) this.destroy();
  }

  /** Answers a request that cannot be understood; whatever follows it cannot be understood either. */
  #refuse(code: ErrorCode, request?: CanonicalRequest): void {
    const reply = this.#settings.handler.onBadRequest(code, this.facts, request);
    const framing = { length: Buffer.byteLength(reply.body), chunked: false, tellsLength: true, connectionLine: 'connection: close\r\n' };
    this.#link.text.write(responseHeadText(reply.status, reply.fields, framing, this.dateLine) + reply.body);
    this.#linger();
  }

  /** Half-closes and reads on for a while: closing at once could reset the connection before the client has read the response. */
  #linger(): void {
    this.#closing = true;
    this.#unread.drop();
    this.#expectWritten();
    this.#link.text.flush();
    this.#socket.end(() => (this.deadlineMs = this.#settings.deadlines.nowMs + LINGER_MS));
    this.#link.resume();
  }

  /** FIN from the client. Like nginx and Envoy we take it that nobody waits for an answer any more. */
  #left(): void {
    this.#link.text.flush();
    if (this.#exchange === null || this.#closing) this.#socket.end();
    else this.#fail('client_closed', false);
  }

  #gone(): void {
    this.#settings.deadlines.remove(this);
    this.#settings.handler.onConnectionClosed(this);
    const exchange = this.#exchange;
    this.#exchange = null;
    this.#closing = true;
    if (exchange !== null && !exchange.ended) exchange.listener.onDownstreamFailed('client_closed', false);
  }
}
