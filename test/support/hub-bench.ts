// A real hub on a free port for tests: tokens by name, what it counted and told, and agents of fixed figures that report to it.
import { createHub, type Hub, type HubParts } from '../../balancer/controller/hub/hub.ts';
import { silentLog } from '../../balancer/log.ts';
import { runAgent, type AgentDependencies, type AgentSettings } from '../../agent/run.ts';
import { systemClock } from '../../health/clock.ts';
import type { AgentView } from '../../balancer/controller/api/views.ts';
import { PLAIN_AGENT } from './plain-agent.ts';
import { seededRandom } from './seeded-random.ts';

export const TOKENS: Readonly<Record<string, { readonly cluster: string | null }>> = {
  weir_eu: { cluster: 'eu' },
  weir_us: { cluster: 'us' },
  weir_any: { cluster: null },
};

export class HubBench implements AsyncDisposable {
  readonly hub: Hub;
  readonly events: string[] = [];
  readonly counts: Record<string, number> = {};
  readonly tokens = new Map(Object.entries(TOKENS));
  readonly clusters = new Set(['eu', 'us']);
  port = 0;
  readonly #agents: { readonly stop: () => Promise<unknown> }[] = [];

  constructor(wish: Partial<HubParts> = {}) {
    const count = (name: string): void => {
      this.counts[name] = this.count(name) + 1;
    };
    this.hub = createHub({
      bind: { host: '127.0.0.1', port: 0 },
      tls: null,
      host: 'test-edge',
      certificateNames: () => [],
      ceilingRps: () => null,
      wishes: () => [],
      verifyToken: (secret) => this.tokens.get(secret) ?? null,
      clusters: () => this.clusters,
      clock: systemClock,
      log: silentLog,
      countMessage: (cluster, outcome) => count(`${cluster} ${outcome}`),
      countRejection: (reason) => count(reason),
      onChange: ({ cluster, text }) => this.events.push(text ?? `${cluster} numbers`),
      ...wish,
    });
  }

  static async start(wish: Partial<HubParts> = {}): Promise<HubBench> {
    const bench = new HubBench(wish);
    bench.port = (await bench.hub.start()).port;
    return bench;
  }

  count(name: string): number {
    return this.counts[name] ?? 0;
  }

  agent(cluster: string): AgentView {
    const found = this.hub.agents().find((view) => view.cluster === cluster);
    if (found === undefined) throw new Error(`the hub knows no cluster ${cluster}`);
    return found;
  }

  /** Runs a real agent in this process; the first 100 ms of a report are the fastest period there is. */
  run(settings: Partial<AgentSettings> = {}, dependencies: Partial<AgentDependencies> = {}): { readonly stop: () => Promise<0 | 1> } {
    const abort = new AbortController();
    const hubs = [`ws://127.0.0.1:${this.port}`];
    const wanted = { ...PLAIN_AGENT, hubs, periodMs: 100, ...settings };
    const measure = () => Promise.resolve({ cpuUtilisation: 0.25, memoryUtilisation: 0.5, cores: 4, loadAverage1m: 1.5 });
    const ended = runAgent(wanted, { log: silentLog, random: seededRandom(1), measure, signal: abort.signal, ...dependencies });
    const stop = (): Promise<0 | 1> => {
      abort.abort();
      return ended;
    };
    this.#agents.push({ stop });
    return { stop };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#agents.map(({ stop }) => stop()));
    await this.hub.close();
  }
}
