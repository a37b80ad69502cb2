// The end of a worker: nothing new, what runs may finish until the deadline.
import type { Clock, Timer } from '../../health/clock.ts';
import type { DownstreamConnection } from '../message/connection.ts';
import type { Tunnel } from './tunnel.ts';

export interface Drainable {
  readonly connections: ReadonlySet<DownstreamConnection>;
  readonly tunnels: ReadonlySet<Tunnel>;
  /** Accepted connections that are open, TLS handshakes included. */
  open(): number;
  /** Stops accepting. */
  closeListeners(): void;
}

/** How often a draining worker looks whether it is empty. */
const LOOK_MS = 50;

export class Drain {
  readonly #what: Drainable;
  readonly #clock: Clock;
  readonly #untilMs: number;
  readonly #onDrained: (cut: number) => void;
  #timer: Timer | null = null;

  /** `onDrained` is called once, with the number of connections that had to be cut at the deadline. */
  constructor(what: Drainable, clock: Clock, deadlineMs: number, onDrained: (cut: number) => void) {
    this.#what = what;
    this.#clock = clock;
    this.#untilMs = clock.nowMs() + deadlineMs;
    this.#onDrained = onDrained;
  }

  start(): void {
    this.#what.closeListeners();
    for (const connection of this.#what.connections) connection.drain();
    this.#look();
  }

  /** A connection that was on its way when the listeners closed. */
  admit(connection: DownstreamConnection): void {
    connection.draining = true;
  }

  #look(): void {
    const { connections, tunnels } = this.#what;
    if (this.#what.open() === 0) return this.#onDrained(0);
    if (this.#clock.nowMs() < this.#untilMs) {
      this.#timer = this.#clock.after(LOOK_MS, () => this.#look());
      return;
    }
    const cut = this.#what.open();
    for (const tunnel of tunnels) tunnel.close();
    for (const connection of connections) connection.destroy();
    // What is cut ends a turn later, and is counted and logged then.
    this.#timer = this.#clock.after(LOOK_MS, () => this.#onDrained(cut));
  }

  close(): void {
    this.#timer?.cancel();
  }
}
