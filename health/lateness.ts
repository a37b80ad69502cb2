// Passive health of what does not answer in time: one slow answer says nothing, silence does, and so does a lasting part of late ones.

/** Without one timely answer in this time, what is late is dead. Longer than pauses of a healthy process last. */
const SILENCE_MS = 500;
/** A part of late answers has to last this long. */
const WINDOW_MS = 3000;
const STEPS = 6;
const STEP_MS = WINDOW_MS / STEPS;
const LATE_RATIO = 0.25;

export interface LatenessSettings {
  /** Late ones in a row, that is without a timely one in between. */
  readonly consecutive: number;
  /** Fewer requests than this in a window say nothing about a part. */
  readonly minRequests: number;
}

/**
 * Late are tries that took longer than their limit, whether they were answered in the end or not. Those of one moment are noticed
 * together, so a number in a row alone would make a short pause a failure: they must also span half a second, or be a quarter of all for
 * three seconds. `timely` is on the path of every request: a comparison and two writes.
 */
export class Lateness {
  readonly #settings: LatenessSettings;
  #lateInARow = 0;
  #silentSinceMs = 0;
  readonly #requests = new Uint32Array(STEPS);
  readonly #late = new Uint32Array(STEPS);
  #step = 0;
  #stepEndsMs = 0;

  constructor(settings: LatenessSettings) {
    this.#settings = settings;
  }

  timely(nowMs: number): void {
    if (nowMs >= this.#stepEndsMs) this.#slide(nowMs);
    this.#lateInARow = 0;
    this.#requests[this.#step] = (this.#requests[this.#step] ?? 0) + 1;
  }

  /** True when it is time to take it out; the count then begins anew. */
  late(nowMs: number): boolean {
    if (nowMs >= this.#stepEndsMs) this.#slide(nowMs);
    if (this.#lateInARow === 0) this.#silentSinceMs = nowMs;
    this.#lateInARow += 1;
    this.#requests[this.#step] = (this.#requests[this.#step] ?? 0) + 1;
    this.#late[this.#step] = (this.#late[this.#step] ?? 0) + 1;
    const silent = this.#lateInARow >= this.#settings.consecutive && nowMs - this.#silentSinceMs >= SILENCE_MS;
    if (!silent && !this.#tooManyOfWindow()) return false;
    this.#clear();
    return true;
  }

  #tooManyOfWindow(): boolean {
    const requests = sum(this.#requests);
    return requests >= this.#settings.minRequests && this.#seenThrough() && sum(this.#late) >= LATE_RATIO * requests;
  }

  /** Late ones at both ends of the window: they last. */
  #seenThrough(): boolean {
    return (this.#late[(this.#step + 1) % STEPS] ?? 0) > 0;
  }

  #slide(nowMs: number): void {
    const passed = Math.floor((nowMs - this.#stepEndsMs) / STEP_MS) + 1;
    this.#stepEndsMs += passed * STEP_MS;
    for (let step = 0; step < Math.min(passed, STEPS); step += 1) {
      this.#step = (this.#step + 1) % STEPS;
      this.#requests[this.#step] = 0;
      this.#late[this.#step] = 0;
    }
  }

  #clear(): void {
    this.#lateInARow = 0;
    this.#requests.fill(0);
    this.#late.fill(0);
  }
}

function sum(counts: Uint32Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
