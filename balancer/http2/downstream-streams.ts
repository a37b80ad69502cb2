// The streams of a client's connection: which frame may come on which of them now (RFC 9113 section 5.1), and what ends them.
import { ERRORS, type ErrorCode } from '../errors.ts';
import { canonicalRequest } from '../message/canonical-request.ts';
import { UNKNOWN_LENGTH } from '../message/exchange.ts';
import type { CanonicalRequest } from '../message/request.ts';
import { GRACE_MS } from '../message/body-pace.ts';
import type { Http2DownstreamConnection } from './downstream-connection.ts';
import { Http2Exchange, type ExchangeOwner } from './downstream-exchange.ts';
import * as frames from './frame.ts';
import { FrameType, Http2Error } from './frame.ts';
import type { FrameSink } from './frame-reader.ts';
import { NO_TABLE } from './hpack-encoder.ts';
import { PeerSettings } from './peer-settings.ts';
import { RecentResets } from './recent-resets.ts';
import { ReceiveWindow } from './receive-window.ts';
import { RequestBody, type BodyOwner, type BodyRules } from './request-body.ts';
import { problemOf, RequestHeads, type Http2RequestHead } from './request-head.ts';
import { StreamTable } from './stream-table.ts';
import { addWebSocketKey } from './websocket-handshake.ts';

export class DownstreamStreams implements FrameSink, ExchangeOwner, BodyOwner {
  /** Streams whose listener waits for onDownstreamDrain. */
  blocked = 0;
  /** The highest stream that was opened. */
  lastId = 0;
  readonly bodyRules: BodyRules;
  readonly #connection: Http2DownstreamConnection;
  readonly #streams = new StreamTable<Http2Exchange>();
  readonly #heads: RequestHeads;
  readonly #peer = new PeerSettings();
  readonly #noBody: RequestBody;
  readonly #resets = new RecentResets();
  #requests = 0;
  #settingsSeen = false;
  #refusing = false;
  #tableTold = false;
  readonly #window: ReceiveWindow;

  constructor(connection: Http2DownstreamConnection) {
    this.#connection = connection;
    const { limits, timeouts } = connection.settings;
    const { bodyBytes, bodyRate } = limits;
    this.bodyRules = { bodyBytes, bodyRate, betweenMs: timeouts.requestBodyMs };
    this.#heads = new RequestHeads(limits);
    this.#noBody = new RequestBody(0, this, 0, true);
    this.#window = new ReceiveWindow(this.largestWindow);
  }

  get open(): number {
    return this.#streams.size;
  }

  /** The oldest first. */
  get all(): readonly Http2Exchange[] {
    return this.#streams.all();
  }

  /** Takes no stream that is not open already; what comes on later ones is ignored (RFC 9113 section 6.8). */
  refuseNew(): void {
    this.#refusing = true;
  }

