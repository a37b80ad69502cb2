// A client's HTTP/2 connection (RFC 9113): frames to requests, many at a time, with a bound on everything a client can make us do.
import type { Socket } from 'node:net';
import { NOT_WATCHED, type Deadlines, type Expiring } from '../../health/deadlines.ts';
import type { ListenerHttp2, ListenerLimits, ListenerTimeouts } from '../config/config.ts';
import type { ErrorCode } from '../errors.ts';
import type { ClientSocket } from '../socket/client-socket.ts';
import type { SocketReader } from '../socket/direct-read.ts';
import type { ConnectionFacts, DownstreamConnection, DownstreamHandler } from '../message/connection.ts';
import { AbuseBudget, type AbuseKind, type AbuseReason } from './abuse-budget.ts';
import { DownstreamStreams } from './downstream-streams.ts';
import * as frames from './frame.ts';
import { Http2Error, PREFACE, Setting } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { FairWriter, type WriterOwner } from './fair-writer.ts';
import type { ResponseEncoder } from './response-block.ts';
import { ToldStreams } from './told-streams.ts';

export interface Http2Settings {
  readonly timeouts: ListenerTimeouts;
  readonly limits: ListenerLimits;
  readonly http2: ListenerHttp2;
  readonly handler: DownstreamHandler;
  readonly deadlines: Deadlines;
  readonly nowMs: () => number;
  readonly encoder: ResponseEncoder;
  /** A connection or stream was ended for asking too much. */
  readonly countAbuse: (listener: string, reason: AbuseReason) => void;
  /** Streams that a client may have open now; Infinity: as many as the listener allows. */
  readonly streamLimit: () => number;
}

/** After the last byte has left the client gets this long to read it before the connection is torn down. */
const LINGER_MS = 2000;
/** Requests that were on their way when we began to drain are still taken for this long, if the client does not answer our PING. */
const DRAIN_GRACE_MS = 1000;
/** A client that lets this much wait is not read from until it has taken it. */
const UNREAD_BYTES = 1_048_576;
const DRAIN_PING = 'draining';

export class Http2DownstreamConnection implements DownstreamConnection, Expiring, SocketReader, WriterOwner {
  deadlineMs: number;
  watchedAt = NOT_WATCHED;
  readonly facts: ConnectionFacts;
  readonly settings: Http2Settings;
  readonly writer: FairWriter;
  readonly #link: ClientSocket;
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #streams: DownstreamStreams;
  readonly #budget: AbuseBudget;
  readonly #toldStreams: ToldStreams;
  #prefaceLeft = PREFACE;
  #started = false;
  #draining = false;
  /** Nothing is taken or sent any more but what is in the socket. */
  #closing = false;
  #idleDeadlineMs: number;
  #frameDeadlineMs = Infinity;
  #framesSeen = 0;
  #writeDeadlineMs = Infinity;
  #drainDeadlineMs = Infinity;
  /** For the client to acknowledge our SETTINGS; Infinity: it has. */
  #settingsDeadlineMs: number;
  readonly #onDrain = (): void => this.onWritten();

  constructor(link: ClientSocket, facts: ConnectionFacts, settings: Http2Settings) {
    this.#link = link;
    this.#socket = link.socket;
    this.facts = facts;
    this.settings = settings;
    this.#idleDeadlineMs = settings.deadlines.nowMs + settings.timeouts.requestHeadMs;
    this.#settingsDeadlineMs = this.#idleDeadlineMs;
    this.deadlineMs = this.#idleDeadlineMs;
    this.#budget = new AbuseBudget(settings.http2.resetsPerSecond);
    this.#toldStreams = new ToldStreams(settings.http2.maxStreams, settings.streamLimit());
    this.writer = new FairWriter(link.socket, this);
    this.#streams = new DownstreamStreams(this);
    const maxBlock = settings.limits.headBytes * 2;
    const maxContinuations = 8 + Math.ceil(maxBlock / frames.DEFAULT_MAX_FRAME);
    this.#reader = new FrameReader(this.#streams, { maxFrame: frames.DEFAULT_MAX_FRAME, maxBlock, maxContinuations });
  }

  get blocked(): number {
    return this.#streams.blocked;
  }

