// What workers of a host share through the controller: keys of issuers, limits, and what only one of them does at a time.
import type { Config } from '../config/config.ts';
import type { FlightLandedMessage, FlightMessage, FlightWantedMessage } from '../ipc-flights.ts';
import type { KeyWantedMessage } from '../ipc-keys.ts';
import type { Edge } from './edge.ts';
import { Flights } from './flights.ts';
import { HostLimits, type LimitAnswer, type LimitMessage } from './host-limits.ts';
import { keySetsOf, type KeySets } from './key-sets.ts';
import { isAlive } from './process-life.ts';

/** What a worker asks of it. */
export type SharedQuestion = LimitMessage | KeyWantedMessage | FlightWantedMessage | FlightLandedMessage;

/** What it is answered; for some in several messages, or in none. */
export type SharedAnswer = LimitAnswer | FlightMessage;

export class SharedWithWorkers {
  readonly limits: HostLimits;
  readonly #keySets: KeySets;
  readonly #flights: Flights;

  constructor(edge: Edge) {
    this.limits = new HostLimits(edge);
    this.#keySets = keySetsOf(edge);
    this.#flights = new Flights({ clock: edge.options.clock, isAlive });
  }

  follow(config: Config): void {
    this.#keySets.follow(config);
    this.limits.follow(config);
  }

  hear(worker: string, message: SharedQuestion, answer: (message: SharedAnswer) => void): void {
    switch (message.type) {
      case 'key_wanted':
        return void this.#keySets.wanted(message.url);
      case 'flight_wanted':
        return this.#flights.wanted(worker, message, answer);
      case 'flight_landed':
        return this.#flights.landed(message);
      default:
        return this.limits.hear(worker, message, answer);
    }
  }

  /** The link of a worker is gone. */
  lost(worker: string, pid: number): void {
    this.limits.lost(worker);
    this.#flights.lost(worker, pid);
  }

  close(): void {
    this.#keySets.close();
    this.limits.close();
    this.#flights.close();
  }
}
