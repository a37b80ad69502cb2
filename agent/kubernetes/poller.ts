// What cannot be watched is asked for again and again: one question at a time, and what was known stays with its age.
import { type Clock, pause, type Random } from '../../health/clock.ts';
import type { SourceReport } from '../protocol.ts';

export interface PolledSource {
  readonly periodMs: number;
  /** After so long without an answer it is stale. */
  readonly freshMs: number;
}

/** What became of a question: a value, nothing of the kind to be had, or no answer. */
export type Polled<T> = { readonly kind: 'value'; readonly value: T } | { readonly kind: 'absent' | 'failed'; readonly problem: string };

export class Poller<T> {
  readonly #source: PolledSource;
  readonly #ask: () => Promise<Polled<T>>;
  readonly #clock: Clock;
  readonly #random: Random;
  #value: T | null = null;
  #heardAtMs: number | null = null;
  #problem = '';
  #closed = false;

  constructor(source: PolledSource, ask: () => Promise<Polled<T>>, { clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#source = source;
    this.#ask = ask;
    this.#clock = clock;
    this.#random = random;
  }

  /** The last value; null: there is none. */
  get value(): T | null {
    return this.#value;
  }

  get problem(): string {
    return this.#problem;
  }

  report(): SourceReport {
    if (this.#heardAtMs === null) return { state: 'absent', ageMs: null };
    const ageMs = Math.round(this.#clock.nowMs() - this.#heardAtMs);
    return { state: ageMs < this.#source.freshMs ? 'fresh' : 'stale', ageMs };
  }

  start(): void {
    void this.#run();
  }

  close(): void {
    this.#closed = true;
  }

  /** Asks once, now. */
  async once(): Promise<void> {
    const polled = await this.#ask();
    if (this.#closed) return;
    if (polled.kind === 'value') {
      this.#value = polled.value;
      this.#heardAtMs = this.#clock.nowMs();
      this.#problem = '';
      return;
    }
    this.#problem = polled.problem;
    if (polled.kind === 'absent') {
      this.#value = null;
      this.#heardAtMs = null;
    }
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      await this.once();
      // Up to a tenth later, so that the agents of many clusters do not ask in step.
      if (!this.#isClosed()) await pause(this.#clock, this.#source.periodMs * (1 + this.#random() / 10), true);
    }
  }
}
