// What many ask for at about the same time is done once for all of them, soon.
import type { Clock, Timer } from '../../../health/clock.ts';

/** At once when it was not done for so long, else when that time is over. */
export class Paced {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #run: () => void;
  #lastMs = -Infinity;
  #timer: Timer | null = null;

  constructor(clock: Clock, everyMs: number, run: () => void) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#run = run;
  }

  ask(): void {
    if (this.#timer !== null) return;
    const waitMs = this.#lastMs + this.#everyMs - this.#clock.nowMs();
    if (waitMs <= 0) this.#do();
    else
      this.#timer = this.#clock.after(
        waitMs,
        () => {
          this.#timer = null;
          this.#do();
        },
        true,
      );
  }

  #do(): void {
    this.#lastMs = this.#clock.nowMs();
    this.#run();
  }
}
