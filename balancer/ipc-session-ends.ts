// Sessions that were ended by their provider, as one worker hears of it and the controller keeps it for all.
import type { EndMark, SessionEnd } from './filter/login/session-ends.ts';

export interface SessionEndMessage extends SessionEnd {
  readonly type: 'session_end';
  /** Of the question, on this worker. */
  readonly number: number;
}

export interface SessionEndKeptMessage {
  readonly type: 'session_end_kept';
  readonly number: number;
  readonly outcome: 'ended' | 'repeated' | 'away';
}

export interface EndedMark extends EndMark {
  /** By the clock of the host that heard of it. */
  readonly atMs: number;
}

/** All of them to a worker that comes, in pieces, and then those that are new. */
export interface SessionsEndedMessage {
  readonly type: 'sessions_ended';
  readonly marks: readonly EndedMark[];
}
