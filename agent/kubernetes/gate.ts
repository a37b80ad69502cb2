// One server, many readers: when it is away they wait together, and come back one after the other.
import { BackOff } from '../../health/back-off.ts';
import { type Clock, pause, type Random } from '../../health/clock.ts';

const BACK_OFF = { baseMs: 500, maxMs: 30_000, jitter: 0.5 };
/** When the wait is over, readers come within this: never all at once, and no later than a person would notice. */
const SPREAD_MS = 1000;

/**
 * Failures of the server itself close it for all readers. Several that fail of one cause count once: as long as it is closed another failure
 * says nothing new.
 */
export class ServerGate {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #backOff: BackOff;
  #opensAtMs = -Infinity;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
    this.#backOff = new BackOff(BACK_OFF, random);
  }

  /** Whether the server answers, as far as is known. */
  get isOpen(): boolean {
    return this.#clock.nowMs() >= this.#opensAtMs;
  }

  /** Settles when a reader may ask again; at once while nothing is wrong. */
  async pass(): Promise<void> {
    while (!this.isOpen) await pause(this.#clock, this.#opensAtMs - this.#clock.nowMs() + this.#random() * SPREAD_MS, true);
  }

  /** The server did not answer, or asked to be left alone. */
  failed(retryAfterMs: number | null): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs < this.#opensAtMs && retryAfterMs === null) return;
    this.#opensAtMs = Math.max(this.#opensAtMs, nowMs + Math.max(this.#backOff.nextMs(), retryAfterMs ?? 0));
  }

  /** The server answered. */
  answered(): void {
    this.#backOff.reset();
  }
}
