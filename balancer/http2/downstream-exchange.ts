// One request of an HTTP/2 connection and the sending of its response: gathered text where it is small, queued where windows are narrow.
import { UNKNOWN_LENGTH, type DownstreamExchange, type DownstreamListener } from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
import { latin1 } from '../socket/latin1.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { TunnelEnd } from '../message/tunnel.ts';
import { dataHead, DEFAULT_MAX_FRAME, headersFrames, Http2Error } from './frame.ts';
import { GATHER_BYTES, type FairWriter, type QueuedStream } from './fair-writer.ts';
import type { RequestBody } from './request-body.ts';
import type { ResponseEncoder } from './response-block.ts';
import { StreamTunnel } from './stream-tunnel.ts';
import { takeWebSocketAccept } from './websocket-handshake.ts';

const deaf: DownstreamListener = {
  onBody: () => undefined,
  onBodyEnd: () => undefined,
  onDownstreamDrain: () => undefined,
  onDownstreamFailed: () => undefined,
};

/** A DATA frame below this, cut by the window of the stream with more behind it, makes us work for nothing. */
const TINY_BYTES = 256;
/** One from this on is worth its work, and that of a tiny one beside it. */
const LARGE_BYTES = 4096;

/** The streams of the connection, as one of them sees them. */
export interface ExchangeOwner {
  blocked: number;
  nowMs(): number;
  /** A header block as it is sent on this connection. */
  blockOf(block: string): string;
  /** The client's window made a frame tiny. */
  countTiny(): void;
  /** A DATA frame was gathered. */
  sentData(large: boolean): void;
  /** A queue waits for the client to open its window. */
  expectWindow(exchange: Http2Exchange): void;
  /** All of the response was gathered. */
  finish(exchange: Http2Exchange): void;
  reset(exchange: Http2Exchange, error: number): void;
}

/** What the connection knows of a request when it begins. */
export interface ExchangeStart {
  readonly id: number;
  readonly request: CanonicalRequest;
  readonly bodyLength: number;
  readonly body: RequestBody;
  readonly expectsContinue: boolean;
  /** Of an extended CONNECT to `websocket`; empty: none. */
  readonly webSocketKey: string;
  readonly sendWindow: number;
}

export class Http2Exchange implements DownstreamExchange, QueuedStream {
  readonly request: CanonicalRequest;
  readonly bodyLength: number;
  readonly startedMs: number;
  readonly expectsContinue: boolean;
  readonly upgrade: string;
  listener: DownstreamListener = deaf;

  readonly id: number;
  readonly body: RequestBody;
  sendWindow: number;
  queuedBytes = 0;
  inLine = false;
  headSent = false;
  /** The response is complete, or will never be: the listener hears nothing more. */
  ended = false;
  /** All of it has been gathered, or the stream was reset. */
  closed = false;
  /** What a client that has not ended its side is told once the response is complete. */
  resetWith: number = Http2Error.NoError;
  /** Until when the client has to open the window for what is queued. */
  writeDeadlineMs = Infinity;
  /** The listener waits for onDownstreamDrain. */
  blocked = false;
  /** Of the writer: what has to leave before. */
  #mark = 0;

  readonly #owner: ExchangeOwner;
  readonly #writer: FairWriter;
  readonly #encoder: ResponseEncoder;
  readonly #webSocketKey: string;
  /** Header block and body of the turn, not framed yet, so that the last frame can say that it is. */
  #block = '';
  #text = '';
  #queue: Buffer[] | null = null;
  #trailers = '';
  #bodyless = false;
  /** Our side of the stream has its last bytes, gathered or queued. */
  #complete = false;
  #tunnel: StreamTunnel | null = null;

  constructor(owner: ExchangeOwner, writer: FairWriter, encoder: ResponseEncoder, start: ExchangeStart) {
    this.#owner = owner;
    this.#writer = writer;
    this.#encoder = encoder;
    this.id = start.id;
    this.request = start.request;
    this.bodyLength = start.bodyLength;
    this.body = start.body;
    this.expectsContinue = start.expectsContinue;
    this.startedMs = owner.nowMs();
    this.sendWindow = start.sendWindow;
    this.#webSocketKey = start.webSocketKey;
    this.upgrade = start.webSocketKey === '' ? '' : 'websocket';
    if (start.webSocketKey !== '') this.body.bounded = false;
  }

  readBody(): void {
    if (!this.ended) this.body.flow(this.listener);
  }

  pauseBody(): void {
    this.body.pause();
  }

  resumeBody(): void {
    this.readBody();
  }

  sendInformational(status: number, fields: Fields): void {
    if (this.headSent || this.closed || status === 101) return;
    this.#writer.write(headersFrames(this.#owner.blockOf(this.#encoder.informational(status, fields)), this.id, false, DEFAULT_MAX_FRAME));
  }

  sendHead(status: number, fields: Readonly<Fields>, bodyLength: number): void {
    this.headSent = true;
    if (this.closed) return;
    // To an extended CONNECT it would say that the tunnel is open (RFC 8441 section 5).
    const mistaken = this.upgrade !== '' && status >= 200 && status < 300;
    this.#bodyless = mistaken || this.request.method === 'HEAD' || status === 204 || status === 304;
    const tells = mistaken ? 0 : status === 204 ? UNKNOWN_LENGTH : bodyLength;
    this.#block = this.#owner.blockOf(this.#encoder.head(mistaken ? 502 : status, mistaken ? [] : fields, tells));
  }

