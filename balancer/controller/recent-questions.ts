// Questions to all workers about one request: answered when each has said what it remembers, or is gone, or the time is over.
import type { Clock, Timer } from '../../health/clock.ts';
import type { RequestTrace } from '../ipc-recent.ts';

/** A trace with the worker that has it. */
export interface RememberedRequest extends RequestTrace {
  readonly worker: string;
}

export interface Recollection {
  readonly traces: readonly RememberedRequest[];
  /** Names of those that did not answer. */
  readonly silent: readonly string[];
}

const ANSWER_MS = 2000;

interface Open {
  readonly waiting: Set<string>;
  readonly traces: RememberedRequest[];
  readonly finish: () => void;
}

export class RecentQuestions {
  readonly #clock: Clock;
  readonly #open = new Map<number, Open>();
  #number = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ask(workers: readonly string[], send: (question: number) => void): Promise<Recollection> {
    const { promise, resolve } = Promise.withResolvers<Recollection>();
    const number = (this.#number += 1);
    const traces: RememberedRequest[] = [];
    const waiting = new Set(workers);
    const timer: Timer = this.#clock.after(ANSWER_MS, () => finish());
    const finish = (): void => {
      timer.cancel();
      this.#open.delete(number);
      resolve({ traces, silent: [...waiting] });
    };
    this.#open.set(number, { waiting, traces, finish });
    send(number);
    if (waiting.size === 0) finish();
    return promise;
  }

  answer(worker: string, question: number, traces: readonly RequestTrace[]): void {
    const open = this.#open.get(question);
    if (open?.waiting.delete(worker) !== true) return;
    open.traces.push(...traces.map((trace) => ({ ...trace, worker })));
    if (open.waiting.size === 0) open.finish();
  }
}
