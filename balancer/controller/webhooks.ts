// The webhooks of a host, as its config names them: made anew where one changes, so that what waits for the others goes on waiting.
import { randomBytes } from 'node:crypto';
import { systemClock } from '../../health/clock.ts';
import { sameJson } from '../config/canonical-json.ts';
import type { Config } from '../config/config.ts';
import type { WebhookConfig } from '../config/telemetry-config.ts';
import { readSecret } from '../secret.ts';
import type { Meter } from '../telemetry/meter.ts';
import type { EventLog } from './events.ts';
import { Webhook } from './webhook.ts';

export class Webhooks {
  readonly #events: EventLog;
  readonly #meter: Meter;
  readonly #instance = randomBytes(8).toString('hex');
  readonly #hooks = new Map<string, { readonly config: WebhookConfig; readonly hook: Webhook }>();
  readonly #unsubscribe: () => void;

  constructor(events: EventLog, meter: Meter) {
    this.#events = events;
    this.#meter = meter;
    this.#unsubscribe = events.subscribe((event) => {
      for (const { hook } of this.#hooks.values()) hook.add(event);
    });
  }

  follow({ events: { webhooks }, hostName }: Config): void {
    const wanted = new Map(webhooks.map((config) => [config.name, config]));
    for (const [name, { config, hook }] of this.#hooks) {
      if (sameJson(config, wanted.get(name) ?? null)) continue;
      this.#hooks.delete(name);
      void hook.close();
    }
    for (const [name, config] of wanted)
      if (!this.#hooks.has(name)) this.#hooks.set(name, { config, hook: this.#create(config, hostName) });
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    await Promise.all([...this.#hooks.values()].map(({ hook }) => hook.close()));
  }

  #create(config: WebhookConfig, host: string): Webhook {
    const { secret, name } = config;
    return new Webhook(config, {
      ...{ clock: systemClock, random: Math.random, host, instance: this.#instance },
      readSecret: () => (secret === null ? null : readSecret(secret)),
      count: (outcome) => this.#meter.counter('weir_webhook_events_total', [name, outcome]).add(1),
      tell: (problem) => this.#events.add('events.undelivered', problem),
    });
  }
}
