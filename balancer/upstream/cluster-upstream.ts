// A cluster as a worker reaches it: its endpoints, which of them may be used, and the policy that picks one.
import type { Random } from '../../health/clock.ts';
import type { Deadlines } from '../../health/deadlines.ts';
import type { ClusterConfig } from '../config/config.ts';
import type { ProxyVersion } from '../message/proxy-protocol.ts';
import type { ClusterHealth } from '../steer/plan-shape.ts';
import { Endpoint } from './endpoint.ts';
import type { BalancePolicy } from './policies/policy.ts';
import { BALANCES } from './policies/registry.ts';
import { upstreamTls, type TlsSources } from './upstream-tls.ts';

export interface ClusterEnvironment extends TlsSources {
  readonly deadlines: Deadlines;
  readonly random: Random;
  readonly countConnection: (cluster: string) => void;
}

export class ClusterUpstream {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  /** What a connection that is passed through to it begins with; null: nothing. */
  readonly proxyProtocol: ProxyVersion | null;
  readonly #policy: BalancePolicy;
  readonly #deadlines: Deadlines;
  /** Endpoints that may be used; rebuilt when something changed, and when the first ejection ends. */
  #usable: readonly Endpoint[];
  #usableUntilMs = -Infinity;

  /** Endpoints of `previous` with the same address and settings stay, with their connections and counters. */
  constructor(config: ClusterConfig, environment: ClusterEnvironment, previous: ClusterUpstream | null) {
    this.name = config.name;
    this.proxyProtocol = config.proxyProtocol;
    this.#deadlines = environment.deadlines;
    const kept = new Map(previous?.endpoints.map((endpoint) => [endpoint.id, endpoint]));
    const endpointEnvironment = { ...environment, countConnection: () => environment.countConnection(config.name) };
    this.endpoints = config.endpoints.map((endpoint) => {
      const before = kept.get(endpoint.id);
      if (before?.scheme === endpoint.scheme) return before;
      return new Endpoint(endpoint, config, upstreamTls(config, endpoint, environment), endpointEnvironment);
    });
    const balance = BALANCES.find(({ name }) => name === config.balance);
    if (balance === undefined) throw new Error(`cluster ${config.name}: balance "${config.balance}" is not registered`);
    this.#policy = balance.create(environment.random);
    this.#usable = this.endpoints;
  }

  /** False when no endpoint may be used, by the plan or by this worker's own evidence. */
  get available(): boolean {
    return this.#current().length > 0;
  }

  get connections(): number {
    let sum = 0;
    for (const endpoint of this.endpoints) sum += endpoint.connections;
    return sum;
  }

  /**
   * An endpoint that was not tried yet; null when there is none. When no endpoint may be used, all are asked: whoever sends
   * here in spite of that (panic, hold) has no better place.
   */
  pick(tried: readonly Endpoint[]): Endpoint | null {
    const usable = this.#current();
    const pool = usable.length > 0 ? usable : this.endpoints;
    const candidates = tried.length === 0 ? pool : pool.filter((endpoint) => !tried.includes(endpoint));
    if (candidates.length === 0) return null;
    return candidates[this.#policy.pick(candidates)] ?? null;
  }

  /** Takes over what the plan says of the endpoints. */
  applyHealth(health: ClusterHealth | undefined): void {
    const down = new Set(health?.endpoints.filter(({ state }) => state === 'down').map(({ endpoint }) => endpoint));
    for (const endpoint of this.endpoints) endpoint.healthy = !down.has(endpoint.id);
    this.refresh();
  }

  /** Looks again at the endpoints at the next request. */
  refresh(): void {
    this.#usableUntilMs = -Infinity;
  }

  #current(): readonly Endpoint[] {
    const nowMs = this.#deadlines.nowMs;
    if (nowMs < this.#usableUntilMs) return this.#usable;
    let untilMs = Infinity;
    this.#usable = this.endpoints.filter((endpoint) => {
      const ejected = endpoint.detector.isEjected(nowMs);
      if (ejected) untilMs = Math.min(untilMs, endpoint.detector.ejectedUntilMs);
      return endpoint.healthy && !ejected;
    });
    this.#usableUntilMs = untilMs;
    return this.#usable;
  }
}

/** What must be equal for endpoints to be kept over a reload, beyond their address. */
export function sameConnections(a: ClusterConfig, b: ClusterConfig): boolean {
  const essence = (config: ClusterConfig): string =>
    JSON.stringify([config.tls, config.connectTimeoutMs, config.keepAliveMs, config.maxConnections, config.http2, config.outlier]);
  return essence(a) === essence(b);
}
