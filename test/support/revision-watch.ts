// Looks again and again at the revision that a host serves by: it must never go down.
import { setTimeout as delay } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import type { Appliance } from './appliance.ts';

const LOOK_MS = 25;

export class RevisionWatch {
  readonly #host: Appliance;
  readonly #back: string[] = [];
  #highest = 0;
  #running = true;
  readonly #ended: Promise<void>;

  /** Begins at once, and ends with the test. */
  constructor(t: Pick<TestContext, 'after'>, host: Appliance) {
    this.#host = host;
    this.#ended = this.#run();
    t.after(() => this.stop());
  }

  /** `41 after 42`, of each time that it went back. */
  async stop(): Promise<readonly string[]> {
    this.#running = false;
    await this.#ended;
    return this.#back;
  }

  async #run(): Promise<void> {
    while (this.#running) {
      // Its controller may be away.
      const revision = await this.#host.status().then(
        (status) => status.revision,
        () => this.#highest,
      );
      if (revision < this.#highest) this.#back.push(`${revision} after ${this.#highest}`);
      this.#highest = Math.max(this.#highest, revision);
      await delay(LOOK_MS);
    }
  }
}
