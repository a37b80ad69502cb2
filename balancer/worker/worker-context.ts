// What every request of a worker shares.
import type { Clock } from '../../health/clock.ts';
import type { Deadlines } from '../../health/deadlines.ts';
import type { AccessLog } from '../telemetry/access-log.ts';
import type { Evidence } from './evidence.ts';
import type { BodyMemory } from './kept-body.ts';
import type { Overload } from './overload.ts';
import type { RecentRequests } from './recent-requests.ts';
import type { AnswerStats, WorkerCounters } from './stats.ts';
import type { Tracer } from './tracer.ts';
import type { Tunnel } from './tunnel.ts';

export interface WorkerContext {
  readonly clock: Clock;
  /** The clock's, ready to be handed on. */
  readonly nowMs: () => number;
  readonly deadlines: Deadlines;
  readonly evidence: Evidence;
  readonly counters: WorkerCounters;
  /** Answers to requests that matched no route. */
  readonly unrouted: AnswerStats;
  /** Null: off. */
  accessLog: AccessLog | null;
  /** Null: nothing is traced. */
  tracer: Tracer | null;
  /** Requests in work now. */
  inFlight: number;
  readonly tunnels: Set<Tunnel>;
  readonly bodyMemory: BodyMemory;
  readonly recent: RecentRequests;
  readonly overload: Overload;
}
