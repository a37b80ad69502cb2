// What this worker has in hand of all limits, and what it and the controller tell each other of it.
import type { Clock } from '../../health/clock.ts';
import type { ControllerMessage, WorkerMessage } from '../ipc.ts';
import type { Meter } from '../telemetry/meter.ts';
import { HeldAllowances } from './held-allowances.ts';
import { HeldSlots } from './held-slots.ts';

export interface HeldLimitsOptions {
  readonly clock: Clock;
  /** Nobody waits for a controller that is not there. */
  readonly isUp: () => boolean;
  readonly send: (message: WorkerMessage) => void;
  /** Of the host, as the config says. */
  readonly workers: () => number;
}

export class HeldLimits {
  readonly allowances: HeldAllowances;
  readonly slots: HeldSlots;
  /** Names of limits whose requests at once were told. */
  readonly #told = new Set<string>();

  constructor({ send, ...options }: HeldLimitsOptions) {
    this.allowances = new HeldAllowances({
      ...options,
      ask: (wishes, charges) => send({ type: 'allowance_wanted', wishes, ...(charges.length === 0 ? {} : { charges }) }),
    });
    this.slots = new HeldSlots({ ...options, tell: (changes) => send({ type: 'slots_changed', changes }) });
  }

  /** What each new controller, and one on a new connection, has to hear. */
  standing(pid: number): readonly WorkerMessage[] {
    return [
      { type: 'allowances_left', counters: this.allowances.startOver() },
      { type: 'slots_held', pid, holdings: this.slots.startOver() },
    ];
  }

  receive(message: Extract<ControllerMessage, { readonly type: 'allowance' | 'slots_given' | 'slots_called' }>): void {
    if (message.type === 'allowance') this.allowances.receive(message.grants, message.hosts);
    else if (message.type === 'slots_given') this.slots.receive(message.gifts);
    else this.slots.called(message.calls);
  }

  /** Requests that run now, by limit. */
  report(meter: Meter, worker: string): void {
    const counts = this.slots.counts();
    for (const limit of counts.keys()) this.#told.add(limit);
    for (const limit of this.#told) meter.gauge('weir_limit_requests_at_once', [limit, worker]).set(counts.get(limit) ?? 0);
  }
}
