// Changes that are asked for without pause, and which of them were acknowledged: those must be there whatever happens to the processes.
import type { ListView, RevisionView } from '../../balancer/controller/api/views.ts';
import { createAdminClient, type AdminClient } from '../../tui/client.ts';

interface Acknowledged {
  readonly revision: number;
  readonly reason: string;
}

const PAGE = 500;

export class Changer {
  readonly #socketPath: string;
  readonly #name: string;
  readonly #all: Acknowledged[] = [];
  #asked = 0;
  #running = true;
  /** From a change that was acknowledged to the next one. */
  longestGapMs = 0;
  #lastMs: number | null = null;
  readonly #ended: Promise<void>;

  /** Begins at once. `socketPath`: of the admin API of an appliance that may come and go. `name`: in the reasons of its changes. */
  constructor(socketPath: string, name = '') {
    this.#socketPath = socketPath;
    this.#name = name;
    this.#ended = this.#run();
  }

  get acknowledged(): number {
    return this.#all.length;
  }

  get asked(): number {
    return this.#asked;
  }

  /** Resolves when the last change is answered. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#ended;
  }

  /** Reasons of those that are not in the history any more. */
  async lost(): Promise<readonly string[]> {
    const client = this.#client();
    try {
      const found = new Map<number, string>();
      for (let before: number | null = null; ;) {
        const { items }: ListView<RevisionView> = await client.list('revisions', { limit: PAGE, ...(before === null ? {} : { before }) });
        for (const { revision, reason } of items) found.set(revision, reason);
        if (items.length < PAGE) break;
        before = items.at(-1)?.revision ?? 0;
      }
      return this.#all.filter(({ revision, reason }) => found.get(revision) !== reason).map(({ reason }) => reason);
    } finally {
      await client.close();
    }
  }

  /** Whether the chain of the audit is whole. */
  async isIntact(): Promise<boolean> {
    const client = this.#client();
    const { intact } = await client.verifyAudit().finally(() => client.close());
    return intact;
  }

  #client(): AdminClient {
    return createAdminClient({ address: { kind: 'socket', path: this.#socketPath }, source: 'endurance', context: null }, 'endurance');
  }

  async #run(): Promise<void> {
    let client = this.#client();
    while (this.#running) {
      this.#asked += 1;
      const reason = `change ${this.#asked} ${this.#name}`.trim();
      const green = 1 + (this.#asked % 90);
      try {
        const { revision, changed } = await client.change({
          change: { kind: 'shift', service: 'shop', percents: { green } },
          reason,
          yes: true,
        });
        if (changed) this.#take({ revision, reason });
      } catch {
        // Refused, or nobody was there: nothing is promised.
        await client.close();
        await new Promise((resolve) => void setTimeout(resolve, 20));
        client = this.#client();
      }
    }
    await client.close();
  }

  #take(one: Acknowledged): void {
    const nowMs = performance.now();
    if (this.#lastMs !== null) this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    this.#all.push(one);
  }
}
