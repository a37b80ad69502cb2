// One request of an HTTP/1.1 connection and the writing of its response: gathered text, one write per turn.
import { UNKNOWN_LENGTH, type DownstreamExchange, type DownstreamListener } from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { TunnelEnd } from '../message/tunnel.ts';
import type { Http1DownstreamConnection } from './downstream-connection.ts';
import { latin1 } from '../socket/latin1.ts';
import type { ReadBuffer } from '../socket/read-buffer.ts';
import type { RequestHead } from './request-head.ts';
import { fieldLines, informationalText, lastChunkText, responseHeadText } from './serialize.ts';

/** Pieces up to this size are copied into the text that is written at once; larger ones are written as they are. */
export const GATHER_BYTES = 8192;

const deaf: DownstreamListener = {
  onBody: () => undefined,
  onBodyEnd: () => undefined,
  onDownstreamDrain: () => undefined,
  onDownstreamFailed: () => undefined,
};

export class Http1Exchange implements DownstreamExchange {
  readonly request: CanonicalRequest;
  readonly bodyLength: number;
  readonly startedMs: number;
  readonly expectsContinue: boolean;
  readonly upgrade: string;
  listener: DownstreamListener = deaf;

  /** No later request may follow on this connection. */
  close: boolean;
  bodyDone: boolean;
  /** The listener wants the body and is not paused. */
  bodyFlows = false;
  headSent = false;
  ended = false;

  readonly #connection: Http1DownstreamConnection;
  readonly #http10: boolean;
  readonly #keepAlive10: boolean;
  #gathered = '';
  #chunked = false;
  #bodyless = false;
  #blocked = false;
  /** Where the last of a large body lies, until it has been taken. */
  #memory: ReadBuffer | null = null;

  constructor(connection: Http1DownstreamConnection, head: RequestHead, request: CanonicalRequest, startedMs: number) {
    this.#connection = connection;
    this.request = request;
    this.startedMs = startedMs;
    const { block, method } = head;
    this.#http10 = head.minor === 0;
    this.#keepAlive10 = block.keepAlive && !block.close;
    this.close = block.close || (this.#http10 && !block.keepAlive);
    this.bodyLength = block.chunked ? UNKNOWN_LENGTH : Math.max(0, block.contentLength);
    this.bodyDone = this.bodyLength === 0;
    this.expectsContinue = block.expect === '100-continue' && !this.#http10 && !this.bodyDone;
    const mayUpgrade = block.connectionUpgrade && block.upgrade === 'websocket' && method === 'GET' && !this.#http10 && this.bodyDone;
    this.upgrade = mayUpgrade ? block.upgrade : '';
  }

  readBody(): void {
    this.bodyFlows = true;
    this.#giveBack();
    this.#connection.continueBody();
  }

  pauseBody(): void {
    this.bodyFlows = false;
    this.#connection.holdBody();
  }

  resumeBody(): void {
    if (!this.bodyFlows) this.readBody();
  }

  /** All of the body has been read, to this memory; null: it is not to be given to others. */
  leaveMemory(memory: ReadBuffer | null): void {
    this.#memory = memory;
    if (this.bodyFlows) this.#giveBack();
  }

  #giveBack(): void {
    this.#memory?.giveBack();
    this.#memory = null;
  }

  sendInformational(status: number, fields: Fields): void {
    // An HTTP/1.0 client would take it for the response (RFC 9110 section 15.2).
    if (!this.#http10 && !this.headSent) this.#connection.write(informationalText(status, fields));
  }

  sendHead(status: number, fields: Readonly<Fields>, bodyLength: number): void {
    this.headSent = true;
    // An early answer: what is left of the request body will not be read, so nothing can follow on this connection.
    if (!this.bodyDone || this.#connection.draining) this.close = true;
    this.#bodyless = this.request.method === 'HEAD' || status === 204 || status === 304;
    const unknown = bodyLength === UNKNOWN_LENGTH;
    this.#chunked = unknown && !this.#http10 && !this.#bodyless;
    if (unknown && this.#http10 && !this.#bodyless) this.close = true;
    const connectionLine = this.close ? 'connection: close\r\n' : this.#http10 && this.#keepAlive10 ? 'connection: keep-alive\r\n' : '';
    const framing = { length: bodyLength, chunked: this.#chunked, tellsLength: status !== 204, connectionLine };
    this.#gathered = responseHeadText(status, fields, framing, this.#connection.dateLine);
  }

  sendBody(chunk: Buffer): boolean {
    if (this.#bodyless || chunk.length === 0) return !this.#blocked;
    if (this.#chunked) this.#gathered += `${chunk.length.toString(16)}\r\n`;
    if (chunk.length <= GATHER_BYTES) {
      this.#gathered += latin1(chunk, 0, chunk.length);
      if (this.#chunked) this.#gathered += '\r\n';
      if (this.#gathered.length > GATHER_BYTES * 4) this.flush();
    } else {
      const before = this.#gathered;
      this.#gathered = this.#chunked ? '\r\n' : '';
      if (!this.#connection.writeLarge(before, chunk)) this.#blocked = true;
    }
    return !this.#blocked;
  }

  sendEnd(trailers: Fields): void {
    if (this.ended) return;
    this.ended = true;
    if (this.#chunked) this.#gathered += lastChunkText(trailers);
    this.flush();
    this.#connection.finish(this);
  }

  flush(): boolean {
    if (this.#gathered !== '') {
      const text = this.#gathered;
      this.#gathered = '';
      if (!this.#connection.write(text)) this.#blocked = true;
    }
    return !this.#blocked;
  }

  /** The socket has taken all that was written. */
  drained(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.listener.onDownstreamDrain();
  }

  sendUpgrade(fields: Fields): TunnelEnd {
    this.headSent = true;
    this.ended = true;
    return this.#connection.becomeTunnel(
      `HTTP/1.1 101 Switching Protocols\r\n${fieldLines(fields)}connection: upgrade\r\nupgrade: ${this.upgrade}\r\n\r\n`,
    );
  }

  abort(): void {
    this.ended = true;
    this.#connection.destroy();
  }
}
