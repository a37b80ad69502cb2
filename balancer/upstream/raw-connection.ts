// A connection to an endpoint that will carry the bytes of one client, whatever they are: connecting, and who is to blame when it fails.
import type { Socket } from 'node:net';
import { NOT_WATCHED, type Deadlines, type Expiring } from '../../health/deadlines.ts';
import type { ErrorCode } from '../errors.ts';
import { UpstreamSocket } from '../socket/upstream-socket.ts';
import type { Counter } from '../telemetry/meter.ts';
import { RawEnd } from './raw-end.ts';

/** Who asked for the connection. */
export interface RawWaiter {
  /** Counts the bytes that the endpoint sends. */
  readonly fromEndpoint: Counter;
  onRawConnected(end: RawEnd): void;
  onRawFailed(code: ErrorCode, detail: string): void;
}

export interface RawSettings {
  readonly host: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
  readonly deadlines: Deadlines;
}

export class RawConnection implements Expiring {
  deadlineMs: number;
  watchedAt = NOT_WATCHED;
  readonly #settings: RawSettings;
  readonly #waiter: RawWaiter;
  readonly #onClosed: () => void;
  readonly #socket: Socket;
  readonly #end: RawEnd;
  #connecting = true;

  /** Begins to connect. `onClosed` is called once, when nothing is left of it. */
  constructor(settings: RawSettings, waiter: RawWaiter, onClosed: () => void) {
    this.#settings = settings;
    this.#waiter = waiter;
    this.#onClosed = onClosed;
    this.deadlineMs = settings.deadlines.nowMs + settings.connectTimeoutMs;
    this.#socket = this.#open();
    this.#end = new RawEnd(this.#socket, waiter.fromEndpoint);
    settings.deadlines.add(this);
  }

  /** Nobody waits for it any more; only as long as it is not connected. */
  cancel(): void {
    this.#connecting = false;
    this.#socket.destroy();
  }

  onDeadline(): void {
    this.#fail('connect_timeout', `no connection within ${this.#settings.connectTimeoutMs} ms`);
  }

  #open(): Socket {
    const { host, port } = this.#settings;
    const link = new UpstreamSocket({ host, port, tls: null });
    const { socket } = link;
    socket.once('connect', () => this.#connected(link));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail('connect_failed', error.code ?? error.message));
    socket.once('close', () => this.#closed());
    return socket;
  }

  #connected(link: UpstreamSocket): void {
    if (!this.#connecting) return;
    this.#connecting = false;
    this.#settings.deadlines.remove(this);
    link.listen({ onRead: (bytes, length) => this.#end.deliver(bytes.subarray(0, length)) });
    this.#waiter.onRawConnected(this.#end);
  }

  #fail(code: ErrorCode, detail: string): void {
    if (!this.#connecting) return;
    this.#connecting = false;
    this.#socket.destroy();
    this.#waiter.onRawFailed(code, detail);
  }

  #closed(): void {
    this.#settings.deadlines.remove(this);
    this.#onClosed();
  }
}
