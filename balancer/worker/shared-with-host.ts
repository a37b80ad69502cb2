// What this worker shares with the others of its host, through the controller.
import type { Clock } from '../../health/clock.ts';
import type { FilterEnvironment } from '../filter/filter.ts';
import type { FetchedKeySets } from '../filter/authenticate/key-set.ts';
import type { ControllerMessage, WorkerMessage } from '../ipc.ts';
import type { Meter } from '../telemetry/meter.ts';
import { HeldFlights } from './held-flights.ts';
import { HeldLimits } from './held-limits.ts';
import { HeldUses } from './held-uses.ts';
import { KeySets } from './key-sets.ts';
import { ToldEnds } from './told-ends.ts';

export interface SharedWithHostOptions {
  readonly clock: Clock;
  /** Nobody waits for a controller that is not there. */
  readonly isUp: () => boolean;
  readonly send: (message: WorkerMessage) => void;
  /** Of the host, as the config says. */
  readonly workers: () => number;
}

/** As filters of this worker have it. */
export interface SharedEnvironment extends Pick<FilterEnvironment, 'allowances' | 'slots' | 'flights' | 'sessionEnds' | 'oneTimeUses'> {
  readonly keySets: FetchedKeySets;
}

/** What the controller says of it. */
export type SharedMessage = Extract<
  ControllerMessage,
  {
    readonly type:
      'allowance' | 'slots_given' | 'slots_called' | 'key_set' | 'flight' | 'uses_decided' | 'session_end_kept' | 'sessions_ended';
  }
>;

export class SharedWithHost {
  readonly #keySets: KeySets;
  readonly #limits: HeldLimits;
  readonly #flights: HeldFlights;
  readonly #ends: ToldEnds;
  readonly #uses: HeldUses;
  readonly environment: SharedEnvironment;

  constructor(options: SharedWithHostOptions) {
    this.#keySets = new KeySets(options.clock, (url) => options.send({ type: 'key_wanted', url }));
    this.#limits = new HeldLimits(options);
    this.#flights = new HeldFlights(options);
    this.#ends = new ToldEnds(options);
    this.#uses = new HeldUses(options);
    const { allowances, slots } = this.#limits;
    this.environment = {
      keySets: this.#keySets,
      allowances,
      slots,
      flights: this.#flights,
      sessionEnds: this.#ends,
      oneTimeUses: this.#uses,
    };
  }

  receive(message: SharedMessage): void {
    if (message.type === 'key_set') this.#keySets.take(message);
    else if (message.type === 'flight') this.#flights.receive(message);
    else if (message.type === 'uses_decided') this.#uses.receive(message);
    else if (message.type === 'session_end_kept' || message.type === 'sessions_ended') this.#ends.receive(message);
    else this.#limits.receive(message);
  }

  /** What each new controller, and one on a new connection, has to hear. */
  standing(pid: number): readonly WorkerMessage[] {
    return [...this.#limits.standing(pid), ...this.#flights.standing(), ...this.#ends.standing(), ...this.#uses.standing()];
  }

  /** Once a second. */
  report(meter: Meter, worker: string): void {
    this.#limits.report(meter, worker);
  }

  /** The worker ends. */
  giveBack(): void {
    this.#limits.allowances.giveBack();
  }
}
