// Bytes to frames (RFC 9113 sections 4 and 6): cut anywhere, checked in themselves, handed on without waiting for whole DATA frames.
import { latin1 } from '../socket/latin1.ts';
import { Flag, FRAME_HEAD_BYTES, FrameType, Http2Error } from './frame.ts';

/** Who gets the frames. Whether a frame may come at all now, and on that stream, is the sink's to judge. */
export interface FrameSink {
  /**
   * A piece of the payload of a DATA frame, valid during the call. `flowBytes` is what it takes from the flow-control windows; padding
   * is counted with the last piece of its frame, which may be empty. `endStream` is told with the last piece.
   */
  onData(streamId: number, piece: Buffer, flowBytes: number, endStream: boolean): void;
  /** A whole header block, CONTINUATIONs included. */
  onHeaders(streamId: number, block: string, endStream: boolean): void;
  onRstStream(streamId: number, error: number): void;
  /** `payload` holds settings of six bytes each. */
  onSettings(payload: string, ack: boolean): void;
  onPing(opaque: string, ack: boolean): void;
  onGoAway(lastStreamId: number, error: number, debug: string): void;
  /** `increment` may be 0, which is an error of the stream or connection. */
  onWindowUpdate(streamId: number, increment: number): void;
  /** PRIORITY, PRIORITY_UPDATE, or a type nobody knows: without effect, and counted by whoever fears a flood. */
  onIgnored(type: number, streamId: number): void;
}

export interface FrameLimits {
  /** SETTINGS_MAX_FRAME_SIZE as told to the peer. */
  readonly maxFrame: number;
  /** Bytes of one header block as sent. */
  readonly maxBlock: number;
  readonly maxContinuations: number;
}

const EMPTY = Buffer.alloc(0);
const PRIORITY_BYTES = 5;
/** What a reader is in the middle of. */
const Mode = { Head: 0, Payload: 1, Data: 2, Skip: 3, PadLength: 4 } as const;

/** Reads the frames of one direction of a connection. After an error it must not be fed again. */
export class FrameReader {
  /** What was wrong, for the debug data of GOAWAY; empty: nothing. */
  problem = '';
  /** Frames that have begun so far. */
  frames = 0;
  readonly #sink: FrameSink;
  readonly #limits: FrameLimits;
  #mode: number = Mode.Head;
  #stopped = false;
  /** Bytes of a frame head or of the payload of a frame other than DATA that is not here in full. */
  #held: Buffer = EMPTY;
  #heldLength = 0;
  readonly #headBytes = Buffer.allocUnsafe(FRAME_HEAD_BYTES);
  #length = 0;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Of a DATA frame, or of one that is skipped: bytes still to come, padding not counted. */
  #left = 0;
  #padding = 0;
  /** Padding with the byte that tells its length: flow-controlled, told with the last piece. */
  #overhead = 0;
  /** Of what is read now. */
  #end = 0;
  /** The header block that is being collected; its stream is 0 when there is none. */
  #block = '';
  #blockStream = 0;
  #blockEndsStream = false;
  #continuations = 0;

  constructor(sink: FrameSink, limits: FrameLimits) {
    this.#sink = sink;
    this.#limits = limits;
  }

  /** Nothing more is handed on, not even from the chunk that is being read. */
  stop(): void {
    this.#stopped = true;
  }

  /** True in the middle of a frame or of a header block: an end of the connection here is a cut. */
  get midFrame(): boolean {
    return this.#mode !== Mode.Head || this.#heldLength > 0 || this.#blockStream !== 0;
  }

  /** True in the middle of the payload of a DATA frame. */
  get inData(): boolean {
    return this.#type === FrameType.Data && this.#mode !== Mode.Head;
  }

