// The supervisor whose place this one takes, as seen from here: it has started this process and passes on what the host holds.
import {
  decodePredecessorMessage,
  SUCCESSION_PROTOCOL,
  SUCCESSION_VARIABLE,
  type SuccessorMessage,
  type TakeOver,
} from './ipc-succession.ts';

export interface PredecessorHooks {
  /** All that the one before had is free. */
  onTakeOver(message: TakeOver): void;
  /** The one before goes on, or died before it passed anything on. */
  onGiveUp(): void;
  /** It has fewer workers than before. */
  onDraining(): void;
  /** It has left. */
  onGone(): void;
}

export class Predecessor {
  /** What it passed on; null: nothing yet. */
  taken: TakeOver | null = null;
  #gone = false;
  #draining: number | null = null;

  get gone(): boolean {
    return this.#gone;
  }

  /** How many workers of it, and of those before it, drain yet. One of another release may not tell: then those that it had. */
  get draining(): number {
    return this.#gone || this.taken === null ? 0 : (this.#draining ?? this.taken.workers.length);
  }

  start(hooks: PredecessorHooks): void {
    process.on('message', (value: unknown) => {
      const message = decodePredecessorMessage(value);
      if (message?.type === 'give_up') hooks.onGiveUp();
      else if (message?.type === 'draining') {
        this.#draining = message.workers;
        hooks.onDraining();
      } else if (message !== null && this.taken === null) {
        this.taken = message;
        hooks.onTakeOver(message);
      }
    });
    process.once('disconnect', () => {
      this.#gone = true;
      // With all of it in hand it needs nothing more from the one before.
      if (this.taken === null) hooks.onGiveUp();
      else hooks.onGone();
    });
  }

  /** `done`: when it has left this process. */
  tell(message: SuccessorMessage, done: () => void = () => undefined): void {
    if (process.connected) process.send?.(message, undefined, undefined, done);
    else done();
  }

  /** Its channel would keep this process alive. */
  leave(): void {
    if (process.connected) process.disconnect?.();
  }
}

/** Null: nobody is to be succeeded. The children of this process must not take themselves for successors. */
export function findPredecessor(): Predecessor | 'unknown protocol' | null {
  const protocol = process.env[SUCCESSION_VARIABLE];
  Reflect.deleteProperty(process.env, SUCCESSION_VARIABLE);
  if (protocol === undefined || process.send === undefined) return null;
  return protocol === SUCCESSION_PROTOCOL ? new Predecessor() : 'unknown protocol';
}
