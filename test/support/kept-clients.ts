// Clients that keep their connections: many requests over few sockets, every answer with its time, and counts by what was answered.
import { Agent, type OutgoingHttpHeaders } from 'node:http';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { exchange } from './appliance.ts';

/** What became of one request. */
export interface Asked {
  /** When it was over, by `performance.now()`. */
  readonly atMs: number;
  /** 0: there was no answer, `body` says why. */
  readonly status: number;
  readonly body: string;
}

export interface Question {
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
}

export class KeptClients {
  readonly #url: string;
  readonly #agents: readonly Agent[];
  #closed = false;

  constructor(url: string, count: number) {
    this.#url = url;
    this.#agents = Array.from({ length: count }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  }

  /** `times` requests, all clients at the same time, each one after the other. */
  async ask(times: number, question: Question = {}): Promise<readonly Asked[]> {
    let left = times;
    const each = this.#agents.map(async (agent) => {
      const asked: Asked[] = [];
      while (left > 0) {
        left -= 1;
        asked.push(await this.#one(agent, question));
      }
      return asked;
    });
    return (await Promise.all(each)).flat();
  }

  /** `rounds` times every client, never two at once: what one request finds is what the one before left. */
  async askInTurn(rounds: number, question: Question = {}): Promise<readonly Asked[]> {
    const asked: Asked[] = [];
    for (let round = 0; round < rounds; round += 1) for (const agent of this.#agents) asked.push(await this.#one(agent, question));
    return asked;
  }

  /** A steady load: every client asks, with `pauseMs` in between, until `stop`. */
  load(pauseMs: number, question: Question = {}): SteadyLoad {
    const asked: Asked[] = [];
    let running = true;
    const all = this.#agents.map(async (agent) => {
      while (running && !this.#closed) {
        asked.push(await this.#one(agent, question));
        await delay(pauseMs);
      }
    });
    const stop = async (): Promise<readonly Asked[]> => {
      running = false;
      await Promise.all(all);
      return asked;
    };
    return { asked, stop };
  }

  /** Ends loads too: a test that failed stops none itself. */
  close(): void {
    this.#closed = true;
    for (const agent of this.#agents) agent.destroy();
  }

  async #one(agent: Agent, { path = '/', headers = {} }: Question): Promise<Asked> {
    try {
      const { status, body } = await exchange(new URL(path, this.#url), { agent, headers });
      return { atMs: performance.now(), status, body };
    } catch (error) {
      return { atMs: performance.now(), status: 0, body: String(error) };
    }
  }
}

export interface SteadyLoad {
  /** What was answered so far, in order. */
  readonly asked: readonly Asked[];
  /** Resolves when the requests under way are answered. */
  stop(): Promise<readonly Asked[]>;
}

/** Closed with the test. */
export function keepClients(t: TestContext, url: string, count: number): KeptClients {
  const clients = new KeptClients(url, count);
  t.after(() => clients.close());
  return clients;
}

/** How often each body came, of answers with a status below 500; all others by their status. */
export function tally(asked: readonly Asked[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { status, body } of asked) {
    const key = status > 0 && status < 500 ? body : String(status);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** Those that no client should have seen. */
export function failuresOf(asked: readonly Asked[]): readonly Asked[] {
  return asked.filter(({ status }) => status === 0 || status >= 500);
}
