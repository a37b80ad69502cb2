// All limits of one edge host: what is counted, and what runs at once.
import type { Config } from '../config/config.ts';
import type { AllowanceMessage, AllowancesLeftMessage, AllowanceWantedMessage } from '../ipc-limits.ts';
import type { SlotsChangedMessage, SlotsGivenMessage, SlotsHeldMessage } from '../ipc-slots.ts';
import { FleetLimits } from './fleet/fleet-limits.ts';
import type { Edge } from './edge.ts';
import { Limits } from './limits.ts';
import { isAlive } from './process-life.ts';
import { Quotas } from './quotas.ts';
import { Slots } from './slots.ts';

/** What a worker says of limits. */
export type LimitMessage = AllowancesLeftMessage | AllowanceWantedMessage | SlotsHeldMessage | SlotsChangedMessage;

/** What it is answered. */
export type LimitAnswer = AllowanceMessage | SlotsGivenMessage;

export class HostLimits {
  readonly #counted: Limits;
  readonly #slots: Slots;
  readonly #hosts: () => number;
  readonly quotas: Quotas;
  /** Null: the host is alone. */
  readonly fleet: FleetLimits | null;

  constructor(edge: Edge) {
    const { clock, fleet, store } = edge.options;
    this.#hosts = () => edge.fleet.hosts;
    this.fleet =
      fleet === null
        ? null
        : new FleetLimits({
            ...{ clock, openCounter: fleet.openCounter, hosts: this.#hosts },
            tell: (text) => edge.events.add('fleet.news', text),
            count: (outcome) => edge.meter.counter('weir_fleet_limit_questions_total', [outcome]).add(1),
          });
    this.quotas = new Quotas({
      ...{ clock, store },
      epochOf: (limit, consumer) => edge.intent.quotaEpochs?.[consumer]?.[limit] ?? 0,
      tell: (text) => edge.events.add('controller.limits', text),
      count: (outcome) => edge.meter.counter('weir_quota_writes_total', [outcome]).add(1),
    });
    this.#counted = new Limits(() => clock.wallMs(), this.fleet, this.quotas);
    this.#slots = new Slots({ clock, isAlive, call: (worker, calls) => edge.links.tell(worker, { type: 'slots_called', calls }) });
  }

  follow(config: Pick<Config, 'limits' | 'workers'>): void {
    this.#counted.follow(config);
    this.#slots.follow(config);
  }

  hear(worker: string, message: LimitMessage, answer: (message: LimitAnswer) => void): void {
    switch (message.type) {
      case 'allowances_left':
        return this.#counted.goOnFrom(message.counters);
      case 'allowance_wanted':
        this.#counted.charge(message.charges ?? []);
        return this.#counted.grant(message.wishes, (grants) => answer({ type: 'allowance', grants, hosts: this.#hosts() }));
      case 'slots_held':
        return this.#slots.met(worker, message.pid, message.holdings);
      case 'slots_changed':
        return this.#slots.changed(worker, message.changes, (gifts) => answer({ type: 'slots_given', gifts }));
    }
  }

  /** The link of a worker is gone. */
  lost(worker: string): void {
    this.#slots.lost(worker);
  }

  close(): void {
    this.#counted.close();
    this.#slots.close();
  }
}
