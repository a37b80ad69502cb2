// Renewals as operators ask for them and follow them: the supervisor makes them, this is what is known here of the last one.
import { randomUUID } from 'node:crypto';
import type { ChildMessage, Renewal } from '../ipc-life-cycle.ts';
import type { RenewalRequest } from './api/views.ts';
import type { Caller, Outcome } from './appliance.ts';
import type { EventLog } from './events.ts';

export class Renewing {
  readonly #say: (message: ChildMessage) => void;
  readonly #events: EventLog;
  readonly #version: string;
  #last: Renewal | null = null;

  constructor(say: (message: ChildMessage) => void, events: EventLog, version: string) {
    this.#say = say;
    this.#events = events;
    this.#version = version;
  }

  /** Null: none since the host was started. */
  get last(): Renewal | null {
    return this.#last;
  }

  ask({ of, timeoutMs, endDraining = false }: RenewalRequest, caller: Caller): Outcome<{ readonly id: string }> {
    if (this.#last?.state === 'running') {
      const message = `a renewal of the ${this.#last.of} is under way; \`weir events -f\` tells when it is over`;
      return { ok: false, problem: { code: 'unsafe', message } };
    }
    const id = randomUUID();
    this.#events.add(
      'controller.renewal',
      `${caller.author.name} asks for a renewal of the ${of}${endDraining ? ', and ends those that drain' : ''}`,
    );
    this.#last = { id, of, state: 'running', problem: null, version: this.#version };
    this.#say({ type: 'renew', id, of, timeoutMs, endDraining });
    return { ok: true, value: { id } };
  }

  take(renewal: Renewal): void {
    const { state, of, version, problem } = renewal;
    const known = this.#last?.id === renewal.id && this.#last.state === state;
    this.#last = renewal;
    if (known || state === 'running') return;
    const how =
      problem === null
        ? `the ${of} ${of === 'program' ? 'is' : 'are'} renewed; weir ${version}`
        : `the ${of} could not be renewed: ${problem}`;
    this.#events.add('controller.renewal', how);
  }
}
