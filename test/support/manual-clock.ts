// A clock that stands still until a test moves it: due timers run in order, each at its own time.
import type { Clock, Timer } from '../../health/clock.ts';

interface Entry {
  readonly dueMs: number;
  /** Timers of the same time run in the order they were set in. */
  readonly order: number;
  readonly run: () => void;
}

export class ManualClock implements Clock {
  #nowMs: number;
  readonly #wallOffsetMs: number;
  readonly #timers = new Set<Entry>();
  #order = 0;

  /** `wallMs` is the wall time at the start. */
  constructor(nowMs = 0, wallMs = Date.parse('2026-11-21T10:00:00.000Z')) {
    this.#nowMs = nowMs;
    this.#wallOffsetMs = wallMs - nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs + this.#wallOffsetMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const entry: Entry = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#timers.add(entry);
    return { cancel: () => this.#timers.delete(entry) };
  }

  /** Timers that wait; 0 after a clean close. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time on and runs what falls due on the way, what those timers set included. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#due(untilMs); next !== null; next = this.#due(untilMs)) this.#fire(next);
    this.#nowMs = untilMs;
  }

  /** Time passes in which nothing runs; what has fallen due comes late, with the next move. */
  standStill(ms: number): void {
    this.#nowMs += ms;
  }

  /** As `advance`, and lets promises that a timer settled run before time goes on. */
  async elapse(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settled();
    for (let next = this.#due(untilMs); next !== null; next = this.#due(untilMs)) {
      this.#fire(next);
      await settled();
    }
    this.#nowMs = untilMs;
  }

  #fire(entry: Entry): void {
    this.#timers.delete(entry);
    this.#nowMs = Math.max(this.#nowMs, entry.dueMs);
    entry.run();
  }

  #due(untilMs: number): Entry | null {
    let first: Entry | null = null;
    for (const entry of this.#timers) {
      if (entry.dueMs > untilMs) continue;
      if (first === null || entry.dueMs < first.dueMs || (entry.dueMs === first.dueMs && entry.order < first.order)) first = entry;
    }
    return first;
  }
}

/** Every promise that could settle without waiting for the outside has settled by then. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
