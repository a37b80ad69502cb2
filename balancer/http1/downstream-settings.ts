// What is the same for all HTTP/1.1 connections of a listener's clients.
import type { Deadlines } from '../../health/deadlines.ts';
import type { ListenerLimits, ListenerTimeouts } from '../config/config.ts';
import type { DownstreamHandler } from '../message/connection.ts';
import type { ClientSocket } from '../socket/client-socket.ts';

export interface DownstreamSettings {
  readonly timeouts: ListenerTimeouts;
  readonly limits: ListenerLimits;
  readonly handler: DownstreamHandler;
  readonly deadlines: Deadlines;
  readonly nowMs: () => number;
  readonly dateLine: () => string;
  /** Takes over a connection whose client speaks HTTP/2 without asking (RFC 9113 section 3.3); null: it is refused. */
  readonly onHttp2: ((link: ClientSocket, early: Buffer) => void) | null;
}
