// The listeners of a worker: brought to a new config as a whole, or not at all.
import type { Clock } from '../../health/clock.ts';
import type { ListenerConfig } from '../config/config.ts';
import { Listener, type ListenerEnvironment, type ListenerHooks } from '../listener/listener.ts';
import type { Log } from '../log.ts';

export class ListenerSet {
  readonly #hooks: ListenerHooks;
  readonly #environment: ListenerEnvironment;
  #ticketKey: Buffer | null = null;
  #listeners: readonly Listener[] = [];
  /** Left the config, but connections of them are still open. */
  #leaving: readonly Listener[] = [];

  constructor(hooks: ListenerHooks, clock: Clock, log: Log) {
    this.#hooks = hooks;
    this.#environment = { clock, log, ticketKey: () => this.#ticketKey };
  }

  get all(): readonly Listener[] {
    return this.#listeners;
  }

  /** Connections that are open, TLS handshakes and those of listeners that are gone included. */
  get open(): number {
    this.#leaving = this.#leaving.filter(({ isOver }) => !isOver);
    return [...this.#listeners, ...this.#leaving].reduce((sum, { connections }) => sum + connections, 0);
  }

  /** Opens what is new before it closes what is gone. On failure everything is as before, and the error names the listener. */
  async apply(configs: readonly ListenerConfig[]): Promise<void> {
    const opened: Listener[] = [];
    const next: Listener[] = [];
    const updates: (() => void)[] = [];
    try {
      for (const config of configs) {
        const present = this.#listeners.find((listener) => listener.name === config.name && listener.accepts(config));
        if (present !== undefined) {
          next.push(present);
          updates.push(present.prepare(config));
          continue;
        }
        const listener = new Listener(config, this.#hooks, this.#environment);
        await listener.start();
        opened.push(listener);
        next.push(listener);
      }
      for (const update of updates) update();
    } catch (error) {
      // Whoever has connected to them by now is accepted, and answered by what was there before, if anything.
      this.#leaving = [...this.#leaving, ...opened];
      await Promise.all(opened.map((listener) => listener.close()));
      throw error;
    }
    const gone = this.#listeners.filter((listener) => !next.includes(listener));
    for (const listener of gone) void listener.close();
    this.#leaving = [...this.#leaving, ...gone].filter(({ isOver }) => !isOver);
    this.#listeners = next;
  }

  /** The key of session tickets from now on. */
  setTicketKey(key: Buffer): void {
    this.#ticketKey = key;
    for (const listener of this.#listeners) listener.renewTicketKey();
  }

  /** Accepts what waits, and nothing more. Resolves when all are closed. */
  async close(): Promise<void> {
    await Promise.all([...this.#listeners, ...this.#leaving].map((listener) => listener.close()));
  }
}
