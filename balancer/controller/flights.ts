// Which worker of this host does what only one may do at a time; what came of it is kept for a moment for those that want the same.
import type { Clock, Timer } from '../../health/clock.ts';
import type { FlightLandedMessage, FlightMessage, FlightWantedMessage } from '../ipc-flights.ts';

/** A worker that lives and has not landed by then never will. */
const FLIGHT_MS = 15_000;
/** Between two looks whether a worker whose link is gone still runs. */
const LOOK_MS = 50;
/** The longest that anything is remembered. */
const MOST_KEPT_MS = 60_000;
/** Of all that is remembered; beyond, what came first is forgotten. */
const MOST_CHARACTERS = 16 * 1024 * 1024;

type Answer = (message: FlightMessage) => void;

interface Flight {
  worker: string;
  waiting: { readonly worker: string; readonly answer: Answer }[];
  timer: Timer;
}

interface Landed {
  readonly text: string;
  readonly untilMs: number;
}

export interface FlightsOptions {
  readonly clock: Clock;
  readonly isAlive: (pid: number) => boolean;
}

export class Flights {
  readonly #options: FlightsOptions;
  readonly #flights = new Map<string, Flight>();
  readonly #landed = new Map<string, Landed>();
  readonly #looks = new Map<string, Timer>();
  #characters = 0;

  constructor(options: FlightsOptions) {
    this.#options = options;
  }

  wanted(worker: string, { key, flies }: FlightWantedMessage, answer: Answer): void {
    const running = this.#flights.get(key);
    if (flies) {
      if (running === undefined) this.#begin(key, worker);
      return;
    }
    const landed = this.#landed.get(key);
    if (landed !== undefined && landed.untilMs > this.#options.clock.nowMs())
      return answer({ type: 'flight', key, state: 'landed', text: landed.text });
    if (running === undefined) {
      this.#begin(key, worker);
      return answer({ type: 'flight', key, state: 'yours', text: '' });
    }
    running.waiting.push({ worker, answer });
    answer({ type: 'flight', key, state: 'running', text: '' });
  }

  /** Whoever did it: a worker that did not wait any longer may come down first. */
  landed({ key, text, keepMs }: FlightLandedMessage): void {
    const flight = this.#flights.get(key);
    this.#flights.delete(key);
    flight?.timer.cancel();
    if (keepMs > 0 && text !== '') this.#keep(key, { text, untilMs: this.#options.clock.nowMs() + Math.min(keepMs, MOST_KEPT_MS) });
    for (const { answer } of flight?.waiting ?? []) answer({ type: 'flight', key, state: 'landed', text });
  }

  /** Its link is gone. What it does goes on unless the process has ended. */
  lost(worker: string, pid: number): void {
    for (const flight of this.#flights.values()) flight.waiting = flight.waiting.filter((wait) => wait.worker !== worker);
    this.#look(worker, pid);
  }

  close(): void {
    for (const timer of this.#looks.values()) timer.cancel();
    for (const { timer } of this.#flights.values()) timer.cancel();
    this.#flights.clear();
  }

  #look(worker: string, pid: number): void {
    this.#looks.get(worker)?.cancel();
    this.#looks.delete(worker);
    const own = [...this.#flights].filter(([, flight]) => flight.worker === worker);
    if (own.length === 0) return;
    if (!this.#options.isAlive(pid)) return own.forEach(([key, flight]) => this.#next(key, flight));
    this.#looks.set(
      worker,
      this.#options.clock.after(LOOK_MS, () => this.#look(worker, pid), true),
    );
  }

  #begin(key: string, worker: string): void {
    const flight: Flight = { worker, waiting: [], timer: this.#timer(key) };
    this.#flights.set(key, flight);
  }

  #timer(key: string): Timer {
    return this.#options.clock.after(
      FLIGHT_MS,
      () => {
        const flight = this.#flights.get(key);
        if (flight !== undefined) this.#next(key, flight);
      },
      true,
    );
  }

  /** Whoever waited first does it now. */
  #next(key: string, flight: Flight): void {
    flight.timer.cancel();
    const next = flight.waiting.shift();
    if (next === undefined) return void this.#flights.delete(key);
    flight.worker = next.worker;
    flight.timer = this.#timer(key);
    next.answer({ type: 'flight', key, state: 'yours', text: '' });
  }

  #keep(key: string, landed: Landed): void {
    this.#forget(key);
    this.#landed.set(key, landed);
    this.#characters += landed.text.length;
    const nowMs = this.#options.clock.nowMs();
    for (const [other, { untilMs }] of this.#landed) {
      if (untilMs > nowMs && this.#characters <= MOST_CHARACTERS) return;
      this.#forget(other);
    }
  }

  #forget(key: string): void {
    this.#characters -= this.#landed.get(key)?.text.length ?? 0;
    this.#landed.delete(key);
  }
}
