// What may be used once by all hosts of the fleet together: this host asks who keeps it, and nobody waits for what is known to be away.
import { randomUUID } from 'node:crypto';
import type { Clock, Timer } from '../../../health/clock.ts';
import type { SharedUses } from '../../store/one-time-uses.ts';

/** Between two looks whether it can be asked again. */
const LOOK_MS = 250;

export interface FleetUsesOptions {
  readonly clock: Pick<Clock, 'after'>;
  /** Connects; called once there is a route that needs it. */
  readonly open: () => SharedUses;
  readonly tell: (text: string) => void;
}

export class FleetUses {
  readonly #options: FleetUsesOptions;
  #shared: SharedUses | null = null;
  /** Null: it can be asked, as far as is known. */
  #away: Timer | null = null;
  #closed = false;

  constructor(options: FleetUsesOptions) {
    this.#options = options;
  }

  /** From the first config on that needs it. */
  start(): void {
    if (!this.#closed) this.#shared ??= this.#options.open();
  }

  async use(key: string, keepMs: number): Promise<'first' | 'repeated' | 'away'> {
    this.start();
    if (this.#shared === null || this.#away !== null) return 'away';
    try {
      return (await this.#shared.use(key, keepMs)) ? 'first' : 'repeated';
    } catch (error) {
      this.#lost(this.#shared, error);
      return 'away';
    }
  }

  close(): void {
    this.#closed = true;
    this.#away?.cancel();
    this.#shared?.close();
  }

  #lost(shared: SharedUses, error: unknown): void {
    if (this.#away !== null || this.#closed) return;
    const said = error instanceof Error ? error.message : String(error);
    this.#options.tell(`the fleet cannot be asked which signatures were used, each route does as its onUnavailable says: ${said}`);
    this.#lookAgain(shared, 0);
  }

  /** No request waits for it. */
  #lookAgain(shared: SharedUses, afterMs: number): void {
    this.#away = this.#options.clock.after(afterMs, () => {
      shared.use(`look ${randomUUID()}`, 1).then(
        () => {
          if (this.#closed) return;
          this.#away = null;
          this.#options.tell('the fleet is asked again which signatures were used');
        },
        () => {
          if (!this.#closed) this.#lookAgain(shared, LOOK_MS);
        },
      );
    });
  }
}
