// Load at a fixed rate, whether answers are there or not: what became of each request, and how long it took from when it was due.
import { Agent } from 'node:http';
import type { TestContext } from 'node:test';
import { exchange } from './appliance.ts';

export interface Paced {
  readonly sentAtMs: number;
  readonly tookMs: number;
  /** 0: no answer. */
  readonly status: number;
  readonly body: string;
}

export class PacedLoad {
  readonly #answers: Promise<Paced>[] = [];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #timer: NodeJS.Timeout;
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(t: TestContext, url: string, perSecond: number, headers: Readonly<Record<string, string>> = {}) {
    this.#url = new URL(url);
    this.#headers = headers;
    const startedAtMs = performance.now();
    let sent = 0;
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - startedAtMs) * perSecond) / 1000);
      for (; sent < due; sent += 1) this.#answers.push(this.#ask());
    }, 5);
    t.after(() => {
      clearInterval(this.#timer);
      this.#agent.destroy();
    });
  }

  /** Ends when all are answered. */
  stop(): Promise<readonly Paced[]> {
    clearInterval(this.#timer);
    return Promise.all(this.#answers);
  }

  async #ask(): Promise<Paced> {
    const sentAtMs = performance.now();
    try {
      const { status, body } = await exchange(this.#url, { agent: this.#agent, headers: this.#headers });
      return { sentAtMs, tookMs: performance.now() - sentAtMs, status, body };
    } catch (error) {
      return { sentAtMs, tookMs: performance.now() - sentAtMs, status: 0, body: String(error) };
    }
  }
}
