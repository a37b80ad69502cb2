// What the pool of an endpoint tells an HTTP/1.1 connection, and what it hears of it.
import type { Deadlines } from '../../health/deadlines.ts';
import type { ResponseHeads } from './response-head.ts';
import type { Http1UpstreamConnection } from './upstream-connection.ts';

export interface Http1UpstreamSettings {
  /** How long the connection is kept without a request. */
  readonly keepAliveMs: number;
  readonly deadlines: Deadlines;
  /** Of the endpoint. */
  readonly heads: ResponseHeads;
}

/** What the pool hears. */
export interface Http1UpstreamOwner {
  /** The response is complete and the connection may carry another request. */
  onIdle(connection: Http1UpstreamConnection): void;
  /** Exactly once, whatever the reason. */
  onClosed(connection: Http1UpstreamConnection): void;
}
