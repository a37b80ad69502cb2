// One gateway address of a cluster as a worker uses it: its connections, its load, its latency, and its own evidence of trouble.
import type { Random } from '../../health/clock.ts';
import type { Deadlines } from '../../health/deadlines.ts';
import { PeakEwma } from '../../health/ewma.ts';
import { Lateness } from '../../health/lateness.ts';
import { OutlierDetector } from '../../health/outlier.ts';
import type { ClusterConfig, EndpointConfig, SlowStartConfig } from '../config/config.ts';
import { hash32 } from '../message/key-hash.ts';
import type { UpstreamAddress } from '../socket/upstream-socket.ts';
import type { Admission, AdmittedWaiter, Counted, QueueOutcome } from './admission.ts';
import type { ConnectionWaiter } from './connection-line.ts';
import { ConnectionPool, type PoolSettings } from './connection-pool.ts';
import type { Candidate } from './policies/policy.ts';
import { RawConnection, type RawWaiter } from './raw-connection.ts';

export interface EndpointEnvironment {
  readonly deadlines: Deadlines;
  readonly random: Random;
  readonly countConnection: () => void;
  readonly countQueued: (outcome: QueueOutcome) => void;
}

/** Peak EWMA: how long the past counts, and what an endpoint is taken for before its first answer, so that it is not flooded. */
const DECAY_MS = 10_000;
const INITIAL_LATENCY_MS = 1000;
/** An error that comes at once must not look like speed. */
const ERROR_LATENCY_MS = 1000;

export class Endpoint implements Candidate, Counted {
  readonly id: string;
  readonly scheme: EndpointConfig['scheme'];
  /** What the plan says of it; a worker never sends to a down endpoint while another is up. */
  healthy = true;
  inFlight = 0;
  readonly seed: number;
  admitted = 0;
  /** Of its cluster; null: requests in work have no bounds. */
  admission: Admission | null = null;
  /** When it came, or came back after it had been down; -Infinity: it was there from the beginning. */
  startedMs = -Infinity;
  readonly detector: OutlierDetector;
  readonly lateness: Lateness;
  readonly #environment: EndpointEnvironment;
  readonly #latency = new PeakEwma(DECAY_MS, INITIAL_LATENCY_MS);
  readonly #settings: PoolSettings;
  readonly #pool: ConnectionPool;
  /** For upgrades, where the requests go over HTTP/2. Null until one is asked for. */
  #upgradePool: ConnectionPool | null = null;
  /** For copies of requests, which share no connection with requests. Null until one is sent. */
  #sparePool: ConnectionPool | null = null;
  /** Connections that are passed through; never in a pool. */
  #raw = 0;

