// What workers of a host share through the controller: keys of issuers, limits, ended sessions, what may be used once, and what only one of them does at a time.
import type { Config } from '../config/config.ts';
import type { FlightLandedMessage, FlightMessage, FlightWantedMessage } from '../ipc-flights.ts';
import type { UsesDecidedMessage, UsesWantedMessage } from '../ipc-uses.ts';
import type { KeyWantedMessage } from '../ipc-keys.ts';
import type { SessionEndKeptMessage, SessionEndMessage } from '../ipc-session-ends.ts';
import { hasOneTimeUses } from '../filter/authenticate/authenticate.ts';
import { hearsOfEnds } from '../filter/login/login.ts';
import type { Edge } from './edge.ts';
import { FleetMarks } from './fleet/fleet-marks.ts';
import { FleetUses } from './fleet/fleet-uses.ts';
import { Flights } from './flights.ts';
import { HostLimits, type LimitAnswer, type LimitMessage } from './host-limits.ts';
import { keySetsOf, type KeySets } from './key-sets.ts';
import { OneTimeUses } from './one-time-uses.ts';
import { isAlive } from './process-life.ts';
import { SessionEnds } from './session-ends.ts';

/** What a worker asks of it. */
export type SharedQuestion =
  LimitMessage | KeyWantedMessage | FlightWantedMessage | FlightLandedMessage | SessionEndMessage | UsesWantedMessage;

/** What it is answered; for some in several messages, or in none. */
export type SharedAnswer = LimitAnswer | FlightMessage | SessionEndKeptMessage | UsesDecidedMessage;

export class SharedWithWorkers {
  readonly limits: HostLimits;
  readonly #keySets: KeySets;
  readonly #flights: Flights;
  readonly #ends: SessionEnds;
  readonly #uses: OneTimeUses;
  /** Null: the host is alone. */
  readonly #fleetMarks: FleetMarks | null;
  /** The same. */
  readonly #fleetUses: FleetUses | null;

  constructor(edge: Edge) {
    this.limits = new HostLimits(edge);
    this.#keySets = keySetsOf(edge);
    const { clock, store, fleet } = edge.options;
    this.#flights = new Flights({ clock, isAlive });
    const tell = (text: string): void => edge.events.add('controller.sessions', text);
    this.#fleetMarks =
      fleet === null
        ? null
        : new FleetMarks({
            clock,
            tell,
            open: fleet.openMarks,
            own: () => this.#ends.all(),
            onMarks: (marks) => void this.#ends.take(marks),
          });
    const send = edge.links.sendToAll.bind(edge.links);
    this.#ends = new SessionEnds({ clock, store, tell, send, fleet: this.#fleetMarks });
    const tellUses = (text: string): void => edge.events.add('controller.signatures', text);
    this.#fleetUses = fleet === null ? null : new FleetUses({ clock, tell: tellUses, open: fleet.openUses });
    const gauge = edge.meter.gauge('weir_signatures_remembered', []);
    this.#uses = new OneTimeUses({ clock, store, tell: tellUses, remembered: (count) => gauge.set(count), fleet: this.#fleetUses });
    edge.links.standing = () => this.#ends.standing();
  }

  follow(config: Config): void {
    this.#keySets.follow(config);
    this.limits.follow(config);
    this.#uses.follow(hasOneTimeUses(config));
    if (hearsOfEnds(config)) this.#fleetMarks?.start();
  }

  hear(worker: string, message: SharedQuestion, answer: (message: SharedAnswer) => void): void {
    switch (message.type) {
      case 'key_wanted':
        return void this.#keySets.wanted(message.url);
      case 'flight_wanted':
        return this.#flights.wanted(worker, message, answer);
      case 'flight_landed':
        return this.#flights.landed(message);
      case 'uses_wanted':
        return this.#uses.hear(message, answer);
      case 'session_end':
        return this.#ends.hear(message, answer);
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
    this.#fleetMarks?.close();
    this.#fleetUses?.close();
  }
}