  /** Tells those who wait that all was written. */
  drained(): void {
    for (const exchange of this.#streams.open()) exchange.drained();
  }

  /** The connection is over: nothing more is sent. */
  failAll(code: ErrorCode): void {
    const open = this.#streams.all();
    this.#streams.clear();
    for (const exchange of open) {
      if (!exchange.ended) exchange.listener.onDownstreamFailed(code, false);
      exchange.close();
    }
  }

  /** Ends what is too late; returns the next deadline. */
  expire(nowMs: number): number {
    let next = Infinity;
    for (const exchange of this.#streams.open()) {
      if (exchange.body.deadlineMs <= nowMs && !this.#bodyMayWait(exchange)) {
        const code = exchange.body.slow ? 'body_too_slow' : 'request_timeout';
        this.#connection.countCut(code);
        this.#fail(exchange, code, Http2Error.NoError);
      } else if (exchange.writeDeadlineMs <= nowMs && !this.#mayWaitOn(exchange)) {
        this.#connection.countSlowReader();
        this.#left(exchange, 'write_timeout');
        this.reset(exchange, Http2Error.Cancel);
      } else next = Math.min(next, exchange.body.deadlineMs, exchange.writeDeadlineMs);
    }
    return next;
  }

  // --- frames ---

  onHeaders(streamId: number, block: string, endStream: boolean): void {
    if (this.#unready()) return;
    const exchange = this.#streams.get(streamId);
    if (exchange !== undefined) return this.#takeTrailers(exchange, block, endStream);
    const head = this.#heads.read(block);
    if (head === null) return this.#connection.fatal(Http2Error.CompressionError, 'broken header block');
    if (this.#refusing && streamId > this.lastId) return;
    if ((streamId & 1) === 0) return this.#connection.fatal(Http2Error.ProtocolError, 'a client opened a stream of even number');
    if (streamId <= this.lastId) return this.#onClosed(streamId);
    this.lastId = streamId;
    const { maxStreams } = this.#connection.settings.http2;
    if (this.#streams.size < maxStreams) return this.#begin(streamId, head, endStream);
    if (this.#connection.allow('refused_streams')) this.#sendReset(streamId, Http2Error.RefusedStream);
  }

  onData(streamId: number, piece: Buffer, flowBytes: number, endStream: boolean): void {
    if (this.#unready()) return;
    if (piece.length === 0 && !endStream && !this.#connection.allow('empty_data')) return;
    if (!this.#window.take(flowBytes))
      return this.#connection.fatal(Http2Error.FlowControlError, 'the window of the connection was overrun');
    const exchange = this.#streams.get(streamId);
    if (exchange === undefined) this.#onClosed(streamId);
    else {
      const { body } = exchange;
      if (body.remoteDone) this.#fail(exchange, 'bad_framing', Http2Error.StreamClosed);
      else if (!body.takeWindow(flowBytes)) this.#fail(exchange, 'bad_framing', Http2Error.FlowControlError);
      else
        this.#takeBody(exchange, body.take({ piece: this.#connection.owned(piece), flowBytes, endStream }, exchange.listener), endStream);
    }
    this.#widen();
  }

  onRstStream(streamId: number): void {
    if (this.#unready()) return;
    if (this.#idle(streamId)) return this.#connection.fatal(Http2Error.ProtocolError, 'RST_STREAM on an idle stream');
    if (!this.#connection.allow('resets')) return;
    const exchange = this.#streams.get(streamId);
    if (exchange === undefined) return;
    this.#left(exchange, 'client_closed');
    this.#forget(exchange);
  }

  onSettings(payload: string, ack: boolean): void {
    if (ack) {
      if (!this.#unready()) this.#connection.onSettingsAcknowledged();
      return;
    }
    const first = !this.#settingsSeen;
    this.#settingsSeen = true;
    if (!this.#connection.allow('settings')) return;
    const change = this.#peer.read(payload);
    if (typeof change === 'number') return this.#connection.fatal(change, 'SETTINGS with a value that is not allowed');
    this.#connection.writer.write(frames.SETTINGS_ACK);
    if (first && this.#streams.size === 0) this.#connection.idle();
    if (change.windowChange === 0) return;
    for (const exchange of this.#streams.open()) {
      exchange.sendWindow += change.windowChange;
      if (exchange.sendWindow > frames.MAX_WINDOW)
        return this.#connection.fatal(Http2Error.FlowControlError, 'SETTINGS made a window too large');
      this.#connection.writer.enqueue(exchange);
    }
  }

  onPing(opaque: string, ack: boolean): void {
    if (this.#unready()) return;
    if (ack) this.#connection.onPingAnswered(opaque);
    else if (this.#connection.allow('pings')) this.#connection.writer.write(frames.pingFrame(opaque, true));
  }

  /** The client opens no more streams, or tells why it leaves; either shows. */
  onGoAway(): void {
    this.#unready();
  }

  onWindowUpdate(streamId: number, increment: number): void {
    if (this.#unready() || !this.#connection.allow('window_updates')) return;
    const { writer } = this.#connection;
    if (streamId === 0) {
      writer.window += increment;
      if (increment === 0) this.#connection.fatal(Http2Error.ProtocolError, 'WINDOW_UPDATE of 0');
      else if (writer.window > frames.MAX_WINDOW) this.#connection.fatal(Http2Error.FlowControlError, 'the window became too large');
      return;
    }
    const exchange = this.#streams.get(streamId);
    if (exchange === undefined) {
      if (this.#idle(streamId)) this.#connection.fatal(Http2Error.ProtocolError, 'WINDOW_UPDATE on an idle stream');
      return;
    }
    exchange.sendWindow += increment;
    if (increment === 0) this.#fail(exchange, 'bad_framing', Http2Error.ProtocolError);
    else if (exchange.sendWindow > frames.MAX_WINDOW) this.#fail(exchange, 'bad_framing', Http2Error.FlowControlError);
    else writer.enqueue(exchange);
  }

  onIgnored(type: number, streamId: number): void {
    if (this.#unready() || !this.#connection.allow('ignored_frames')) return;
    // RFC 9218 section 7.1.
    if (type === FrameType.PriorityUpdate && streamId !== 0)
      this.#connection.fatal(Http2Error.ProtocolError, 'PRIORITY_UPDATE on a stream');
  }

  // --- what exchanges and bodies ask for ---

  get streamWindow(): number {
    return this.#connection.settings.http2.streamWindow;
  }

  get largestWindow(): number {
    return this.#connection.settings.http2.connectionWindow;
  }

  nowMs(): number {
    return this.#connection.settings.nowMs();
  }

  blockOf(block: string): string {
    if (this.#tableTold) return block;
    this.#tableTold = true;
    return NO_TABLE + block;
  }

  countTiny(): void {
    this.#connection.allow('tiny_windows');
  }

  sentData(large: boolean): void {
    this.#connection.allowAnswers(large);
  }

  expectWindow(exchange: Http2Exchange): void {
    const { deadlines, timeouts } = this.#connection.settings;
    exchange.writeDeadlineMs = deadlines.nowMs + timeouts.writeMs;
    this.#connection.expect(exchange.writeDeadlineMs);
  }

  get receivedBytes(): number {
    return this.#window.received;
  }

  get sweptMs(): number {
    return this.#connection.settings.deadlines.nowMs;
  }

  expect(deadlineMs: number): void {
    this.#connection.expect(deadlineMs);
  }

  updateWindow(streamId: number, increment: number): void {
    this.#connection.writer.write(frames.windowUpdateFrame(streamId, increment));
  }

  countHeld(bytes: number): void {
    this.#window.hold(bytes);
    if (bytes < 0) this.#widen();
  }

  /** The response is complete. A client that is still sending is told to stop (RFC 9113 section 8.1). */
  finish(exchange: Http2Exchange): void {
    if (!exchange.body.remoteDone || exchange.resetWith !== Http2Error.NoError) this.#sendReset(exchange.id, exchange.resetWith);
    this.#forget(exchange);
  }

  reset(exchange: Http2Exchange, error: number): void {
    if (exchange.closed) return;
    this.#sendReset(exchange.id, error);
    this.#forget(exchange);
  }

  // --- inside ---

  /** The first frame behind the preface has to be SETTINGS (RFC 9113 section 3.4). */
  #unready(): boolean {
    if (this.#settingsSeen) return false;
    this.#connection.fatal(Http2Error.ProtocolError, 'the first frame is not SETTINGS');
    return true;
  }

  #idle(streamId: number): boolean {
    return (streamId > this.lastId && !this.#refusing) || (streamId & 1) === 0;
  }

  /** A frame on a stream that is not open: late ones are ignored when it was us who closed it. */
  #onClosed(streamId: number): void {
    if (this.#idle(streamId)) this.#connection.fatal(Http2Error.ProtocolError, 'a frame on an idle stream');
    else if (!this.#resets.has(streamId) && streamId <= this.lastId)
      this.#connection.fatal(Http2Error.StreamClosed, 'a frame on a closed stream');
  }

  #begin(id: number, head: Http2RequestHead | ErrorCode, endStream: boolean): void {
    const { facts, settings, writer } = this.#connection;
    const problem = typeof head === 'string' ? head : problemOf(head, endStream);
    if (typeof head === 'string' || problem !== null) return this.#refuse(id, problem ?? 'bad_request', { head, endStream });
    const fields = head.protocol === '' ? head.fields : head.fields.slice();
    const webSocketKey = head.protocol === '' ? '' : addWebSocketKey(fields);
    const { authority, path: target, acceptsTrailers, namesMethod } = head;
    const method = webSocketKey === '' ? head.method : 'GET';
    const request = canonicalRequest({ method, target, authority, fields, namesMethod, version: '2', acceptsTrailers }, facts);
    if (typeof request === 'string') return this.#refuse(id, request, { head, endStream });
    const { bodyBytes, requestsPerConnection } = settings.limits;
    if (bodyBytes > 0 && head.contentLength > bodyBytes && webSocketKey === '')
      return this.#refuse(id, 'body_too_large', { head, endStream, request });
    const body = endStream ? this.#noBody : new RequestBody(id, this, head.contentLength, false);
    const bodyLength = endStream || webSocketKey !== '' ? 0 : head.contentLength >= 0 ? head.contentLength : UNKNOWN_LENGTH;
    const expectsContinue = head.expect !== '' && bodyLength !== 0;
    const start = { id, request, bodyLength, body, expectsContinue, webSocketKey, sendWindow: this.#peer.initialWindow };
    const exchange = new Http2Exchange(this, writer, settings.encoder, start);
    this.#streams.add(exchange);
    this.#connection.busy();
    this.#requests += 1;
    if (this.#requests >= requestsPerConnection) this.#connection.drain();
    settings.handler.onRequest(exchange);
  }

  /** Answers a request that is not passed on. One that is malformed is a stream error as well (RFC 9113 section 8.1.1). */
  #refuse(id: number, code: ErrorCode, { head, endStream, request }: RefusedRequest): void {
    const { settings, facts, writer } = this.#connection;
    const malformed = ERRORS[code].status === 400;
    if (!this.#connection.allow(malformed || code === 'body_too_large' ? 'resets' : 'large_heads')) return;
    const reply = settings.handler.onBadRequest(code, facts, request);
    const bytes = typeof head !== 'string' && head.method === 'HEAD' ? '' : Buffer.from(reply.body).toString('latin1');
    const fits = bytes.length > 0 && bytes.length <= Math.min(this.#peer.initialWindow, writer.window);
    const block = this.blockOf(settings.encoder.head(reply.status, reply.fields, fits ? bytes.length : UNKNOWN_LENGTH));
    writer.write(frames.headersFrames(block, id, !fits, frames.DEFAULT_MAX_FRAME));
    if (fits) {
      writer.window -= bytes.length;
      writer.write(frames.dataHead(bytes.length, id, true) + bytes);
    }
    if (malformed || !endStream) this.#sendReset(id, malformed ? Http2Error.ProtocolError : Http2Error.NoError);
  }

  #takeTrailers(exchange: Http2Exchange, block: string, endStream: boolean): void {
    const trailers = this.#heads.readTrailers(block);
    if (trailers === null) return this.#connection.fatal(Http2Error.CompressionError, 'broken header block');
    if (exchange.body.remoteDone) return this.#fail(exchange, 'bad_framing', Http2Error.StreamClosed);
    if (trailers === 'malformed' || !endStream || !exchange.body.end(trailers, exchange.listener))
      return this.#fail(exchange, 'bad_framing', Http2Error.ProtocolError);
    exchange.remoteEnded();
  }

  /** Ends a stream for a fault of the client's: with an answer, where none was begun. */
  #fail(exchange: Http2Exchange, code: ErrorCode, error: number): void {
    if (!this.#connection.allow('resets')) return;
    const answerable = !exchange.headSent && !exchange.ended;
    exchange.resetWith = error;
    exchange.body.drop();
    if (!exchange.ended) exchange.listener.onDownstreamFailed(code, answerable);
    if (!answerable) this.reset(exchange, error === Http2Error.NoError ? Http2Error.Cancel : error);
  }

  /** What becomes of a stream with a piece of its body. What is too large ends it when it is answered, and only it. */
  #takeBody(exchange: Http2Exchange, problem: ErrorCode | null, endStream: boolean): void {
    if (problem !== null) this.#fail(exchange, problem, problem === 'body_too_large' ? Http2Error.NoError : Http2Error.ProtocolError);
    else if (endStream) exchange.remoteEnded();
  }

  /**
   * The time is not the client's while bodies that wait here have used up the window of all. Nor is a body too slow while other bodies
   * come, and fast enough for all of them: in which order they are sent is the client's to choose.
   */
  #bodyMayWait(exchange: Http2Exchange): boolean {
    const { body } = exchange;
    const enough = (this.bodyRules.bodyRate * this.#streams.size * GRACE_MS) / 1000;
    if (!this.#window.shut && !(body.slow && this.receivedBytes - body.mark >= enough)) return false;
    exchange.readBody();
    return true;
  }

  /** In line behind others with open windows it waits for the socket, which has a deadline of its own. */
  #mayWaitOn(exchange: Http2Exchange): boolean {
    if (!exchange.inLine || this.#connection.writer.window <= 0) return false;
    this.expectWindow(exchange);
    return true;
  }

  /** The client wants no answer any more, or cannot be given one. */
  #left(exchange: Http2Exchange, code: ErrorCode): void {
    if (exchange.ended) return;
    exchange.ended = true;
    exchange.listener.onDownstreamFailed(code, false);
  }

  #sendReset(id: number, error: number): void {
    this.#connection.writer.write(frames.rstStreamFrame(id, error));
    this.#resets.add(id);
  }

  #forget(exchange: Http2Exchange): void {
    this.#streams.delete(exchange.id);
    exchange.close();
    if (this.#streams.size === 0) this.#connection.idle();
  }

  #widen(): void {
    const increment = this.#window.widen();
    if (increment > 0) this.updateWindow(0, increment);
  }
}

interface RefusedRequest {
  readonly head: Http2RequestHead | ErrorCode;
  readonly endStream: boolean;
  /** As far as it could be understood. */
  readonly request?: CanonicalRequest;
}