  sendBody(chunk: Buffer): boolean {
    if (this.#bodyless || this.closed || chunk.length === 0) return !this.blocked;
    if (chunk.length <= GATHER_BYTES && this.queuedBytes === 0) {
      if (this.#text.length + chunk.length > DEFAULT_MAX_FRAME) this.#frame(false);
      this.#text += latin1(chunk, 0, chunk.length);
      return !this.blocked;
    }
    this.#frame(false);
    this.#enqueue(chunk);
    this.#writer.pump();
    this.#writer.flush();
    // What is in the socket is not copied.
    return this.#mayGoOn(!this.#writer.allWritten);
  }

  sendEnd(trailers: Fields): void {
    if (this.ended || this.#complete) return;
    this.#complete = true;
    if (this.#tunnel === null) {
      this.ended = true;
      this.body.drop();
    }
    if (trailers.length > 0 && !this.closed) this.#trailers = this.#owner.blockOf(this.#encoder.trailers(trailers));
    this.#frame(true);
    if (this.queuedBytes === 0) this.#finish();
  }

  flush(): boolean {
    this.#frame(false);
    return this.#mayGoOn(this.#writer.congested);
  }

  sendUpgrade(fields: Fields): TunnelEnd {
    const proved = takeWebSocketAccept(fields, this.#webSocketKey);
    this.headSent = true;
    const tunnel = new StreamTunnel(this);
    this.#tunnel = tunnel;
    this.listener = tunnel;
    if (!proved || this.closed) {
      this.abort();
      return tunnel;
    }
    this.#block = this.#owner.blockOf(this.#encoder.head(200, fields, UNKNOWN_LENGTH));
    this.#frame(false);
    return tunnel;
  }

  abort(error: number = Http2Error.InternalError): void {
    if (!this.closed) this.#owner.reset(this, error);
  }

  /** The client has ended its side: what is a tunnel is over if we have, too. */
  remoteEnded(): void {
    if (this.#tunnel !== null && this.#complete && this.queuedBytes === 0) this.#finish();
  }

  /** The stream is over, well or not; what is queued is dropped. */
  close(): void {
    this.closed = true;
    this.ended = true;
    this.#unblock();
    this.writeDeadlineMs = Infinity;
    this.body.drop();
    this.queuedBytes = 0;
    this.#queue = null;
    this.#text = '';
    this.#block = '';
    this.#tunnel?.closed();
  }

  /** Something has left the socket. The listener is told when none of its bytes are queued or in the socket any more. */
  drained(): void {
    if (!this.blocked || this.queuedBytes > 0 || !this.#writer.hasLeft(this.#mark)) return;
    this.#unblock();
    this.listener.onDownstreamDrain();
  }

  // --- for the writer ---

  get endsWithQueue(): boolean {
    return this.#complete && this.#trailers === '' && this.#text === '';
  }

  takePiece(most: number): Buffer {
    const queue = this.#queue ?? [];
    const first = queue[0] ?? Buffer.alloc(0);
    const piece = first.length <= most ? first : first.subarray(0, most);
    if (piece === first) queue.shift();
    else queue[0] = first.subarray(most);
    this.queuedBytes -= piece.length;
    if (piece.length < TINY_BYTES && this.queuedBytes > 0 && piece.length === this.sendWindow) this.#owner.countTiny();
    this.#owner.expectWindow(this);
    this.#owner.sentData(piece.length >= LARGE_BYTES);
    return piece;
  }

  onQueueEmpty(): void {
    this.writeDeadlineMs = Infinity;
    this.#mark = this.#writer.mark;
    if (this.#complete) this.#finish();
  }

  // --- inside ---

  /** Frames what was gathered. With `end` the last frame ends the stream, unless trailers or a queue come behind it. */
  #frame(end: boolean): void {
    const text = this.#text;
    const endsHere = end && text === '' && this.queuedBytes === 0 && this.#trailers === '';
    let frames = '';
    if (this.#block !== '') {
      frames = headersFrames(this.#block, this.id, endsHere, DEFAULT_MAX_FRAME);
      this.#block = '';
    } else if (endsHere && !this.closed) frames = dataHead(0, this.id, true);
    let queued = false;
    if (text !== '') {
      this.#text = '';
      queued = !this.#writer.take(this, text.length);
      if (!queued) {
        frames += dataHead(text.length, this.id, end && this.#trailers === '') + text;
        this.#owner.sentData(text.length >= LARGE_BYTES);
      }
    }
    if (frames !== '') this.#writer.write(frames);
    if (!queued) return;
    this.#enqueue(Buffer.from(text, 'latin1'));
    this.#writer.pump();
  }

  #enqueue(chunk: Buffer): void {
    (this.#queue ??= []).push(chunk);
    this.queuedBytes += chunk.length;
    this.#owner.expectWindow(this);
    this.#writer.enqueue(this);
  }

  /** `wait`: for the socket, though nothing is queued. */
  #mayGoOn(wait: boolean): boolean {
    if (!this.blocked && !this.closed && (wait || this.queuedBytes > 0)) {
      this.blocked = true;
      this.#owner.blocked += 1;
    }
    if (this.blocked) this.#mark = this.#writer.mark;
    return !this.blocked;
  }

  #unblock(): void {
    if (this.blocked) this.#owner.blocked -= 1;
    this.blocked = false;
  }

  #finish(): void {
    if (this.closed) return;
    if (this.#tunnel !== null && !this.body.remoteDone) return;
    if (this.#trailers !== '') this.#writer.write(headersFrames(this.#trailers, this.id, true, DEFAULT_MAX_FRAME));
    this.#owner.finish(this);
  }
}
