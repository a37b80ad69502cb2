// A cluster as a worker reaches it: its endpoints, which of them may be used, and the policy that picks one.
import type { Random } from '../../health/clock.ts';
import type { Deadlines } from '../../health/deadlines.ts';
import { parseEndpoint } from '../config/addresses.ts';
import type { ClusterConfig, ClusterLimits, EndpointConfig } from '../config/config.ts';
import { hash32, mix32 } from '../message/key-hash.ts';
import type { ProxyVersion } from '../message/proxy-protocol.ts';
import { requestKey, type Keyed, type KeySource } from '../message/request-key.ts';
import type { ClusterHealth } from '../steer/plan-shape.ts';
import { Admission, type QueueOutcome } from './admission.ts';
import { Endpoint } from './endpoint.ts';
import type { BalancePolicy } from './policies/policy.ts';
import { BALANCES } from './policies/registry.ts';
import { upstreamTls, type TlsSources } from './upstream-tls.ts';

export interface ClusterEnvironment extends TlsSources {
  readonly deadlines: Deadlines;
  readonly random: Random;
  readonly countConnection: (cluster: string) => void;
  readonly countQueued: (cluster: string, outcome: QueueOutcome) => void;
  /** Of the host; limits are divided among them. */
  readonly workers: number;
}

const TWO_32 = 2 ** 32;
/** So often another endpoint is drawn for one that is full or has its part for now. */
const MAX_DRAWS = 8;

export class ClusterUpstream {
  readonly name: string;
  #endpoints: readonly Endpoint[];
  /** What a connection that is passed through to it begins with; null: nothing. */
  readonly proxyProtocol: ProxyVersion | null;
  readonly #policy: BalancePolicy;
  /** Null: the policy goes by no key. */
  readonly #keySource: KeySource | null;
  readonly #random: Random;
  readonly #slowStart: ClusterConfig['slowStart'];
  readonly #admission: Admission | null;
  readonly #deadlines: Deadlines;
  /** Makes an endpoint that was discovered; null: the config lists them. */
  readonly #make: ((endpoint: EndpointConfig) => Endpoint) | null;
  readonly #scheme: EndpointConfig['scheme'];
  /** Endpoints that may be used; rebuilt when something changed, and when the first ejection ends. */
  #usable: readonly Endpoint[];
  #usableUntilMs = -Infinity;
  /** When the last slow start ends. */
  #warmAtMs = -Infinity;