  /** Reads `chunk` up to `end`. Returns Http2Error.NoError, or the error the connection has to end with. */
  feed(chunk: Buffer, end = chunk.length): number {
    let at = 0;
    this.#end = end;
    while (at < end && !this.#stopped) {
      if (this.#mode === Mode.Head) {
        at = this.#readHead(chunk, at);
        if (at < 0) break;
        const error = this.#begin();
        if (error !== Http2Error.NoError) return error;
        if (!this.#wholePayload(end - at)) continue;
        const payloadAt = at;
        at += this.#length;
        const wrong = this.#dispatch(chunk, payloadAt, at);
        if (wrong !== Http2Error.NoError) return wrong;
      } else if (this.#mode === Mode.Payload) {
        at = this.#collect(chunk, at, this.#length);
        if (this.#heldLength < this.#length) break;
        const payload = this.#held;
        this.#held = EMPTY;
        this.#heldLength = 0;
        const wrong = this.#dispatch(payload, 0, payload.length);
        if (wrong !== Http2Error.NoError) return wrong;
      } else if (this.#mode === Mode.PadLength) {
        const error = this.#takePadLength(chunk[at] ?? 0);
        if (error !== Http2Error.NoError) return error;
        at += 1;
      } else {
        at = this.#mode === Mode.Data ? this.#takeData(chunk, at) : this.#skip(at);
      }
    }
    return Http2Error.NoError;
  }

  /** Takes a frame head apart; -1: it is not here in full, and the part that is is held. */
  #readHead(chunk: Buffer, at: number): number {
    let bytes = chunk;
    let from = at;
    let next = at + FRAME_HEAD_BYTES;
    if (this.#heldLength > 0 || this.#end - at < FRAME_HEAD_BYTES) {
      this.#held = this.#headBytes;
      next = this.#collect(chunk, at, FRAME_HEAD_BYTES);
      if (this.#heldLength < FRAME_HEAD_BYTES) return -1;
      bytes = this.#headBytes;
      from = 0;
      this.#held = EMPTY;
      this.#heldLength = 0;
    }
    this.#length = ((bytes[from] ?? 0) << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0);
    this.#type = bytes[from + 3] ?? 0;
    this.#flags = bytes[from + 4] ?? 0;
    this.#streamId = uint31(bytes, from + 5);
    return next;
  }

  /** True when the payload of a frame other than DATA is among the next `available` bytes; else it is collected from now on. */
  #wholePayload(available: number): boolean {
    if (this.#mode !== Mode.Payload) return false;
    if (available >= this.#length) return true;
    this.#held = Buffer.allocUnsafe(this.#length);
    return false;
  }

  #collect(chunk: Buffer, at: number, whole: number): number {
    const take = Math.min(whole - this.#heldLength, this.#end - at);
    chunk.copy(this.#held, this.#heldLength, at, at + take);
    this.#heldLength += take;
    return at + take;
  }

  /** Judges a frame by its head and sets the mode its payload is read in. A frame without payload is over here when it is DATA. */
  #begin(): number {
    this.frames += 1;
    const length = this.#length;
    if (length > this.#limits.maxFrame) return this.#wrong(Http2Error.FrameSizeError, 'frame larger than SETTINGS_MAX_FRAME_SIZE');
    if (this.#blockStream !== 0 && (this.#type !== FrameType.Continuation || this.#streamId !== this.#blockStream))
      return this.#wrong(Http2Error.ProtocolError, 'header block interrupted by another frame');
    if (this.#type !== FrameType.Data) {
      if (this.#type > FrameType.Continuation) {
        this.#left = length;
        this.#mode = length === 0 ? Mode.Head : Mode.Skip;
        this.#sink.onIgnored(this.#type, this.#streamId);
        return Http2Error.NoError;
      }
      this.#mode = Mode.Payload;
      return this.#checkHead();
    }
    if (this.#streamId === 0) return this.#wrong(Http2Error.ProtocolError, 'DATA on stream 0');
    this.#left = length;
    this.#padding = 0;
    this.#overhead = 0;
    if ((this.#flags & Flag.Padded) !== 0) {
      if (length === 0) return this.#wrong(Http2Error.FrameSizeError, 'padded DATA without pad length');
      this.#mode = Mode.PadLength;
    } else if (length === 0) this.#sink.onData(this.#streamId, EMPTY, 0, (this.#flags & Flag.EndStream) !== 0);
    else this.#mode = Mode.Data;
    return Http2Error.NoError;
  }

  /** Stream and size of a frame that is not DATA, before its payload is waited for. */
  #checkHead(): number {
    const onStream = this.#streamId !== 0;
    const length = this.#length;
    switch (this.#type) {
      case FrameType.PushPromise:
        // Clients must not, and servers were told not to (RFC 9113 sections 6.6 and 8.4).
        return this.#wrong(Http2Error.ProtocolError, 'PUSH_PROMISE');
      case FrameType.Headers:
      case FrameType.Continuation:
        return onStream ? Http2Error.NoError : this.#wrong(Http2Error.ProtocolError, 'header block on stream 0');
      case FrameType.Priority:
        if (!onStream) return this.#wrong(Http2Error.ProtocolError, 'PRIORITY on stream 0');
        return length === PRIORITY_BYTES ? Http2Error.NoError : this.#wrong(Http2Error.FrameSizeError, 'PRIORITY is not 5 bytes long');
      case FrameType.RstStream:
        if (!onStream) return this.#wrong(Http2Error.ProtocolError, 'RST_STREAM on stream 0');
        return length === 4 ? Http2Error.NoError : this.#wrong(Http2Error.FrameSizeError, 'RST_STREAM is not 4 bytes long');
      case FrameType.WindowUpdate:
        return length === 4 ? Http2Error.NoError : this.#wrong(Http2Error.FrameSizeError, 'WINDOW_UPDATE is not 4 bytes long');
      case FrameType.Settings:
        if (onStream) return this.#wrong(Http2Error.ProtocolError, 'SETTINGS on a stream');
        if ((this.#flags & Flag.Ack) !== 0 && length !== 0) return this.#wrong(Http2Error.FrameSizeError, 'SETTINGS ack with a payload');
        return length % 6 === 0 ? Http2Error.NoError : this.#wrong(Http2Error.FrameSizeError, 'SETTINGS is no multiple of 6 bytes long');
      case FrameType.Ping:
        if (onStream) return this.#wrong(Http2Error.ProtocolError, 'PING on a stream');
        return length === 8 ? Http2Error.NoError : this.#wrong(Http2Error.FrameSizeError, 'PING is not 8 bytes long');
      default:
        if (onStream) return this.#wrong(Http2Error.ProtocolError, 'GOAWAY on a stream');
        return length >= 8 ? Http2Error.NoError : this.#wrong(Http2Error.FrameSizeError, 'GOAWAY is shorter than 8 bytes');
    }
  }

  /** A frame that is not DATA, with its payload in `bytes` from `at` to `end`. */
  #dispatch(bytes: Buffer, at: number, end: number): number {
    this.#mode = Mode.Head;
    const sink = this.#sink;
    const ack = (this.#flags & Flag.Ack) !== 0;
    switch (this.#type) {
      case FrameType.Headers:
        return this.#beginBlock(bytes, at, end);
      case FrameType.Continuation:
        return this.#continueBlock(latin1(bytes, at, end));
      case FrameType.Priority:
        sink.onIgnored(FrameType.Priority, this.#streamId);
        break;
      case FrameType.RstStream:
        sink.onRstStream(this.#streamId, uint32(bytes, at));
        break;
      case FrameType.WindowUpdate:
        sink.onWindowUpdate(this.#streamId, uint31(bytes, at));
        break;
      case FrameType.Settings:
        sink.onSettings(latin1(bytes, at, end), ack);
        break;
      case FrameType.Ping:
        sink.onPing(latin1(bytes, at, end), ack);
        break;
      default:
        sink.onGoAway(uint31(bytes, at), uint32(bytes, at + 4), latin1(bytes, at + 8, end));
    }
    return Http2Error.NoError;
  }

  /** HEADERS: padding and priority are taken off, which must leave at least nothing. */
  #beginBlock(bytes: Buffer, at: number, end: number): number {
    let from = at;
    let to = end;
    if ((this.#flags & Flag.Padded) !== 0) {
      if (from >= end) return this.#wrong(Http2Error.FrameSizeError, 'padded header block without pad length');
      to -= bytes[from] ?? 0;
      from += 1;
    }
    if ((this.#flags & Flag.Priority) !== 0) {
      if (end - from < PRIORITY_BYTES) return this.#wrong(Http2Error.FrameSizeError, 'HEADERS without the priority it announces');
      from += PRIORITY_BYTES;
    }
    if (from > to) return this.#wrong(Http2Error.ProtocolError, 'padding is longer than the frame');
    const endStream = (this.#flags & Flag.EndStream) !== 0;
    if (to - from > this.#limits.maxBlock) return this.#wrong(Http2Error.EnhanceYourCalm, 'header block too large');
    const fragment = latin1(bytes, from, to);
    if ((this.#flags & Flag.EndHeaders) !== 0) {
      this.#sink.onHeaders(this.#streamId, fragment, endStream);
      return Http2Error.NoError;
    }
    this.#block = fragment;
    this.#blockStream = this.#streamId;
    this.#blockEndsStream = endStream;
    this.#continuations = 0;
    return Http2Error.NoError;
  }

  #continueBlock(fragment: string): number {
    if (this.#blockStream === 0) return this.#wrong(Http2Error.ProtocolError, 'CONTINUATION without HEADERS');
    this.#continuations += 1;
    if (this.#continuations > this.#limits.maxContinuations) return this.#wrong(Http2Error.EnhanceYourCalm, 'too many CONTINUATIONs');
    if (this.#block.length + fragment.length > this.#limits.maxBlock)
      return this.#wrong(Http2Error.EnhanceYourCalm, 'header block too large');
    this.#block += fragment;
    if ((this.#flags & Flag.EndHeaders) === 0) return Http2Error.NoError;
    const block = this.#block;
    const streamId = this.#blockStream;
    this.#block = '';
    this.#blockStream = 0;
    this.#sink.onHeaders(streamId, block, this.#blockEndsStream);
    return Http2Error.NoError;
  }

  #takePadLength(padding: number): number {
    // Padding may fill the frame behind its own length, and no more (RFC 9113 section 6.1).
    if (padding >= this.#left) return this.#wrong(Http2Error.ProtocolError, 'padding is longer than the frame');
    this.#padding = padding;
    this.#overhead = padding + 1;
    this.#left -= padding + 1;
    this.#mode = Mode.Data;
    if (this.#left === 0) this.#endData(EMPTY);
    return Http2Error.NoError;
  }

  #takeData(chunk: Buffer, at: number): number {
    const take = Math.min(this.#left, this.#end - at);
    this.#left -= take;
    const piece = at === 0 && take === chunk.length ? chunk : chunk.subarray(at, at + take);
    const next = at + take;
    if (this.#left > 0) this.#sink.onData(this.#streamId, piece, take, false);
    // Padding that is here already is told with the piece before it.
    else if (this.#padding <= this.#end - next) {
      const padding = this.#padding;
      this.#padding = 0;
      this.#endData(piece);
      return next + padding;
    } else {
      this.#sink.onData(this.#streamId, piece, take, false);
      this.#left = this.#padding;
      this.#mode = Mode.Skip;
    }
    return next;
  }

  /** The last piece of a DATA frame; padding that is still to come is skipped first. */
  #endData(piece: Buffer): void {
    if (this.#padding > 0) {
      this.#left = this.#padding;
      this.#mode = Mode.Skip;
      return;
    }
    this.#mode = Mode.Head;
    const flowBytes = piece.length + this.#overhead;
    this.#sink.onData(this.#streamId, piece, flowBytes, (this.#flags & Flag.EndStream) !== 0);
  }

  #skip(at: number): number {
    const take = Math.min(this.#left, this.#end - at);
    this.#left -= take;
    if (this.#left === 0) {
      this.#mode = Mode.Head;
      this.#padding = 0;
      if (this.#type === FrameType.Data) this.#endData(EMPTY);
    }
    return at + take;
  }

  #wrong(error: number, problem: string): number {
    this.problem = problem;
    this.#stopped = true;
    return error;
  }
}

function uint31(bytes: Buffer, at: number): number {
  return (((bytes[at] ?? 0) & 0x7f) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}

function uint32(bytes: Buffer, at: number): number {
  return uint31(bytes, at) + ((bytes[at] ?? 0) & 0x80) * 0x100_0000;
}
