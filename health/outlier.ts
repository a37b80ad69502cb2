// Passive health: decides from the answers of real traffic when something is taken out, and for how long.
import type { Random } from './clock.ts';

export interface OutlierSettings {
  /** Failures in a row that eject. */
  readonly consecutive: number;
  /** 0 to 1: the part of the requests of a window that must fail to eject. */
  readonly ratio: number;
  /** Fewer requests than this in a window say nothing. */
  readonly minRequests: number;
  readonly windowMs: number;
  /** The n-th ejection lasts n times this. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
}

/** The window slides in this many steps, so a burst is never cut in two by a window's edge. */
const STEPS = 10;
/** The step that runs is counted apart from those before it. */
const CLOSED_STEPS = STEPS - 1;
/** Up to this part of an ejection is cut off at random, so that workers and hosts do not send the first request back together. */
const RETURN_JITTER = 0.1;

/**
 * Counts success and failure of one endpoint or target. `success` is on the path of every request: one comparison and two
 * writes, plus a step of the window when its time has come; nothing is allocated.
 */
export class OutlierDetector {
  /** When the last ejection ends; 0: there was none. */
  ejectedUntilMs = 0;
  readonly #settings: OutlierSettings;
  readonly #random: Random;
  readonly #stepMs: number;
  #stepEndsMs = 0;
  #stepRequests = 0;
  #stepFailures = 0;
  readonly #closedRequests = new Uint32Array(CLOSED_STEPS);
  readonly #closedFailures = new Uint32Array(CLOSED_STEPS);
  #oldest = 0;
  #inARow = 0;
  #timesEjected = 0;

  constructor(settings: OutlierSettings, random: Random) {
    this.#settings = settings;
    this.#random = random;
    this.#stepMs = settings.windowMs / STEPS;
  }

  success(nowMs: number): void {
    if (nowMs >= this.#stepEndsMs) this.#slide(nowMs);
    this.#inARow = 0;
    this.#stepRequests += 1;
  }

  /** How long to eject for from now; 0: stays, or is ejected already (answers that were under way count for nothing). */
  failure(nowMs: number): number {
    if (nowMs < this.ejectedUntilMs) return 0;
    if (nowMs >= this.#stepEndsMs) this.#slide(nowMs);
    this.#inARow += 1;
    this.#stepRequests += 1;
    this.#stepFailures += 1;
    return this.#inARow >= this.#settings.consecutive || this.#tooManyOfWindow() ? this.#eject(nowMs) : 0;
  }

  /** Ejects on evidence of another kind; how long for from now, 0: it is ejected already. */
  eject(nowMs: number): number {
    return nowMs < this.ejectedUntilMs ? 0 : this.#eject(nowMs);
  }

  /** Takes it out on what another one decided; a later end that is known already stays. */
  ejectFor(nowMs: number, forMs: number): void {
    this.ejectedUntilMs = Math.max(this.ejectedUntilMs, nowMs + forMs);
    this.#inARow = 0;
    this.#clearWindow();
  }

  isEjected(nowMs: number): boolean {
    return nowMs < this.ejectedUntilMs;
  }

  #tooManyOfWindow(): boolean {
    const { minRequests, ratio } = this.#settings;
    const requests = this.#stepRequests + sum(this.#closedRequests);
    return requests >= minRequests && this.#stepFailures + sum(this.#closedFailures) >= ratio * requests;
  }

  #eject(nowMs: number): number {
    const { baseEjectionMs, maxEjectionMs } = this.#settings;
    // Each base time that it stayed in since its last ejection takes one step back.
    const forgiven = Math.floor((nowMs - this.ejectedUntilMs) / baseEjectionMs);
    this.#timesEjected = Math.max(0, this.#timesEjected - forgiven) + 1;
    const fullMs = Math.min(maxEjectionMs, baseEjectionMs * this.#timesEjected);
    const forMs = fullMs * (1 - RETURN_JITTER * this.#random());
    this.ejectedUntilMs = nowMs + forMs;
    this.#inARow = 0;
    this.#clearWindow();
    return forMs;
  }

  /** Moves the window on, so that it holds nothing older than `windowMs`. */
  #slide(nowMs: number): void {
    const passed = Math.floor((nowMs - this.#stepEndsMs) / this.#stepMs) + 1;
    this.#stepEndsMs += passed * this.#stepMs;
    if (passed >= STEPS) {
      this.#clearWindow();
      return;
    }
    for (let step = 0; step < passed; step += 1) {
      this.#closedRequests[this.#oldest] = this.#stepRequests;
      this.#closedFailures[this.#oldest] = this.#stepFailures;
      this.#oldest = (this.#oldest + 1) % CLOSED_STEPS;
      this.#stepRequests = 0;
      this.#stepFailures = 0;
    }
  }

  #clearWindow(): void {
    this.#closedRequests.fill(0);
    this.#closedFailures.fill(0);
    this.#stepRequests = 0;
    this.#stepFailures = 0;
  }
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
