// What workers remember of recent requests, as the controller asks for it: a question by request id, and the answer of each worker.
import type { ErrorCode } from './errors.ts';
import type { ShareReason } from './steer/plan-shape.ts';
import type { AccessLogEntry } from './telemetry/access-log.ts';

/** An attempt that was followed by another one. */
export interface FailedAttempt {
  readonly version: string;
  readonly cluster: string;
  readonly endpoint: string;
  readonly code: ErrorCode;
  /** When it was given up, in milliseconds since the request began. */
  readonly untilMs: number;
}

/** What was decided for one request, and what became of it; the last attempt is in the line of the log. */
export interface RequestTrace extends AccessLogEntry {
  readonly failed: readonly FailedAttempt[];
  /** What chose the first place: assign, split, key, pin or override; empty: it never came to that. */
  readonly chosenBy: string;
  /** The plan it was chosen by. */
  readonly plan: number;
  /** Why the last place has the share it has, as of the end of the request. */
  readonly reasons: readonly ShareReason[];
}

export interface RecentQuestion {
  readonly type: 'recent_question';
  readonly question: number;
  readonly requestId: string;
}

export interface RecentAnswer {
  readonly type: 'recent_answer';
  readonly question: number;
  readonly traces: readonly RequestTrace[];
}
