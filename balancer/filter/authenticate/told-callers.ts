// How callers proved themselves and who they were, as metrics tell it: by names of the config, and of these no more than metrics can hold.
import type { Identity } from '../../message/identity.ts';
import type { Counter, Meter } from '../../telemetry/meter.ts';
import type { Consumers } from './consumers.ts';

const CODE_CLASSES = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

export class ToldCallers {
  readonly #meter: Meter;
  readonly #route: string;
  readonly #consumers: Consumers;
  readonly #outcomes = new Map<string, Counter>();
  readonly #answers = new Map<string, readonly Counter[]>();

  constructor(meter: Meter, route: string, consumers: Consumers) {
    this.#meter = meter;
    this.#route = route;
    this.#consumers = consumers;
  }

  /** The name of a method that proved it, or why nothing did. */
  outcome(name: string): void {
    let counter = this.#outcomes.get(name);
    if (counter === undefined) {
      counter = this.#meter.counter('weir_authentications_total', [this.#route, name]);
      this.#outcomes.set(name, counter);
    }
    counter.add(1);
  }

  /** A method has proved who it is. */
  proved(identity: Identity): void {
    this.outcome(identity.method);
    this.#consumers.noteUse(identity);
  }

  /** `status` 0: closed without an answer. */
  answered({ consumer }: Identity, status: number): void {
    if (consumer === '') return;
    const label = this.#consumers.isTold(consumer) ? consumer : 'others';
    let counters = this.#answers.get(label);
    if (counters === undefined) {
      counters = CODE_CLASSES.map((codeClass) => this.#meter.counter('weir_consumer_requests_total', [label, codeClass]));
      this.#answers.set(label, counters);
    }
    counters[Math.floor(status / 100)]?.add(1);
  }
}
