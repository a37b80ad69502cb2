// An HTTP/2 connection to an endpoint: many requests at a time, and all frames of one turn of the event loop in one write.
import type { Socket } from 'node:net';
import { NOT_WATCHED, type Expiring } from '../../health/deadlines.ts';
import type { ErrorCode } from '../errors.ts';
import type { OutgoingRequest, ResponseListener, UpstreamConnection, UpstreamExchange } from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
import type { SocketReader } from '../socket/direct-read.ts';
import {
  DEFAULT_MAX_FRAME,
  DEFAULT_WINDOW,
  dataHead,
  goAwayFrame,
  Http2Error,
  MAX_WINDOW,
  pingFrame,
  rstStreamFrame,
  SETTINGS_ACK,
  windowUpdateFrame,
} from './frame.ts';
import { NO_TABLE } from './hpack-encoder.ts';
import { clientPreface } from './client-preface.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';
import { Liveness } from './liveness.ts';
import { PeerSettings } from './peer-settings.ts';
import { connectBlock, requestBlock, trailerBlock } from './request-block.ts';
import { ResponseHeads } from './response-head.ts';
import { StreamTable } from './stream-table.ts';
import type { Http2Link, Http2UpstreamOwner, Http2UpstreamSettings } from './upstream-owner.ts';
import { INITIAL_WINDOW, Http2UpstreamStream } from './upstream-stream.ts';
import { UpstreamWriter } from './upstream-writer.ts';

/** What the endpoint may send us over all streams; given back as it comes, since the windows of the streams are what holds it back. */
const CONNECTION_WINDOW = 16_777_216;
const MAX_HEAD_BYTES = 65_536;
const MAX_CONTINUATIONS = 8;
/** Before the endpoint has told its own limit (RFC 9113 section 6.5.2 advises at least this). */
const STREAMS_UNTOLD = 100;
/** Ids are used up only once (RFC 9113 section 5.1.1). */
const LAST_STREAM_ID = 0x7fff_ff00;
/** With requests on it the connection looks at their time-outs at every sweep. */
const EVERY_SWEEP = -Infinity;

export class Http2UpstreamConnection implements UpstreamConnection, Expiring, FrameSink, SocketReader {
  deadlineMs: number;
  watchedAt = NOT_WATCHED;
  readonly tellsUnseen = true;
  /** Reads so far. */
  reads = 0;
  readonly #peer = new PeerSettings();
  readonly #liveness: Liveness;
  readonly #link: Http2Link;
  readonly #socket: Socket;
  readonly #settings: Http2UpstreamSettings;
  readonly #owner: Http2UpstreamOwner;
  readonly #reader: FrameReader;
  readonly #writer: UpstreamWriter;
  readonly #heads = new ResponseHeads(MAX_HEAD_BYTES);
  readonly #streams = new StreamTable<Http2UpstreamStream>();
  readonly #waiting = new Set<Http2UpstreamStream>();
  readonly #touched: Http2UpstreamStream[] = [];
  #nextId = 1;
  /** Header blocks sent. */
  #blocks = 0;
  #limit: number;
  #sendWindow = DEFAULT_WINDOW;
  #ungranted = 0;
  #goingAway = false;
  #closed = false;
  #settled = false;
  #answered = 0;
  /** Upgrades that came before the endpoint told whether it can. */
  #deferred: (() => void)[] = [];
  /** The endpoint's settings have come. */
  #told = false;

  /** On a socket that has just connected: the preface and our settings leave at once. */
  constructor(link: Http2Link, settings: Http2UpstreamSettings, owner: Http2UpstreamOwner) {
    this.#link = link;
    this.#socket = link.socket;
    this.#settings = settings;
    this.#owner = owner;
    this.#writer = new UpstreamWriter(link.socket);
    this.#limit = Math.min(settings.streams, STREAMS_UNTOLD);
    this.#reader = new FrameReader(this, { maxFrame: DEFAULT_MAX_FRAME, maxBlock: MAX_HEAD_BYTES, maxContinuations: MAX_CONTINUATIONS });
    this.#liveness = new Liveness(settings.deadlines.nowMs);
    this.deadlineMs = settings.deadlines.nowMs + settings.keepAliveMs;
    this.#listen();
    settings.deadlines.add(this);
    this.#writer.write(clientPreface({ stream: INITIAL_WINDOW, connection: CONNECTION_WINDOW }, MAX_HEAD_BYTES));
  }

