// How many requests one turn of the event loop may begin when the process has more work than time, and for which priority classes. Pure but for what
// it remembers: who measures turns and who answers what is refused stand elsewhere.
import { PRIORITY_CLASSES, type PriorityClass } from '../config/config.ts';

/** What a look at the event loop found since the look before. */
export interface LoopLook {
  /** Mean milliseconds of work in a turn: what a request that has come waits at most, in the mean, until somebody looks at it. */
  readonly turnMs: number;
  /** Part of the time in which the loop had work; 0 to 1. */
  readonly utilisation: number;
  /** Requests that have come, in the mean of a turn. */
  readonly arrivedPerTurn: number;
}

/** A loop that also waits for work keeps up, however long single turns are. */
export const BUSY = 0.95;
/** Looks in a row that must find too long turns: garbage collection, a new generation, or others that take the processor for a moment make a few. */
const LOOKS_TO_BEGIN = 5;
/** Looks in a row without a refusal after which nothing is counted any more. */
const LOOKS_TO_END = 10;
/** What a turn may begin in any case: so few requests are no queue. */
const LEAST = 16;
/** Of what the loop can serve: admitted at first, and at least. With less, refusing would cost more than it helps. */
const FIRST = 0.9;
const FLOOR = 0.85;
/** How far one look moves the rate: down as what waits grows; up slowly, because it has to be found out. */
const DOWN = 0.95;
const UP = 1.05;
/** With fewer of the requests refused, what came is what was served. */
const FEW = 0.05;
/** Time for which requests may be saved up. */
const MOST_MS = 200;
/** Of the newest turn in the mean of what comes in a turn. */
const NEWEST = 0.2;

export const classIndex = (priorityClass: PriorityClass): number => PRIORITY_CLASSES.indexOf(priorityClass);

export class AdmissionLimit {
  /** While false nobody has to ask. */
  active = false;
  readonly #targetMs: number;
  /** Requests in a millisecond: what may begin, and what the loop served when it last served all. */
  #rate = 0;
  #capacity = 0;
  #longLooks = 0;
  #quietLooks = 0;
  /** Since the last look. */
  #asked = 0;
  #refused = 0;
  /** By class, the highest first: what came in this turn, what comes in a turn, what may still begin in this one. */
  readonly #arrived = PRIORITY_CLASSES.map(() => 0);
  readonly #usual = PRIORITY_CLASSES.map(() => 0);
  readonly #left = PRIORITY_CLASSES.map(() => 0);

  /** `targetMs`: how long a turn may be in the mean; 0: any length. */
  constructor(targetMs: number) {
    this.#targetMs = targetMs;
  }

  /** Requests a second may begin; Infinity while there is no overload. */
  get perSecond(): number {
    return this.active ? this.#rate * 1000 : Infinity;
  }

  /** Whether a request of this class, by its index, may begin in this turn. The highest class always may. */
  admits(index: number): boolean {
    this.#asked += 1;
    this.#arrived[index] = (this.#arrived[index] ?? 0) + 1;
    const left = this.#left[index] ?? 0;
    if (index === 0) return true;
    if (left >= 1) {
      this.#left[index] = left - 1;
      return true;
    }
    this.#refused += 1;
    return false;
  }

  /** A turn is over: what the next one may begin of each class is what higher ones usually leave of the limit. */
  endTurn(sinceLastMs: number): void {
    // By the time that passed, not by turn: one in which many requests come together is followed by others that only pass on their answers.
    let rest = Math.max(LEAST, this.#rate * Math.min(sinceLastMs, MOST_MS));
    for (let index = 0; index < this.#arrived.length; index += 1) {
      const usual = this.#usual[index] ?? 0;
      const now = usual + ((this.#arrived[index] ?? 0) - usual) * NEWEST;
      this.#usual[index] = now;
      this.#arrived[index] = 0;
      // Less than one request is kept for the turn after it.
      this.#left[index] = Math.min(this.#left[index] ?? 0, 1) + rest;
      rest = Math.max(0, rest - now);
    }
  }

  /** Called at a steady pace, about ten times a second. */
  look({ turnMs, utilisation, arrivedPerTurn }: LoopLook): void {
    const long = utilisation >= BUSY && turnMs > this.#targetMs && this.#targetMs > 0;
    const perMs = arrivedPerTurn / turnMs;
    if (!this.active) {
      this.#longLooks = long ? this.#longLooks + 1 : 0;
      if (this.#longLooks >= LOOKS_TO_BEGIN) this.#begin(perMs);
      return;
    }
    if (long) {
      // Whatever was admitted was too much, or what waited is still being worked off.
      if (this.#refused <= this.#asked * FEW) this.#capacity = perMs;
      this.#rate = Math.max(this.#rate * DOWN, this.#capacity * FLOOR);
    } else if (this.#refused > 0) {
      this.#rate *= UP;
      this.#capacity = Math.max(this.#capacity, this.#rate);
    }
    this.#quietLooks = this.#refused > 0 || long ? 0 : this.#quietLooks + 1;
    this.#asked = this.#refused = 0;
    if (this.#quietLooks >= LOOKS_TO_END) this.#end();
  }

  #begin(perMs: number): void {
    this.active = true;
    this.#quietLooks = this.#asked = this.#refused = 0;
    this.#capacity = perMs;
    this.#rate = perMs * FIRST;
    this.#usual.fill(0);
    this.#left.fill(LEAST);
  }

  #end(): void {
    this.active = false;
    this.#longLooks = 0;
  }
}
