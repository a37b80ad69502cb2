// The connections to an endpoint: kept ones first, shared ones while they have room, new ones within the bound.
import type { Deadlines } from '../../health/deadlines.ts';
import type { ErrorCode } from '../errors.ts';
import { Http1UpstreamConnection } from '../http1/upstream-connection.ts';
import { ResponseHeads } from '../http1/response-head.ts';
import type { Http1UpstreamOwner } from '../http1/upstream-owner.ts';
import { Http2UpstreamConnection } from '../http2/upstream-connection.ts';
import type { Http2UpstreamOwner } from '../http2/upstream-owner.ts';
import type { UpstreamAddress, UpstreamSocket } from '../socket/upstream-socket.ts';
import type { QueueOutcome } from './admission.ts';
import { ConnectionLine, type ConnectionWaiter } from './connection-line.ts';
import { PendingConnection, type PendingOwner } from './pending-connection.ts';

/** So many times the connections may wait for one of them to be free. */
const LINE_FACTOR = 16;

/** What a request asks of a pool. */
export interface Wanted {
  /** A new one if there is room, as idle ones have turned out to be dead. */
  readonly fresh?: boolean;
  /** Whether it stands in line where all are in use. */
  readonly mayWait?: boolean;
}

/** `alpn`: the first handshake tells which of the two. */
export type PoolProtocol = 'http1' | 'http2' | 'alpn';

export interface PoolSettings {
  /** Of the endpoint, for what is told. */
  readonly id: string;
  readonly address: UpstreamAddress;
  readonly protocol: PoolProtocol;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly maxConnections: number;
  /** Requests at a time on one HTTP/2 connection before another is opened. */
  readonly streamsPerConnection: number;
  readonly deadlines: Deadlines;
  readonly countConnection: () => void;
  /** What became of those who stood in line for a connection that others use. */
  readonly countQueued: (outcome: QueueOutcome) => void;
}

export class ConnectionPool implements PendingOwner, Http1UpstreamOwner, Http2UpstreamOwner {
  readonly #settings: PoolSettings;
  /** What the endpoint speaks, once it is known. */
  #protocol: PoolProtocol;
  /** Last in, first out: the warmest connection is used, the others get old and go. */
  readonly #idle: Http1UpstreamConnection[] = [];
  /** In the order they were opened. The first with room is used, so that few carry much: their frames leave together. */
  readonly #shared: Http2UpstreamConnection[] = [];
  readonly #waiting: ConnectionLine;
  readonly #pending = new Set<PendingConnection>();
  /** All that are open, used or not. */
  readonly #open = new Set<Http1UpstreamConnection | Http2UpstreamConnection>();
  /** Of its responses over HTTP/1.1. */
  readonly #heads = new ResponseHeads();
  #retired = false;

  constructor(settings: PoolSettings) {
    this.#settings = settings;
    this.#protocol = settings.protocol;
    const { deadlines, connectTimeoutMs, countQueued } = settings;
    const onExpired = (waiter: ConnectionWaiter): void => this.#refuse(waiter, `none was free within ${connectTimeoutMs} ms`);
    this.#waiting = new ConnectionLine(deadlines, onExpired, countQueued);
  }

  /** Open or being opened. */
  get connections(): number {
    return this.#open.size + this.#pending.size;
  }