  /** What a new stream may send. */
  get initialSendWindow(): number {
    return this.#peer.initialWindow;
  }

  get nowMs(): number {
    return this.#settings.deadlines.nowMs;
  }

  /** Whether it takes another request now. */
  get hasRoom(): boolean {
    return !this.#goingAway && this.#streams.size < this.#limit;
  }

  /** The socket takes bytes slower than they come. */
  get congested(): boolean {
    return this.#writer.congested;
  }

  send(outgoing: OutgoingRequest, listener: ResponseListener): UpstreamExchange {
    const stream = new Http2UpstreamStream(this, this.#nextId, outgoing, listener);
    this.#nextId += 2;
    this.#streams.add(stream);
    this.deadlineMs = EVERY_SWEEP;
    if (outgoing.upgrade !== '') this.#sendConnect(stream, outgoing);
    else this.#writeBlock(stream, requestBlock(outgoing, this.#link.secure), outgoing.bodyLength === 0);
    if (this.#nextId > LAST_STREAM_ID) this.#goAway();
    return stream;
  }

  /** Closes when the requests that are under way are over. */
  retire(): void {
    this.#goAway();
    if (this.#streams.size === 0) this.#end();
  }

  onDeadline(): void {
    if (this.#streams.size === 0) return this.#end();
    for (const stream of this.#streams.open()) stream.checkDeadline(this.nowMs);
    const state = this.#liveness.check(this.nowMs);
    if (state === 'dead') this.#break('connection_reset', 'the endpoint does not answer a PING');
    else if (state === 'unsettled') this.#giveUp(Http2Error.SettingsTimeout, null, 'the endpoint has not acknowledged our SETTINGS');
    else if (state === 'ask') this.#writer.write(pingFrame('weirping', false));
  }

  // --- for the streams ---

  /** Writes as much of `chunk` as the windows allow; returns how much. */
  writeData(stream: Http2UpstreamStream, chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length) {
      const take = Math.min(chunk.length - at, stream.sendWindow, this.#sendWindow, this.#writer.maxFrameSize);
      if (take <= 0) break;
      stream.sendWindow -= take;
      this.#sendWindow -= take;
      this.#writer.writeData(stream.id, chunk.subarray(at, at + take), false);
      at += take;
    }
    return at;
  }

  writeEnd(stream: Http2UpstreamStream, trailers: Fields): void {
    if (trailers.length === 0) this.#writer.write(dataHead(0, stream.id, true));
    else this.#writeBlock(stream, trailerBlock(trailers), true);
  }

  /** Is told by `goOn` when a window or the socket has room. */
  waitToSend(stream: Http2UpstreamStream): void {
    this.#waiting.add(stream);
  }

  grant(stream: Http2UpstreamStream, bytes: number): void {
    if (this.#streams.has(stream.id)) this.#writer.write(windowUpdateFrame(stream.id, bytes));
  }

  lendBuffer(): void {
    this.#link.buffer.lend();
  }

  /** The stream is over on both sides. */
  forget(stream: Http2UpstreamStream): void {
    if (!this.#streams.delete(stream.id)) return;
    this.#waiting.delete(stream);
    this.#answered += 1;
    if (this.#streams.size === 0) {
      this.deadlineMs = this.nowMs + this.#settings.keepAliveMs;
      if (this.#goingAway) return this.#end();
    }
    this.#owner.onRoom(this);
  }

  reset(stream: Http2UpstreamStream, code: number): void {
    if (!this.#streams.has(stream.id)) return;
    this.#writer.write(rstStreamFrame(stream.id, code));
    this.forget(stream);
  }

  // --- frames from the endpoint ---

  onHeaders(streamId: number, block: string, endStream: boolean): void {
    const head = this.#heads.read(block);
    if (typeof head === 'number') return this.#violated(head);
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return this.#onForgotten(streamId);
    this.#touch(stream);
    this.#judge(stream, stream.onBlock(head, endStream));
  }

  onData(streamId: number, piece: Buffer, flowBytes: number, endStream: boolean): void {
    this.#ungranted += flowBytes;
    if (this.#ungranted > CONNECTION_WINDOW) return this.#violated(Http2Error.FlowControlError);
    if (this.#ungranted >= CONNECTION_WINDOW / 4) {
      this.#writer.write(windowUpdateFrame(0, this.#ungranted));
      this.#ungranted = 0;
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return this.#onForgotten(streamId);
    this.#touch(stream);
    this.#judge(stream, stream.onData(piece, flowBytes, endStream));
  }

  onRstStream(streamId: number, error: number): void {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return this.#onForgotten(streamId);
    this.forget(stream);
    if (error === Http2Error.RefusedStream) {
      // It has as many as it takes: the next ones go on another connection.
      this.#limit = Math.max(1, this.#streams.size);
      stream.onFailure('stream_refused', 'the endpoint refused the stream');
    } else
      stream.onFailure(stream.headSeen ? 'response_incomplete' : 'connection_reset', `the endpoint reset the stream with code ${error}`);
  }

  onSettings(payload: string, ack: boolean): void {
    if (ack) {
      if (!this.#liveness.acknowledged()) this.#violated(Http2Error.ProtocolError);
      return;
    }
    const settings = this.#peer.read(payload);
    if (typeof settings === 'number') return this.#violated(settings);
    for (const stream of this.#streams.open()) {
      stream.sendWindow += settings.windowChange;
      if (stream.sendWindow > MAX_WINDOW) return this.#violated(Http2Error.FlowControlError);
    }
    this.#writer.maxFrameSize = this.#peer.maxFrame;
    this.#limit = Math.min(this.#settings.streams, this.#peer.maxStreams);
    this.#told = true;
    this.#writer.write(SETTINGS_ACK);
    for (const send of this.#deferred.splice(0)) send();
    this.#goOnSending();
    this.#owner.onRoom(this);
  }

  onPing(opaque: string, ack: boolean): void {
    if (!ack) this.#writer.write(pingFrame(opaque, true));
  }

  onGoAway(lastStreamId: number, error: number): void {
    this.#goAway();
    for (const stream of this.#streams.all()) {
      if (stream.id <= lastStreamId) continue;
      this.forget(stream);
      stream.onFailure('stream_refused', `the endpoint is going away with code ${error}`);
    }
    if (this.#streams.size === 0) this.#end();
  }

  onWindowUpdate(streamId: number, increment: number): void {
    if (streamId === 0) {
      this.#sendWindow += increment;
      if (increment === 0) return this.#violated(Http2Error.ProtocolError);
      if (this.#sendWindow > MAX_WINDOW) return this.#violated(Http2Error.FlowControlError);
      return this.#goOnSending();
    }
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return this.#onForgotten(streamId);
    stream.sendWindow += increment;
    if (stream.sendWindow > MAX_WINDOW || increment === 0) this.#judge(stream, 'a window update that is not allowed');
    else if (this.#waiting.has(stream) && stream.goOn()) this.#waiting.delete(stream);
  }

  /** We said that we take none (RFC 9113 section 8.4). */
  onPushPromise(): void {
    this.#violated(Http2Error.ProtocolError);
  }

  /** The endpoint is the operator's own: no flood is feared. */
  onIgnored(): void {
    return undefined;
  }

  // --- inside ---

  #listen(): void {
    const socket = this.#socket;
    this.#link.listen(this);
    socket.on('end', () => this.#break(null, 'the endpoint closed the connection'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#break(null, error.code ?? error.message));
    socket.on('close', () => this.#finish());
    socket.on('drain', () => this.#goOnSending());
  }

  #writeBlock(stream: Http2UpstreamStream, block: string, endStream: boolean): void {
    this.#writer.writeBlock(stream.id, this.#blocks === 0 ? NO_TABLE + block : block, endStream);
    this.#blocks += 1;
  }

  onRead(bytes: Buffer, length: number): void {
    if (this.#closed) return;
    this.reads += 1;
    this.#liveness.heard(this.nowMs);
    const error = this.#reader.feed(bytes, length);
    if (error !== Http2Error.NoError) this.#violated(error);
    for (const stream of this.#touched) stream.onTurnEnd();
    this.#touched.length = 0;
  }

  #touch(stream: Http2UpstreamStream): void {
    if (stream.touched) return;
    stream.touched = true;
    this.#touched.push(stream);
  }

  /** A frame for a stream that is over was on its way; one for a stream that we never opened is an error (RFC 9113 section 5.1). */
  #onForgotten(streamId: number): void {
    if (streamId % 2 === 0 || streamId >= this.#nextId) this.#violated(Http2Error.ProtocolError);
  }

  /** A problem is an error of one stream (RFC 9113 section 5.4.2). */
  #judge(stream: Http2UpstreamStream, problem: string | null): void {
    if (problem === null) return;
    this.reset(stream, Http2Error.ProtocolError);
    stream.onFailure('response_malformed', problem);
  }

  /** An error of the whole connection (RFC 9113 section 5.4.1). */
  #violated(error: number): void {
    this.#giveUp(error, 'response_malformed', `HTTP/2 broken by the endpoint: ${this.#reader.problem} (code ${error})`);
  }

  /** Tells the endpoint why, too. */
  #giveUp(error: number, code: ErrorCode | null, detail: string): void {
    if (this.#closed) return;
    this.#reader.stop();
    this.#writer.write(goAwayFrame(0, error, this.#reader.problem));
    this.#writer.flush();
    this.#break(code, detail);
  }

  /** Everything on it fails. `code` null: by what each request can have met. */
  #break(code: ErrorCode | null, detail: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#goAway();
    const streams = this.#streams.all();
    this.#streams.clear();
    this.#waiting.clear();
    this.#socket.destroy();
    for (const stream of streams) stream.onFailure(code ?? this.#lossOf(stream), detail);
  }

  /** A kept connection that dies before anything came back most likely died before the endpoint saw the request. */
  #lossOf(stream: Http2UpstreamStream): ErrorCode {
    if (stream.headSeen) return 'response_incomplete';
    return this.#answered > 0 && stream.sentAtRead === this.reads ? 'stale_connection' : 'connection_reset';
  }

  #goAway(): void {
    if (this.#goingAway) return;
    this.#goingAway = true;
    this.#owner.onGoingAway(this);
  }

  /** Ends a connection that carries nothing. */
  #end(): void {
    this.#goAway();
    this.#closed = true;
    this.#writer.flush();
    this.#socket.destroySoon();
  }

  #finish(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#break(null, 'closed');
    this.#settings.deadlines.remove(this);
    this.#owner.onClosed(this);
  }

  #goOnSending(): void {
    for (const stream of this.#waiting) {
      if (this.congested) return;
      if (stream.goOn()) this.#waiting.delete(stream);
    }
  }

  /** RFC 8441: a tunnel on a stream, where the endpoint offers it. */
  #sendConnect(stream: Http2UpstreamStream, outgoing: OutgoingRequest): void {
    const send = (): void => {
      if (!this.#streams.has(stream.id)) return;
      if (this.#peer.extendedConnect) return this.#writeBlock(stream, connectBlock(outgoing, this.#link.secure), false);
      this.forget(stream);
      stream.onFailure('upgrade_refused', 'the endpoint takes no extended CONNECT (RFC 8441)');
    };
    // Not in the call that asks: its answer would come before the asker knows what it asked on.
    if (this.#told) queueMicrotask(send);
    else this.#deferred.push(send);
  }
}