  /** Endpoints of `previous` with the same address and settings stay, with their connections and counters. */
  constructor(config: ClusterConfig, environment: ClusterEnvironment, previous: ClusterUpstream | null) {
    this.name = config.name;
    this.proxyProtocol = config.proxyProtocol;
    this.#deadlines = environment.deadlines;
    this.#random = environment.random;
    this.#slowStart = config.slowStart;
    this.#admission = admissionOf(config, environment, previous === null ? null : previous.#admission);
    const kept = new Map(previous?.endpoints.map((endpoint) => [endpoint.id, endpoint]));
    const endpointEnvironment = {
      ...environment,
      countConnection: () => environment.countConnection(config.name),
      countQueued: (outcome: QueueOutcome) => environment.countQueued(config.name, outcome),
    };
    const { discovery } = config;
    const make = (endpoint: EndpointConfig): Endpoint =>
      new Endpoint(endpoint, config, upstreamTls(config, endpoint, environment), endpointEnvironment);
    this.#make = discovery === null ? null : make;
    this.#scheme = discovery?.scheme ?? 'http';
    // Files that cannot be used are told of when the config comes, not when the first endpoint does.
    if (discovery !== null) upstreamTls(config, { id: '', scheme: discovery.scheme, host: config.name, port: 1 }, environment);
    const ofBefore = discovery === null ? [] : [...kept.values()].filter(({ scheme }) => scheme === discovery.scheme);
    const listed = config.endpoints.map((endpoint) => {
      const before = kept.get(endpoint.id);
      if (before?.scheme === endpoint.scheme) return before;
      const made = make(endpoint);
      // Where all are new nobody is colder than the others.
      if (previous !== null) made.startedMs = this.#deadlines.nowMs;
      return made;
    });
    this.#endpoints = [...ofBefore, ...listed];
    for (const endpoint of this.endpoints) endpoint.admission = this.#admission;
    const balance = BALANCES.find(({ name }) => name === config.balance);
    if (balance === undefined) throw new Error(`cluster ${config.name}: balance "${config.balance}" is not registered`);
    this.#policy = balance.create(environment.random, { factor: config.hash.factor });
    this.#keySource = balance.keyed === true ? config.hash.key : null;
    this.#usable = this.endpoints;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
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
  pick(tried: readonly Endpoint[], request: Keyed): Endpoint | null {
    const usable = this.#current();
    const pool = usable.length > 0 ? usable : this.endpoints;
    const candidates = tried.length === 0 ? pool : pool.filter((endpoint) => !tried.includes(endpoint));
    if (candidates.length === 0) return null;
    const key = this.#keySource === null ? 0 : this.#keyOf(request, this.#keySource);
    const chosen = candidates[this.#policy.pick(candidates, key)] ?? null;
    const free = chosen !== null && this.#admission === null && chosen.canConnect && this.#deadlines.nowMs >= this.#warmAtMs;
    return free ? chosen : this.#pickAgain(candidates, chosen, key);
  }

  /** No endpoint can take another request now. */
  get isFull(): boolean {
    return this.#admission !== null && !this.endpoints.some(({ hasRoom }) => hasRoom);
  }

  /** A request without the key goes anywhere. */
  #keyOf(request: Keyed, source: KeySource): number {
    const key = requestKey(source, request);
    return key === null ? Math.floor(this.#random() * TWO_32) | 0 : hash32(key, 0);
  }

  /**
   * Rejection sampling: one in slow start is taken with the probability of its part and drawn again otherwise, so that with part p it
   * gets p / (p + others) of the requests, whatever the policy. A key decides for itself, so it moves to a starting endpoint once.
   */
  #pickAgain(candidates: readonly Endpoint[], first: Endpoint | null, key: number): Endpoint | null {
    const nowMs = this.#deadlines.nowMs;
    let chosen = first;
    let drawn = key;
    for (let draw = 0; draw < MAX_DRAWS && chosen !== null; draw += 1) {
      if (chosen.hasRoom && chosen.canConnect) {
        const warmth = chosen.warmth(this.#slowStart, nowMs);
        if (warmth >= 1) return chosen;
        const lot = this.#keySource === null ? this.#random() : (mix32(drawn ^ chosen.seed ^ SLOW_START_SALT) >>> 0) / TWO_32;
        if (lot < warmth) return chosen;
      }
      drawn = mix32(drawn + 1);
      chosen = candidates[this.#policy.pick(candidates, drawn)] ?? null;
    }
    for (const endpoint of candidates) if (endpoint.hasRoom && endpoint.canConnect) return endpoint;
    for (const endpoint of candidates) if (endpoint.hasRoom) return endpoint;
    return chosen;
  }

  /** Takes over what the plan says of the endpoints. */
  applyHealth(health: ClusterHealth | undefined): void {
    if (this.#make !== null && health !== undefined) this.#discover(health, this.#make);
    const unfit = this.#unfit(health?.endpoints ?? []);
    for (const endpoint of this.endpoints) {
      const healthy = !unfit.has(endpoint.id);
      if (healthy && !endpoint.healthy) endpoint.startedMs = this.#deadlines.nowMs;
      endpoint.healthy = healthy;
    }
    this.refresh();
  }

  /**
   * Of endpoints that the config lists: those that are down. Of those that were discovered also those that drain, and those that no probe has spoken
   * for, as long as there is a better one: an agent says where an endpoint is, not that it works.
   */
  #unfit(endpoints: ClusterHealth['endpoints']): ReadonlySet<string> {
    const idsOf = (holds: (endpoint: ClusterHealth['endpoints'][number]) => boolean): ReadonlySet<string> =>
      new Set(endpoints.filter(holds).map(({ endpoint }) => endpoint));
    if (this.#make === null) return idsOf(({ state }) => state === 'down');
    if (endpoints.some(({ state, draining }) => state === 'up' && draining !== true))
      return idsOf(({ state, draining }) => state !== 'up' || draining === true);
    if (endpoints.some(({ state, draining }) => state !== 'down' && draining !== true))
      return idsOf(({ state, draining }) => state === 'down' || draining === true);
    return idsOf(({ state }) => state === 'down');
  }

  /** The plan says which there are. Those that go finish what they have in work; those that come later than the first start slowly. */
  #discover({ endpoints }: ClusterHealth, make: (endpoint: EndpointConfig) => Endpoint): void {
    const before = new Map(this.#endpoints.map((endpoint) => [endpoint.id, endpoint]));
    if (before.size === endpoints.length && endpoints.every(({ endpoint }) => before.has(endpoint))) return;
    this.#endpoints = endpoints.flatMap(({ endpoint: id }) => {
      const known = before.get(id);
      if (known !== undefined) return [known];
      const config = parseEndpoint(`${this.#scheme}://${id}`);
      if (config === null) return [];
      const made = make(config);
      made.admission = this.#admission;
      if (before.size > 0) made.startedMs = this.#deadlines.nowMs;
      return [made];
    });
    const staying = new Set(this.#endpoints);
    for (const endpoint of before.values()) if (!staying.has(endpoint)) endpoint.retire();
  }

  /** Looks again at the endpoints at the next request. */
  refresh(): void {
    this.#usableUntilMs = -Infinity;
  }

  #current(): readonly Endpoint[] {
    const nowMs = this.#deadlines.nowMs;
    if (nowMs < this.#usableUntilMs) return this.#usable;
    let untilMs = Infinity;
    this.#warmAtMs = -Infinity;
    this.#usable = this.endpoints.filter((endpoint) => {
      const ejected = endpoint.detector.isEjected(nowMs);
      if (ejected) untilMs = Math.min(untilMs, endpoint.detector.ejectedUntilMs);
      if (this.#slowStart.windowMs > 0) this.#warmAtMs = Math.max(this.#warmAtMs, endpoint.warmAtMs(this.#slowStart));
      return endpoint.healthy && !ejected;
    });
    this.#usableUntilMs = untilMs;
    return this.#usable;
  }
}

/** Lots of slow start have nothing to do with the choice of the policy. */
const SLOW_START_SALT = 0x5107_57a7;

/** Null: nothing has a bound. What is in work is counted on over a reload. */
function admissionOf({ name, limits }: ClusterConfig, environment: ClusterEnvironment, previous: Admission | null): Admission | null {
  if (!isLimited(limits)) return null;
  const admission = previous ?? new Admission(environment.deadlines.clock, (outcome) => environment.countQueued(name, outcome));
  admission.resize(limits, environment.workers);
  return admission;
}

function isLimited({ requests, requestsPerEndpoint }: ClusterLimits): boolean {
  return requests > 0 || requestsPerEndpoint > 0;
}

/** What must be equal for endpoints to be kept over a reload, beyond their address. */
export function sameConnections(a: ClusterConfig, b: ClusterConfig): boolean {
  const essence = (config: ClusterConfig): string =>
    JSON.stringify([config.tls, config.connectTimeoutMs, config.keepAliveMs, config.maxConnections, config.http2, config.outlier]);
  return essence(a) === essence(b);
}