  /** Whether a request gets a connection without waiting for one that others use. */
  get hasRoom(): boolean {
    if (this.#idle.length > 0 || this.connections < this.#settings.maxConnections) return true;
    return this.#protocol !== 'http1' && (this.#pending.size > 0 || this.#shared.some(({ hasRoom }) => hasRoom));
  }

  /**
   * Hands over a connection, at once where one can be used. False: as many as may are in use, and it stands in line for as long as a connection may take to be
   * opened.
   */
  acquire(waiter: ConnectionWaiter, { fresh = false, mayWait = true }: Wanted = {}): boolean {
    for (const shared of this.#shared)
      if (shared.hasRoom) {
        waiter.onConnection(shared);
        return true;
      }
    const full = this.connections >= this.#settings.maxConnections;
    const mayBeIdle = !fresh || full;
    for (let idle = mayBeIdle ? this.#idle.pop() : undefined; idle !== undefined; idle = this.#idle.pop())
      if (idle.state === 'idle') {
        waiter.onConnection(idle);
        return true;
      }
    const comes = this.#pending.size > 0 && this.#protocol !== 'http1';
    if (full && !comes) return this.#standInLine(waiter, mayWait);
    this.#waiting.add(waiter);
    this.#openForWaiting();
    return true;
  }

  /** The waiter wants none any more; a connection that is on its way is kept for the next one. */
  cancel(waiter: ConnectionWaiter): void {
    this.#waiting.remove(waiter);
  }

  onConnected(pending: PendingConnection, link: UpstreamSocket): void {
    this.#pending.delete(pending);
    if (this.#protocol === 'alpn') this.#protocol = link.protocol === 'h2' ? 'http2' : 'http1';
    const { keepAliveMs, deadlines, streamsPerConnection } = this.#settings;
    // An endpoint may agree on another version than the last time: each connection goes by its own handshake.
    const multiplexed = this.#settings.protocol === 'alpn' ? link.protocol === 'h2' : this.#protocol === 'http2';
    if (multiplexed) {
      const connection = new Http2UpstreamConnection(link, { keepAliveMs, deadlines, streams: streamsPerConnection }, this);
      this.#open.add(connection);
      this.#shared.push(connection);
      this.onRoom(connection);
    } else {
      const connection = new Http1UpstreamConnection(link, { keepAliveMs, deadlines, heads: this.#heads }, this);
      this.#open.add(connection);
      this.onIdle(connection);
    }
    if (this.#waiting.length > 0) this.#openForWaiting();
  }

  onConnectFailed(pending: PendingConnection, code: ErrorCode, detail: string): void {
    this.#pending.delete(pending);
    const told = `${this.#settings.id}: ${detail}`;
    if (this.#protocol === 'http1') {
      this.#waiting.shift()?.onConnectionFailed(code, told);
      return this.#openForWaiting();
    }
    // One connection was to serve them all.
    for (const waiter of this.#waiting.takeBehind(this.#pending.size * this.#settings.streamsPerConnection))
      waiter.onConnectionFailed(code, told);
  }

  onIdle(connection: Http1UpstreamConnection): void {
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) waiter.onConnection(connection);
    else if (this.#retired) connection.destroy();
    else this.#idle.push(connection);
  }

  onRoom(connection: Http2UpstreamConnection): void {
    while (connection.hasRoom && this.#waiting.length > 0) this.#waiting.shift()?.onConnection(connection);
    if (this.#retired) connection.retire();
  }

  onGoingAway(connection: Http2UpstreamConnection): void {
    const index = this.#shared.indexOf(connection);
    if (index >= 0) this.#shared.splice(index, 1);
  }

  onClosed(connection: Http1UpstreamConnection | Http2UpstreamConnection): void {
    this.#open.delete(connection);
    if (this.#waiting.length > 0) this.#openForWaiting();
    if (connection instanceof Http2UpstreamConnection) return this.onGoingAway(connection);
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** The endpoint left the config: idle connections close now, used ones after their responses. */
  retire(): void {
    this.#retired = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
    for (const connection of this.#shared.splice(0)) connection.retire();
  }

  #standInLine(waiter: ConnectionWaiter, mayWait: boolean): boolean {
    const { maxConnections, connectTimeoutMs, deadlines } = this.#settings;
    const isRefused = !mayWait || this.#waiting.length >= maxConnections * LINE_FACTOR;
    if (isRefused && mayWait) this.#settings.countQueued('refused');
    if (isRefused) this.#refuse(waiter, 'too many wait for one');
    else this.#waiting.add(waiter, deadlines.nowMs + connectTimeoutMs);
    return isRefused;
  }

  #refuse(waiter: ConnectionWaiter, why: string): void {
    const { maxConnections, id } = this.#settings;
    waiter.onConnectionFailed('overloaded', `${maxConnections} connections to ${id} are in use, ${why}`);
  }

  /** One connection each for HTTP/1.1; otherwise as many as their streams need, and the first one alone until it is known what it speaks. */
  #openForWaiting(): void {
    const { maxConnections, streamsPerConnection, address, countConnection } = this.#settings;
    const each = this.#protocol === 'http1' ? 1 : this.#protocol === 'http2' ? streamsPerConnection : Infinity;
    while (this.#waiting.length > (this.#pending.size === 0 ? 0 : this.#pending.size * each) && this.connections < maxConnections) {
      this.#pending.add(new PendingConnection(address, this.#settings, this));
      countConnection();
    }
  }
}
