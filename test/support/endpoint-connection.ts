// Our side of an HTTP/2 connection to an endpoint, on a socket in memory: the test is the endpoint, and says frame by frame what it likes.
import { Http2UpstreamConnection } from '../../balancer/http2/upstream-connection.ts';
import type { Http2Link } from '../../balancer/http2/upstream-owner.ts';
import type { ResponseListener, UpstreamExchange } from '../../balancer/message/exchange.ts';
import type { Fields } from '../../balancer/message/fields.ts';
import { ReadBuffer } from '../../balancer/socket/read-buffer.ts';
import type { Deadlines } from '../../health/deadlines.ts';
import { MemorySocket } from './memory-socket.ts';
import { aRequest } from './request.ts';

/** What came of a request. */
export interface Asked {
  readonly exchange: UpstreamExchange;
  /** 0: no head yet. */
  status: number;
  body: string;
  trailers: Fields | null;
  /** Code of the catalogue; empty: none. */
  failed: string;
  /** How often it was told that it is over. */
  ends: number;
}

export interface AskOptions {
  /** 0: none; -1: not known, to be sent by the test. */
  readonly bodyLength?: number;
}

export class EndpointConnection {
  readonly connection: Http2UpstreamConnection;
  readonly socket = new MemorySocket();
  /** How often it has said that it takes no more, and that it is over. */
  readonly told = { goingAway: 0, closed: 0 };
  constructor(deadlines: Deadlines) {
    const { socket, told } = this;
    const link: Http2Link = { socket, buffer: new ReadBuffer(false), secure: false, listen: () => undefined };
    this.connection = new Http2UpstreamConnection(
      link,
      { keepAliveMs: 60_000, deadlines, streams: 100 },
      { onRoom: () => undefined, onGoingAway: () => (told.goingAway += 1), onClosed: () => (told.closed += 1) },
    );
  }

  /** Bytes of the endpoint. */
  feed(bytes: string): void {
    if (this.socket.destroyed || bytes === '') return;
    this.connection.onRead(Buffer.from(bytes, 'latin1'), bytes.length);
  }

  ask({ bodyLength = 0 }: AskOptions = {}): Asked {
    const asked: Omit<Asked, 'exchange'> = { status: 0, body: '', trailers: null, failed: '', ends: 0 };
    const listener: ResponseListener = {
      onInformational: () => undefined,
      onHead: (status) => (asked.status = status),
      onBody: (chunk) => (asked.body += chunk.toString('latin1')),
      onBodyEnd: (trailers) => {
        asked.trailers = trailers;
        asked.ends += 1;
      },
      onTurnEnd: () => undefined,
      onUpstreamDrain: () => undefined,
      onLate: () => undefined,
      onUpgrade: () => undefined,
      onUpstreamFailure: (code) => {
        asked.failed = code;
        asked.ends += 1;
      },
    };
    const method = bodyLength === 0 ? 'GET' : 'POST';
    const timeouts = { firstByteMs: 0, betweenBytesMs: 0 };
    const request = aRequest({ method });
    const outgoing = {
      request,
      fields: request.fields,
      host: 'shop.example',
      bodyLength,
      expectsContinue: false,
      upgrade: '',
      timeouts,
      tryMs: 0,
      traceparent: '',
    };
    return Object.assign(asked, { exchange: this.connection.send(outgoing, listener) });
  }
}
