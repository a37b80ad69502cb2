// A steady load of GETs on an appliance: counts what was answered and names what was not.
import { Agent } from 'node:http';
import { exchange, type Appliance } from './appliance.ts';

export interface LoadOptions {
  /** Each asks one request after the other. */
  readonly clients: number;
  /** Each keeps its connection; otherwise every request comes on one of its own. */
  readonly keepAlive: boolean;
  readonly path?: string;
}

export class Load {
  /** Answered with a status below 500. */
  answered = 0;
  /** What went wrong with the others, in the order it did. */
  readonly failures: string[] = [];
  #running = true;
  readonly #clients: readonly Promise<void>[];

  /** Begins at once. */
  constructor(appliance: Appliance, { clients, keepAlive, path = '/' }: LoadOptions) {
    const url = new URL(path, appliance.url());
    this.#clients = Array.from({ length: clients }, () => this.#client(url, keepAlive));
  }

  /** Ends when the requests under way are answered. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#clients);
  }

  async #client(url: URL, keepAlive: boolean): Promise<void> {
    const agent = keepAlive ? new Agent({ keepAlive: true, maxSockets: 1 }) : false;
    while (this.#running) {
      try {
        const { status, body } = await exchange(url, { agent });
        if (status < 500) this.answered += 1;
        else this.failures.push(`${status} ${body}`);
      } catch (error) {
        this.failures.push(String(error));
      }
    }
    if (agent !== false) agent.destroy();
  }
}
