// The border between an HTTP version and the pipeline: one request and its response, pushed both ways with back-pressure.
import type { ErrorCode } from '../errors.ts';
import type { Fields } from './fields.ts';
import type { CanonicalRequest } from './request.ts';
import type { TunnelEnd } from './tunnel.ts';

/** Length of a body that is not known before its end. */
export const UNKNOWN_LENGTH = -1;
/** The same of a response that ends with its connection: nothing says whether all of it came. */
export const UNTIL_CLOSE = -2;

/** Gets a message body as it arrives; after `end` or `abort` nothing more comes. */
export interface BodySink {
  /** The bytes are only valid during the call; a sink that keeps them copies them. */
  onBody(chunk: Buffer): void;
  onBodyEnd(trailers: Fields): void;
}

/** What the pipeline hears about the client's side. */
export interface DownstreamListener extends BodySink {
  /** What was written has left; go on. */
  onDownstreamDrain(): void;
  /**
   * The client left, stopped sending, or broke the framing in the middle of its body. `answerable`: a response can still be
   * sent if none was begun; the connection ends after it.
   */
  onDownstreamFailed(code: ErrorCode, answerable: boolean): void;
}

/** One request of a client, and the way to answer it. Implemented by each HTTP version. */
export interface DownstreamExchange {
  readonly request: CanonicalRequest;
  /** 0: no body; UNKNOWN_LENGTH: chunked. */
  readonly bodyLength: number;
  /** When the first byte of the head was read, on the monotonic clock. */
  readonly startedMs: number;
  /** The client waits for 100 (Continue) before it sends its body. */
  readonly expectsContinue: boolean;
  /** The protocol the client asks to change to, lower case; empty: none. */
  readonly upgrade: string;
  /** Must be set before anything else happens; set by the pipeline. */
  listener: DownstreamListener;

  /** Lets the body flow to the listener. Nothing is delivered before. */
  readBody(): void;
  pauseBody(): void;
  resumeBody(): void;
  sendInformational(status: number, fields: Fields): void;
  /** `bodyLength` frames the response; for HEAD and 304 it is only told. sendEnd follows in any case. */
  sendHead(status: number, fields: Readonly<Fields>, bodyLength: number): void;
  /** False when the client reads slower than it is sent: wait for onDownstreamDrain. The bytes are not kept after the call returns true. */
  sendBody(chunk: Buffer): boolean;
  sendEnd(trailers: Fields): void;
  /** Writes out what was gathered; called when no more is to come in this turn. False: wait for onDownstreamDrain. */
  flush(): boolean;
  /** Sends 101 with these fields; the exchange is over as HTTP and the connection is one end of a tunnel. */
  sendUpgrade(fields: Fields): TunnelEnd;
  /** Ends the connection or stream so that the client sees that the response is incomplete. */
  abort(): void;
}

/** Time-outs of one exchange with an endpoint; 0: none. */
export interface AttemptTimeouts {
  readonly firstByteMs: number;
  readonly betweenBytesMs: number;
}

/** A request ready to be sent to an endpoint, whatever HTTP version it speaks. */
export interface OutgoingRequest {
  readonly request: CanonicalRequest;
  /** Of the request, as they go upstream; its id goes beside them. */
  readonly fields: Readonly<Fields>;
  /** Host field, or `:authority`. */
  readonly host: string;
  /** 0: no body; UNKNOWN_LENGTH: not known before its end. */
  readonly bodyLength: number;
  readonly expectsContinue: boolean;
  /** The protocol to change to; empty: none. */
  readonly upgrade: string;
  readonly timeouts: AttemptTimeouts;
  /** When the listener is asked once whether it wants to wait on for the head; 0: never. Below `firstByteMs`. */
  readonly tryMs: number;
  /** What the endpoint hears of the trace, beside the fields; empty: nothing. */
  readonly traceparent: string;
}

/** A connection to an endpoint that can take a request now. Implemented by each HTTP version. */
export interface UpstreamConnection {
  /** Whether it can tell of a request on its way that it was not seen (RFC 9113 section 8.7). */
  readonly tellsUnseen: boolean;
  /** Sends the head; the body, if any, follows through the exchange. */
  send(request: OutgoingRequest, listener: ResponseListener): UpstreamExchange;
}

/** A request that was sent to an endpoint, and the way to go on with it. */
export interface UpstreamExchange {
  /** False when the endpoint takes it slower than it comes: the bytes are still needed, wait for onUpstreamDrain. */
  sendBody(chunk: Buffer): boolean;
  endBody(trailers: Fields): void;
  /** Holds the response back. */
  pause(): void;
  resume(): void;
  /** Gives the exchange up; its listener hears nothing more. */
  cancel(): void;
}

/** What the pipeline hears about the endpoint's side of one attempt. */
export interface ResponseListener extends BodySink {
  onInformational(status: number, fields: Fields): void;
  /** `bodyLength` as declared, else UNKNOWN_LENGTH or UNTIL_CLOSE: of a HEAD or 304 response it is the length that is not sent; onBodyEnd follows in any case. */
  onHead(status: number, fields: Fields, bodyLength: number): void;
  /** No more to come in this turn. */
  onTurnEnd(): void;
  /** `tryMs` passed without a head. The listener cancels, or goes on waiting. */
  onLate(): void;
  /** The endpoint can take more of the request body. */
  onUpstreamDrain(): void;
  /** 101 to the protocol `upgrade`: the connection is the other end of a tunnel now. */
  onUpgrade(fields: Fields, upgrade: string, end: TunnelEnd): void;
  /** The attempt failed; before or after the head. Nothing more comes. */
  onUpstreamFailure(code: ErrorCode, detail: string): void;
}
