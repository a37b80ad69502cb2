// Flights of this worker: it asks the controller whether another one is on the way already, and never waits longer than the other may take.
import type { Clock, Timer } from '../../health/clock.ts';
import type { HostFlights, Landing } from '../filter/login/host-flights.ts';
import type { FlightMessage, FlightLandedMessage, FlightWantedMessage } from '../ipc-flights.ts';

/** The longest to hear who flies, from a controller that is there. */
const PATIENCE_MS = 1000;
/** The longest that another worker is waited for: above what a question to a provider takes, twice over. */
const FLIGHT_MS = 15_000;

interface Wait {
  readonly resolve: (told: Told) => void;
  timer: Timer;
}

/** `alone`: nobody said anything in time. */
type Told = { readonly state: 'yours' | 'alone' } | { readonly state: 'landed'; readonly text: string };

const ALONE: Told = { state: 'alone' };

export interface HeldFlightsOptions {
  readonly clock: Pick<Clock, 'after'>;
  /** Nobody waits for a controller that is not there. */
  readonly isUp: () => boolean;
  readonly send: (message: FlightWantedMessage | FlightLandedMessage) => void;
}

export class HeldFlights implements HostFlights {
  readonly #options: HeldFlightsOptions;
  /** Once for all requests of this worker. */
  readonly #running = new Map<string, Promise<string>>();
  readonly #waits = new Map<string, Wait>();
  readonly #flying = new Set<string>();

  constructor(options: HeldFlightsOptions) {
    this.#options = options;
  }

  fly(key: string, work: () => Promise<Landing>): Promise<string> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const flight = this.#fly(key, work).finally(() => this.#running.delete(key));
    this.#running.set(key, flight);
    return flight;
  }

  /** What the controller says. */
  receive({ key, state, text }: FlightMessage): void {
    const wait = this.#waits.get(key);
    if (wait === undefined) return;
    wait.timer.cancel();
    if (state === 'running') {
      wait.timer = this.#options.clock.after(FLIGHT_MS, () => this.#settle(key, ALONE), true);
      return;
    }
    this.#settle(key, state === 'yours' ? { state } : { state, text });
  }

  /** There is another controller, or the same on a new connection: what is under way here, and what is waited for. */
  standing(): readonly FlightWantedMessage[] {
    const flies = [...this.#flying].map((key) => ({ type: 'flight_wanted', key, flies: true }) as const);
    return [...flies, ...[...this.#waits.keys()].map((key) => ({ type: 'flight_wanted', key, flies: false }) as const)];
  }

  async #fly(key: string, work: () => Promise<Landing>): Promise<string> {
    const told = this.#options.isUp() ? await this.#ask(key) : ALONE;
    if (told.state === 'landed') return told.text;
    this.#flying.add(key);
    let landing: Landing = { text: '', keepMs: 0 };
    try {
      landing = await work();
      return landing.text;
    } finally {
      this.#flying.delete(key);
      this.#options.send({ type: 'flight_landed', key, ...landing });
    }
  }

  #ask(key: string): Promise<Told> {
    const { promise, resolve } = Promise.withResolvers<Told>();
    this.#waits.set(key, { resolve, timer: this.#options.clock.after(PATIENCE_MS, () => this.#settle(key, ALONE), true) });
    this.#options.send({ type: 'flight_wanted', key, flies: false });
    return promise;
  }

  #settle(key: string, told: Told): void {
    const wait = this.#waits.get(key);
    this.#waits.delete(key);
    wait?.timer.cancel();
    wait?.resolve(told);
  }
}
