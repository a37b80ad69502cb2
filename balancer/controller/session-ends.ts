// Sessions that providers have ended, kept on disk for all workers of this host, whenever they come, and told to the other hosts of the fleet.
import type { Clock } from '../../health/clock.ts';
import type { EndedMark, SessionEndKeptMessage, SessionEndMessage, SessionsEndedMessage } from '../ipc-session-ends.ts';
import { EndMarks } from '../session-marks.ts';
import type { StoredMark } from '../store/session-ends.ts';
import type { Store } from '../store/store.ts';
import type { FleetMarks } from './fleet/fleet-marks.ts';

/** Marks of one message: no line is so long that it holds others up. */
const PIECE = 2000;

export interface SessionEndsOptions {
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly store: Pick<Store, 'sessionMarks' | 'putSessionMarks'>;
  /** To every worker. */
  readonly send: (message: SessionsEndedMessage) => void;
  readonly tell: (text: string) => void;
  /** Null: the host is alone. */
  readonly fleet: Pick<FleetMarks, 'say'> | null;
}

export class SessionEnds {
  readonly #options: SessionEndsOptions;
  readonly #marks = new EndMarks();
  /** What the store has not taken. */
  #unstored: readonly EndedMark[] = [];

  constructor(options: SessionEndsOptions) {
    this.#options = options;
    const { clock, store } = options;
    this.#marks.add(store.sessionMarks(clock.wallMs()), clock.wallMs());
  }

  all(): readonly StoredMark[] {
    return this.#marks.all();
  }

  /** For a worker that comes. */
  standing(): readonly SessionsEndedMessage[] {
    return piecesOf(this.#marks.all());
  }

  hear({ number, marks, once }: SessionEndMessage, answer: (message: SessionEndKeptMessage) => void): void {
    const said = (outcome: SessionEndKeptMessage['outcome']): void => answer({ type: 'session_end_kept', number, outcome });
    // Told a second time it would end sessions that began since.
    if (this.#marks.has(once)) return said(this.#store([], []) ? 'repeated' : 'away');
    const atMs = this.#options.clock.wallMs();
    const ended = marks.map((mark) => ({ ...mark, atMs }));
    const isKept = this.take(ended);
    this.#options.fleet?.say(ended);
    said(isKept ? 'ended' : 'away');
  }

  /** Whether they are on disk; they hold here in any case. */
  take(marks: readonly EndedMark[]): boolean {
    const { clock, send, tell } = this.#options;
    const { fresh, forgotten } = this.#marks.add(marks, clock.wallMs());
    if (forgotten.length > 0)
      tell(`more sessions were ended than can be remembered: ${forgotten.length} marks were forgotten, the oldest first`);
    for (const message of piecesOf(fresh)) send(message);
    return this.#store(fresh, forgotten);
  }

  #store(fresh: readonly EndedMark[], forgotten: readonly string[]): boolean {
    const { clock, store, tell } = this.#options;
    const marks = [...this.#unstored, ...fresh];
    if (marks.length === 0) return true;
    try {
      store.putSessionMarks(marks, forgotten, clock.wallMs());
      this.#unstored = [];
      return true;
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      if (this.#unstored.length === 0) tell(`that sessions were ended cannot be stored: ${said}`);
      this.#unstored = marks;
      return false;
    }
  }
}

function piecesOf(marks: readonly EndedMark[]): readonly SessionsEndedMessage[] {
  const pieces: SessionsEndedMessage[] = [];
  for (let at = 0; at < marks.length; at += PIECE) pieces.push({ type: 'sessions_ended', marks: marks.slice(at, at + PIECE) });
  return pieces;
}
