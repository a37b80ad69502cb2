// A client's connection as the pipeline and the drain know it, whatever HTTP version it speaks.
import type { ErrorCode } from '../errors.ts';
import type { AddressSet } from './client-address.ts';
import type { ClientCertificate } from './client-certificate.ts';
import type { DownstreamExchange } from './exchange.ts';
import type { CanonicalRequest } from './request.ts';
import type { LocalReply } from './response.ts';

/** What is the same for every request of a connection. */
export interface ConnectionFacts {
  readonly listener: string;
  readonly scheme: 'http' | 'https';
  readonly peerAddress: string;
  readonly peerTrusted: boolean;
  readonly trusted: AddressSet;
  /** Lower case, as the client named it in the TLS handshake; empty: it did not, or it is not known. */
  readonly serverName: string;
  /** Null: there is none. */
  readonly clientCertificate: ClientCertificate | null;
  readonly underscores: 'drop' | 'reject' | 'keep';
  readonly nextRequestId: () => string;
}

export interface DownstreamConnection {
  /** No request is taken beyond those that are under way. */
  draining: boolean;
  /** Ends as soon as what is under way is answered, and tells the client so. */
  drain(): void;
  /** Cuts everything off at once; no response that is under way may look complete. */
  destroy(): void;
  /** How many requests its client may have open; Infinity: as many as its listener allows. Only where a client can have several. */
  limitStreams?(limit: number): void;
}

/** Where requests go; the same for all connections of a listener. */
export interface DownstreamHandler {
  onRequest(exchange: DownstreamExchange): void;
  /** A request that could not be understood, or not be taken as it is: what to answer. Counts and logs it. */
  onBadRequest(code: ErrorCode, facts: ConnectionFacts, request?: CanonicalRequest): LocalReply;
  /** A client that was too slow: its connection, or in HTTP/2 its request, ends, whatever else it is told. Counts it. */
  onConnectionCut(code: ErrorCode, facts: ConnectionFacts): void;
  /** Exactly once for each connection. */
  onConnectionClosed(connection: DownstreamConnection): void;
}
