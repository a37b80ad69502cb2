// Accepted sockets of http listeners to connections of the HTTP version that the client speaks.
import type { Socket } from 'node:net';
import type { Deadlines } from '../../health/deadlines.ts';
import { Http1DownstreamConnection } from '../http1/downstream-connection.ts';
import { Http2DownstreamConnection, type Http2Settings } from '../http2/downstream-connection.ts';
import { ResponseEncoder } from '../http2/response-block.ts';
import type { Accepted } from '../listener/listener.ts';
import type { DownstreamConnection, DownstreamHandler } from '../message/connection.ts';
import { ClientSocket } from '../socket/client-socket.ts';

export interface ClientEnvironment {
  readonly deadlines: Deadlines;
  readonly nowMs: () => number;
  readonly dateLine: () => string;
  readonly nextRequestId: () => string;
  readonly countAbuse: Http2Settings['countAbuse'];
  readonly streamLimit: Http2Settings['streamLimit'];
}

export class ClientConnections {
  readonly #environment: ClientEnvironment;
  readonly #encoder: ResponseEncoder;

  constructor(environment: ClientEnvironment) {
    this.#environment = environment;
    this.#encoder = new ResponseEncoder(environment.dateLine);
  }

  /** Serves `socket`. `admit` is told of its connection, and of another one when the client turns out to speak HTTP/2. */
  begin(socket: Socket, accepted: Accepted, handler: DownstreamHandler, admit: (connection: DownstreamConnection) => void): void {
    const { listener, scheme, peerAddress, trusted, serverName, clientCertificate } = accepted;
    const { deadlines, nowMs, dateLine, nextRequestId, countAbuse, streamLimit } = this.#environment;
    const facts = {
      listener: listener.name,
      scheme,
      peerAddress,
      peerTrusted: trusted.has(peerAddress),
      trusted,
      serverName,
      clientCertificate,
      underscores: listener.headers.underscores,
      nextRequestId,
    };
    const { timeouts, limits, http2 } = listener;
    const settings = { timeouts, limits, handler, deadlines, nowMs };
    const link = new ClientSocket(socket);
    const onHttp2 = (taken: ClientSocket, early: Buffer | null): void => {
      const http2Settings = { ...settings, http2, encoder: this.#encoder, countAbuse, streamLimit };
      const connection = new Http2DownstreamConnection(taken, facts, http2Settings);
      admit(connection);
      connection.start(early);
    };
    if ('alpnProtocol' in socket && socket.alpnProtocol === 'h2') return onHttp2(link, null);
    const priorKnowledge = scheme === 'http' && http2.enabled ? onHttp2 : null;
    const connection = new Http1DownstreamConnection(link, facts, { ...settings, dateLine, onHttp2: priorKnowledge });
    admit(connection);
    connection.start();
  }
}