  /** Begins to read; `early`: what was read from the socket before. */
  start(early: Buffer | null = null): void {
    const socket = this.#socket;
    const { http2, limits, deadlines } = this.settings;
    socket.setNoDelay(true);
    this.#started = true;
    this.#link.reader = this;
    socket.on('end', () => this.#left());
    socket.on('close', () => this.#gone());
    socket.on('drain', this.#onDrain);
    deadlines.add(this);
    const ours = [
      ...[Setting.MaxConcurrentStreams, this.#toldStreams.value, Setting.InitialWindowSize, http2.streamWindow],
      ...[Setting.MaxHeaderListSize, limits.headBytes, Setting.EnableConnectProtocol, 1, Setting.NoRfc7540Priorities, 1],
    ];
    this.writer.write(frames.settingsFrame(ours));
    const more = http2.connectionWindow - frames.DEFAULT_WINDOW;
    if (more > 0) this.writer.write(frames.windowUpdateFrame(0, more));
    if (this.#draining) this.#announceDrain();
    if (early !== null && early.length > 0) this.onRead(early, early.length);
    socket.resume();
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** As `drain`; before `start` it is remembered. */
  set draining(draining: boolean) {
    if (draining && !this.#draining) this.drain();
  }

  /**
   * Tells the client to open no more streams and gives it the time of a round trip to learn that; then says which streams were taken
   * (RFC 9113 section 6.8), and closes when they are answered.
   */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    if (this.#started) this.#announceDrain();
  }

  limitStreams(limit: number): void {
    if (!this.#started || this.#closing || this.#draining) return;
    const frame = this.#toldStreams.change(limit, this.#streams.all, this.settings.nowMs());
    if (frame !== '') this.writer.write(frame);
  }

  destroy(): void {
    // As in HTTP/1.1, a plain connection is reset; here no stream looks complete that is not in any case.
    if ('encrypted' in this.#socket || this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  /** Ends the connection with an error of the client's (RFC 9113 section 5.4.1). */
  fatal(error: number, debug: string, code: ErrorCode = error === Http2Error.NoError ? 'client_closed' : 'bad_framing'): void {
    if (this.#closing) return;
    this.#reader.stop();
    this.writer.write(frames.goAwayFrame(this.#streams.lastId, error, debug));
    this.#streams.failAll(code);
    this.#linger();
  }

  /** Takes one of what a client may not do without end; false: it did, and the connection is over. */
  allow(kind: AbuseKind): boolean {
    if (this.#budget.take(kind, this.settings.deadlines.nowMs)) return true;
    this.#flood(kind);
    return false;
  }

  /** DATA was sent: clients tell of windows then, and measure the way with PINGs. */
  allowAnswers(large: boolean): void {
    this.#budget.give('window_updates', 8);
    this.#budget.give('pings', 1);
    if (large) this.#budget.give('tiny_windows', 1);
  }

  /** A deadline somewhere in the connection: it is looked at then. */
  expect(deadlineMs: number): void {
    if (deadlineMs < this.deadlineMs) this.deadlineMs = deadlineMs;
  }

  /** No stream is open. */
  idle(): void {
    const { deadlines, timeouts } = this.settings;
    if (this.#draining && this.#drainDeadlineMs === Infinity) return this.#finishDrain();
    this.#idleDeadlineMs = deadlines.nowMs + timeouts.keepAliveMs;
    this.expect(this.#idleDeadlineMs);
  }

  /** A stream was opened. */
  busy(): void {
    this.#idleDeadlineMs = Infinity;
  }

  /** RFC 9113 section 6.5.3. */
  onSettingsAcknowledged(): void {
    if (!this.#toldStreams.acknowledge()) this.fatal(Http2Error.ProtocolError, 'SETTINGS acknowledged that were not sent');
    this.#settingsDeadlineMs = Infinity;
  }

  onPingAnswered(opaque: string): void {
    if (opaque === DRAIN_PING) this.#lastCall();
  }

  onStalled(): void {
    this.#writeDeadlineMs = this.settings.deadlines.nowMs + this.settings.timeouts.writeMs;
    this.expect(this.#writeDeadlineMs);
  }

  onWritten(): void {
    const socket = this.#socket;
    if (this.#closing) return;
    if (socket.writableLength > 0) this.onStalled();
    else this.#writeDeadlineMs = Infinity;
    if (socket.isPaused() && this.writer.backlog < UNREAD_BYTES) socket.resume();
    this.writer.pump();
    if (this.blocked > 0) this.#streams.drained();
  }

  onDeadline(): void {
    const { nowMs } = this.settings.deadlines;
    this.deadlineMs = Infinity;
    if (this.#closing) {
      this.#socket.destroy();
      return;
    }
    if (this.#writeDeadlineMs <= nowMs) return this.#tooSlow();
    if (this.#frameDeadlineMs <= nowMs) return this.#cut(Http2Error.ProtocolError, 'a frame did not arrive in time');
    if (this.#drainDeadlineMs <= nowMs) return this.#lastCall();
    if (this.#idleDeadlineMs <= nowMs) return this.#leaveIdle();
    if (this.#settingsDeadlineMs <= nowMs && !this.#mayAcknowledgeLater())
      return this.#cut(Http2Error.SettingsTimeout, 'SETTINGS were not acknowledged in time');
    this.expect(Math.min(this.#writeDeadlineMs, this.#frameDeadlineMs, this.#drainDeadlineMs, this.#idleDeadlineMs));
    this.expect(this.#settingsDeadlineMs);
    this.expect(this.#streams.expire(nowMs));
  }

  /** A part of what was read, to be kept. */
  owned(piece: Buffer): Buffer {
    return this.#link.owned(piece, 0, piece.length);
  }

  /** A request, or the connection, is ended because the client is too slow. */
  countCut(code: ErrorCode): void {
    this.settings.handler.onConnectionCut(code, this.facts);
  }

  /** The client does not take what was sent. */
  countSlowReader(): void {
    this.settings.countAbuse(this.facts.listener, 'slow_reader');
    this.countCut('write_timeout');
  }

  /** Memory that the next read of any connection overwrites. */
  onRead(read: Buffer, length: number): void {
    if (this.#closing) return;
    const bytes = this.#prefaceLeft === '' ? read : this.#takePreface(read.subarray(0, length));
    if (bytes === null) return;
    const error = this.#reader.feed(bytes, bytes === read ? length : bytes.length);
    if (error === Http2Error.EnhanceYourCalm) this.settings.countAbuse(this.facts.listener, 'header_block');
    if (error !== Http2Error.NoError) return this.fatal(error, this.#reader.problem);
    this.writer.pump();
    this.#expectFrame();
    if (this.writer.backlog > UNREAD_BYTES) this.#socket.pause();
  }

  /** The bytes behind the connection preface; null: it is not complete, or wrong. */
  #takePreface(chunk: Buffer): Buffer | null {
    const length = Math.min(chunk.length, this.#prefaceLeft.length);
    if (chunk.toString('latin1', 0, length) !== this.#prefaceLeft.slice(0, length)) {
      this.fatal(Http2Error.ProtocolError, 'not the preface of HTTP/2');
      return null;
    }
    this.#prefaceLeft = this.#prefaceLeft.slice(length);
    return this.#prefaceLeft === '' ? chunk.subarray(length) : null;
  }

  /** The rest of a frame that has begun has to come as soon as the rest of a request head. DATA has deadlines of its own. */
  #expectFrame(): void {
    const reader = this.#reader;
    if (!reader.midFrame || reader.inData) this.#frameDeadlineMs = Infinity;
    else if (this.#frameDeadlineMs === Infinity || reader.frames !== this.#framesSeen) {
      this.#framesSeen = reader.frames;
      this.#frameDeadlineMs = this.settings.deadlines.nowMs + this.settings.timeouts.requestHeadMs;
      this.expect(this.#frameDeadlineMs);
    }
  }

  #flood(reason: AbuseReason): void {
    this.settings.countAbuse(this.facts.listener, reason);
    this.fatal(Http2Error.EnhanceYourCalm, reason);
  }

  #tooSlow(): void {
    this.countSlowReader();
    this.#streams.failAll('write_timeout');
    this.destroy();
  }

  #cut(error: number, debug: string): void {
    this.countCut('request_timeout');
    this.fatal(error, debug, 'request_timeout');
  }

  /** What we do not read from now may be the acknowledgement. */
  #mayAcknowledgeLater(): boolean {
    if (!this.#socket.isPaused()) return false;
    this.#settingsDeadlineMs = this.settings.deadlines.nowMs + this.settings.timeouts.requestHeadMs;
    return true;
  }

  #leaveIdle(): void {
    const begun = this.#prefaceLeft !== '' && this.#prefaceLeft !== PREFACE;
    if (begun) this.#cut(Http2Error.ProtocolError, 'the preface did not arrive in time');
    else this.fatal(Http2Error.NoError, 'idle');
  }

  #announceDrain(): void {
    this.writer.write(frames.goAwayFrame(frames.MAX_WINDOW, Http2Error.NoError, '') + frames.pingFrame(DRAIN_PING, false));
    this.#drainDeadlineMs = this.settings.deadlines.nowMs + DRAIN_GRACE_MS;
    this.expect(this.#drainDeadlineMs);
  }

  /** From here on no stream is taken that is not open now. */
  #lastCall(): void {
    if (this.#drainDeadlineMs === Infinity || this.#closing) return;
    this.#drainDeadlineMs = Infinity;
    this.#streams.refuseNew();
    if (this.#streams.open === 0) return this.#finishDrain();
    this.writer.write(frames.goAwayFrame(this.#streams.lastId, Http2Error.NoError, ''));
  }

  #finishDrain(): void {
    this.fatal(Http2Error.NoError, '');
  }

  /** Half-closes and reads on for a while: closing at once could reset the connection before the client has read what was sent. */
  #linger(): void {
    this.writer.flush();
    this.#closing = true;
    this.deadlineMs = this.settings.deadlines.nowMs + this.settings.timeouts.writeMs;
    this.#socket.end(() => (this.deadlineMs = this.settings.deadlines.nowMs + LINGER_MS));
    this.#socket.resume();
  }

  /** FIN from the client: nobody waits for answers any more. */
  #left(): void {
    if (this.#closing) return;
    this.#streams.failAll('client_closed');
    this.#linger();
  }

  #gone(): void {
    this.settings.deadlines.remove(this);
    this.settings.handler.onConnectionClosed(this);
    this.#closing = true;
    this.#streams.failAll('client_closed');
  }
}
