// Sessions that providers have ended, as this worker was told; what it hears itself goes to the controller until that has it.
import type { Clock, Timer } from '../../health/clock.ts';
import type { EndOutcome, SessionEnd, SessionEnds } from '../filter/login/session-ends.ts';
import type { SessionEndKeptMessage, SessionEndMessage, SessionsEndedMessage } from '../ipc-session-ends.ts';
import { EndMarks } from '../session-marks.ts';

/** The longest that a provider waits to hear that it is kept. */
const PATIENCE_MS = 3000;
/** Of those that no controller has taken yet; a provider asks again for what is forgotten here. */
const MOST_PENDING = 1000;

interface Pending {
  readonly message: SessionEndMessage;
  readonly resolve: (outcome: EndOutcome) => void;
  readonly timer: Timer;
}

export interface ToldEndsOptions {
  readonly clock: Pick<Clock, 'after' | 'wallMs'>;
  readonly send: (message: SessionEndMessage) => void;
}

export class ToldEnds implements SessionEnds {
  readonly #options: ToldEndsOptions;
  readonly #marks = new EndMarks();
  readonly #pending = new Map<number, Pending>();
  #number = 0;

  constructor(options: ToldEndsOptions) {
    this.#options = options;
  }

  endedMs(key: string): number {
    return this.#marks.atMs(key);
  }

  end(end: SessionEnd): Promise<EndOutcome> {
    const { clock, send } = this.#options;
    const { promise, resolve } = Promise.withResolvers<EndOutcome>();
    const number = (this.#number += 1);
    const message: SessionEndMessage = { type: 'session_end', number, ...end };
    // It stays for the next controller, whatever the provider is told by then.
    this.#pending.set(number, { message, resolve, timer: clock.after(PATIENCE_MS, () => resolve('away'), true) });
    const [oldest] = this.#pending.keys();
    if (this.#pending.size > MOST_PENDING && oldest !== undefined) this.#settle(oldest, 'away');
    send(message);
    return promise;
  }

  receive(message: SessionEndKeptMessage | SessionsEndedMessage): void {
    if (message.type === 'sessions_ended') this.#marks.add(message.marks, this.#options.clock.wallMs());
    else this.#settle(message.number, message.outcome);
  }

  /** What each new controller has to hear: it may not have it. */
  standing(): readonly SessionEndMessage[] {
    return [...this.#pending.values()].map(({ message }) => message);
  }

  #settle(number: number, outcome: EndOutcome): void {
    const pending = this.#pending.get(number);
    this.#pending.delete(number);
    pending?.timer.cancel();
    pending?.resolve(outcome);
  }
}
