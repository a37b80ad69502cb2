// What the pool of an endpoint tells an HTTP/2 connection, and what it hears of it.
import type { Deadlines } from '../../health/deadlines.ts';
import type { UpstreamSocket } from '../socket/upstream-socket.ts';
import type { Http2UpstreamConnection } from './upstream-connection.ts';

/** The socket it speaks on. */
export type Http2Link = Pick<UpstreamSocket, 'socket' | 'buffer' | 'secure' | 'listen'>;

export interface Http2UpstreamSettings {
  /** How long the connection is kept without a request. */
  readonly keepAliveMs: number;
  readonly deadlines: Deadlines;
  /** Requests at a time; the endpoint may allow fewer. */
  readonly streams: number;
}

/** What the pool hears. */
export interface Http2UpstreamOwner {
  /** A request is over, or the endpoint allows more of them. */
  onRoom(connection: Http2UpstreamConnection): void;
  /** It takes no further request. */
  onGoingAway(connection: Http2UpstreamConnection): void;
  /** Exactly once, whatever the reason. */
  onClosed(connection: Http2UpstreamConnection): void;
}
