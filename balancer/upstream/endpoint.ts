// One gateway address of a cluster as a worker uses it: its connections, its load, its latency, and its own evidence of trouble.
import type { Random } from '../../health/clock.ts';
import type { Deadlines } from '../../health/deadlines.ts';
import { PeakEwma } from '../../health/ewma.ts';
import { OutlierDetector } from '../../health/outlier.ts';
import type { ClusterConfig, EndpointConfig } from '../config/config.ts';
import type { ErrorCode } from '../errors.ts';
import { UpstreamConnection, type UpstreamOwner, type UpstreamSettings } from '../http1/upstream-connection.ts';
import type { UpstreamAddress } from '../http1/upstream-socket.ts';
import type { Candidate } from './policies/policy.ts';
import { RawConnection, type RawWaiter } from './raw-connection.ts';

/** Who waits for a connection. */
export interface ConnectionWaiter {
  onConnection(connection: UpstreamConnection): void;
  onConnectionFailed(code: ErrorCode, detail: string): void;
}

export interface EndpointEnvironment {
  readonly deadlines: Deadlines;
  readonly random: Random;
  readonly countConnection: () => void;
}

/** Peak EWMA: how long the past counts, and what an endpoint is taken for before its first answer, so that it is not flooded. */
const DECAY_MS = 10_000;
const INITIAL_LATENCY_MS = 1000;
/** An error that comes at once must not look like speed. */
const ERROR_LATENCY_MS = 1000;

export class Endpoint implements Candidate, UpstreamOwner {
  readonly id: string;
  /** What the plan says of it; a worker never sends to a down endpoint while another is up. */
  healthy = true;
  inFlight = 0;
  readonly detector: OutlierDetector;
  readonly #address: UpstreamAddress;
  readonly #settings: UpstreamSettings;
  readonly #maxConnections: number;
  readonly #environment: EndpointEnvironment;
  readonly #latency = new PeakEwma(DECAY_MS, INITIAL_LATENCY_MS);
  /** Last in, first out: the warmest connection is used, the others get old and go. */
  readonly #idle: UpstreamConnection[] = [];
  readonly #waiting: ConnectionWaiter[] = [];
  readonly #all = new Set<UpstreamConnection>();
  /** Connections that are passed through; never in the pool. */
  #raw = 0;
  #retired = false;

  constructor(config: EndpointConfig, cluster: ClusterConfig, tls: UpstreamAddress['tls'], environment: EndpointEnvironment) {
    this.id = config.id;
    this.#address = { host: config.host, port: config.port, tls };
    this.#settings = { connectTimeoutMs: cluster.connectTimeoutMs, keepAliveMs: cluster.keepAliveMs, deadlines: environment.deadlines };
    this.#maxConnections = cluster.maxConnections;
    this.#environment = environment;
    this.detector = new OutlierDetector(cluster.outlier, environment.random);
  }

  get latencyMs(): number {
    return this.#latency.value(this.#environment.deadlines.nowMs);
  }

  /** Open connections, used or idle. */
  get connections(): number {
    return this.#all.size + this.#raw;
  }

  observeLatency(ms: number): void {
    this.#latency.observe(ms, this.#environment.deadlines.nowMs);
  }

  observeFailure(): void {
    this.#latency.observe(ERROR_LATENCY_MS, this.#environment.deadlines.nowMs);
  }

  /** Hands over a connection, at once where one is idle. `fresh`: a new one if there is room, as idle ones have turned out to be dead. */
  acquire(waiter: ConnectionWaiter, fresh = false): void {
    const mayBeIdle = !fresh || this.connections >= this.#maxConnections;
    for (let idle = mayBeIdle ? this.#idle.pop() : undefined; idle !== undefined; idle = this.#idle.pop()) {
      if (idle.state === 'idle') return waiter.onConnection(idle);
    }
    if (this.connections >= this.#maxConnections)
      return waiter.onConnectionFailed('overloaded', `${this.#maxConnections} connections to ${this.id} are in use`);
    this.#waiting.push(waiter);
    this.#all.add(new UpstreamConnection(this.#address, this.#settings, this));
    this.#environment.countConnection();
  }

  /** A connection for the bytes of one client, begun anew; null: there is no room for another one. */
  openRaw(waiter: RawWaiter): RawConnection | null {
    if (this.connections >= this.#maxConnections) return null;
    this.#raw += 1;
    this.#environment.countConnection();
    const { host, port } = this.#address;
    return new RawConnection({ host, port, ...this.#settings }, waiter, () => (this.#raw -= 1));
  }

  /** The waiter wants none any more; a connection that is on its way is kept for the next one. */
  cancel(waiter: ConnectionWaiter): void {
    const index = this.#waiting.indexOf(waiter);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  onConnected(connection: UpstreamConnection): void {
    this.onIdle(connection);
  }

  onConnectFailed(_connection: UpstreamConnection, code: ErrorCode, detail: string): void {
    this.#waiting.shift()?.onConnectionFailed(code, `${this.id}: ${detail}`);
  }

  onIdle(connection: UpstreamConnection): void {
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) waiter.onConnection(connection);
    else if (this.#retired) connection.destroy();
    else this.#idle.push(connection);
  }

  onClosed(connection: UpstreamConnection): void {
    this.#all.delete(connection);
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** It left the config: idle connections close now, used ones after their response. */
  retire(): void {
    this.#retired = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }
}
