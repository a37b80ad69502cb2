// The end of a worker: nothing new, what runs may finish until the deadline.
import type { Clock, Timer } from '../../health/clock.ts';
import type { DownstreamConnection } from '../message/connection.ts';
import type { Tunnel } from './tunnel.ts';

export interface Drainable {
  readonly connections: ReadonlySet<DownstreamConnection>;
  readonly tunnels: ReadonlySet<Tunnel>;
  /** Accepted connections that are open, TLS handshakes included. */
  open(): number;
  /** Accepts what waits, and nothing more. Resolves when that is so. */
  closeListeners(): Promise<void>;
  /** Both ends of a tunnel are told, and it closes. */
  leave(tunnel: Tunnel): void;
}

/** How often a draining worker looks whether it is empty. */
const LOOK_MS = 50;
/** Clients that are told come anew at once, when no other worker's port may be just closing; a busy one takes a tenth of a second for that. */
const TELL_AFTER_MS = 150;
/** However long the ports take to close: what runs needs the rest of the time. */
const TELLING_PART = 0.25;
/**
 * Tunnels that can be told to leave do so evenly over this last part of the time, so that their clients do not all come anew at once. The others have
 * all of it.
 */
const LEAVING_PART = 0.25;

export class Drain {
  readonly #what: Drainable;
  readonly #clock: Clock;
  readonly #leaveFromMs: number;
  readonly #tellWithinMs: number;
  #untilMs: number;
  readonly #onDrained: (cut: number) => void;
  /** Tunnels there were when the last part of the time began; null: it has not begun. */
  #toLeave: number | null = null;
  #left = 0;
  #closed = false;
  #told = false;
  #ending = false;
  #timer: Timer | null = null;

  /** `onDrained` is called once, with the number of connections that had to be cut at the deadline. */
  constructor(what: Drainable, clock: Clock, deadlineMs: number, onDrained: (cut: number) => void) {
    this.#what = what;
    this.#clock = clock;
    this.#untilMs = clock.nowMs() + deadlineMs;
    this.#leaveFromMs = this.#untilMs - deadlineMs * LEAVING_PART;
    this.#tellWithinMs = deadlineMs * TELLING_PART;
    this.#onDrained = onDrained;
  }

  start(): void {
    this.#timer = this.#clock.after(LOOK_MS, () => this.#look());
    this.#clock.after(this.#tellWithinMs, () => this.#tellConnections());
    void this.#what.closeListeners().then(() => {
      this.#closed = true;
      if (this.#ending) return;
      if (this.#what.open() > 0) return void this.#clock.after(TELL_AFTER_MS, () => this.#tellConnections());
      this.#timer?.cancel();
      this.#look();
    });
  }

  /** It has no longer than this from now on. */
  hasten(deadlineMs: number): void {
    this.#untilMs = Math.min(this.#untilMs, this.#clock.nowMs() + deadlineMs);
  }

  /** A connection that was on its way when the listeners closed. */
  admit(connection: DownstreamConnection): void {
    connection.draining = true;
  }

  #look(): void {
    const { connections, tunnels } = this.#what;
    if (this.#closed && this.#what.open() === 0) return this.#end(0);
    const nowMs = this.#clock.nowMs();
    if (nowMs < this.#untilMs) {
      this.#leaveSome(nowMs);
      this.#timer = this.#clock.after(LOOK_MS, () => this.#look());
      return;
    }
    this.#ending = true;
    const cut = this.#what.open();
    for (const tunnel of tunnels) tunnel.close();
    for (const connection of connections) connection.destroy();
    // What is cut ends a turn later, and is counted and logged then.
    this.#timer = this.#clock.after(LOOK_MS, () => this.#onDrained(cut));
  }

  #end(cut: number): void {
    this.#ending = true;
    this.#onDrained(cut);
  }

  #tellConnections(): void {
    if (this.#told) return;
    this.#told = true;
    for (const connection of this.#what.connections) connection.drain();
  }

  /** Whatever of the time is over, so much of the tunnels has left. */
  #leaveSome(nowMs: number): void {
    if (nowMs < this.#leaveFromMs) return;
    const staying = [...this.#what.tunnels].filter(({ leaving, canBeTold }) => canBeTold && !leaving);
    this.#toLeave ??= staying.length;
    const due = Math.ceil((this.#toLeave * (nowMs - this.#leaveFromMs)) / (this.#untilMs - this.#leaveFromMs));
    for (const tunnel of staying.slice(0, Math.max(0, due - this.#left))) {
      this.#left += 1;
      this.#what.leave(tunnel);
    }
  }

  close(): void {
    this.#timer?.cancel();
  }
}