  constructor(config: EndpointConfig, cluster: ClusterConfig, tls: UpstreamAddress['tls'], environment: EndpointEnvironment) {
    this.id = config.id;
    this.seed = hash32(config.id, 0);
    this.scheme = config.scheme;
    this.#environment = environment;
    const { deadlines, countConnection, countQueued } = environment;
    const { connectTimeoutMs, keepAliveMs, maxConnections, http2 } = cluster;
    this.#settings = {
      id: config.id,
      address: { host: config.host, port: config.port, tls },
      protocol: protocolOf(config, cluster),
      streamsPerConnection: http2.streamsPerConnection,
      ...{ connectTimeoutMs, keepAliveMs, maxConnections, deadlines, countConnection, countQueued },
    };
    this.#pool = new ConnectionPool(this.#settings);
    this.detector = new OutlierDetector(cluster.outlier, environment.random);
    this.lateness = new Lateness(cluster.outlier);
  }

  get latencyMs(): number {
    return this.#latency.value(this.#environment.deadlines.nowMs);
  }

  /** Open connections, used or idle. */
  get connections(): number {
    return this.#pool.connections + (this.#upgradePool?.connections ?? 0) + (this.#sparePool?.connections ?? 0) + this.#raw;
  }

  /** False: it has as many requests in work as it may, or its cluster has. */
  get hasRoom(): boolean {
    return this.admission === null || this.admission.hasRoom(this);
  }

  /** When its slow start is over; in the past where there is none. */
  warmAtMs({ windowMs }: SlowStartConfig): number {
    const { ejectedUntilMs } = this.detector;
    return Math.max(this.startedMs, ejectedUntilMs === 0 ? -Infinity : ejectedUntilMs) + windowMs;
  }

  /** 0 to 1: the part of its requests that it gets by now, `max(minimum, (t / window) ^ (1 / aggression))`. */
  warmth(slowStart: SlowStartConfig, nowMs: number): number {
    const { windowMs, minimum, aggression } = slowStart;
    const passedMs = nowMs - (this.warmAtMs(slowStart) - windowMs);
    return passedMs >= windowMs ? 1 : Math.max(minimum, (Math.max(0, passedMs) / windowMs) ** (1 / aggression));
  }

  observeLatency(ms: number): void {
    this.#latency.observe(ms, this.#environment.deadlines.nowMs);
  }

  observeFailure(): void {
    this.#latency.observe(ERROR_LATENCY_MS, this.#environment.deadlines.nowMs);
  }

  /** False: as many connections as may are in use. */
  get canConnect(): boolean {
    return this.#pool.hasRoom;
  }

  /**
   * Hands over a connection, at once where one can be used. `fresh`: rather a new one, as idle ones have turned out to be dead. False: it stands in line for one that
   * others use.
   */
  acquire(waiter: AdmittedWaiter, { fresh, upgrade }: { readonly fresh: boolean; readonly upgrade: boolean }): boolean {
    const pool = upgrade ? this.#poolForUpgrades() : this.#pool;
    if (this.admission === null) return pool.acquire(waiter, { fresh });
    this.admission.admit(waiter, this, () => pool.acquire(waiter, { fresh }));
    return true;
  }

  /** The request of the waiter is over, whatever became of it. */
  release(waiter: AdmittedWaiter): void {
    this.inFlight -= 1;
    this.admission?.leave(waiter, this);
  }

  /** Room for a copy of a request, until `releaseSpare`; `giveWay` ends it when a request needs the room. False: there is none to spare. */
  hasSpare(waiter: ConnectionWaiter, giveWay: () => void): boolean {
    const mayConnect = this.connections < this.#settings.maxConnections / 2 || (this.#sparePool?.connections ?? 0) > 0;
    return mayConnect && (this.admission === null || this.admission.admitSpare(waiter, this, giveWay));
  }

  acquireSpare(waiter: ConnectionWaiter): void {
    this.#sparePool ??= new ConnectionPool({
      ...this.#settings,
      maxConnections: Math.max(1, Math.floor(this.#settings.maxConnections / 2)),
    });
    this.#sparePool.acquire(waiter, { mayWait: false });
  }

  releaseSpare(waiter: ConnectionWaiter): void {
    this.admission?.leaveSpare(waiter);
  }

  cancelSpare(waiter: ConnectionWaiter): void {
    this.#sparePool?.cancel(waiter);
  }

  /** A connection for the bytes of one client, begun anew; null: there is no room for another one. */
  openRaw(waiter: RawWaiter): RawConnection | null {
    if (this.connections >= this.#settings.maxConnections) return null;
    this.#raw += 1;
    this.#settings.countConnection();
    const { host, port } = this.#settings.address;
    return new RawConnection({ host, port, ...this.#settings }, waiter, () => (this.#raw -= 1));
  }

  /** The waiter wants none any more. */
  cancel(waiter: ConnectionWaiter): void {
    this.#pool.cancel(waiter);
    this.#upgradePool?.cancel(waiter);
  }

  /** It left the config: idle connections close now, used ones after their responses. */
  retire(): void {
    this.#pool.retire();
    this.#upgradePool?.retire();
    this.#sparePool?.retire();
  }

  /** An endpoint that chooses its version by ALPN is asked for HTTP/1.1, which every server can upgrade. */
  #poolForUpgrades(): ConnectionPool {
    const { address, protocol } = this.#settings;
    if (protocol !== 'alpn') return this.#pool;
    const asked = { ...address, protocols: ['http/1.1'] };
    return (this.#upgradePool ??= new ConnectionPool({ ...this.#settings, address: asked, protocol: 'http1' }));
  }
}

function protocolOf({ scheme }: EndpointConfig, { http2 }: ClusterConfig): PoolSettings['protocol'] {
  if (scheme === 'h2c') return 'http2';
  return scheme === 'https' && http2.enabled ? 'alpn' : 'http1';
}
