// A connection to an endpoint that is being made: TCP, then TLS where the endpoint has it, within one time-out.
import { NOT_WATCHED, type Deadlines, type Expiring } from '../../health/deadlines.ts';
import type { ErrorCode } from '../errors.ts';
import { isTlsTrouble, UpstreamSocket, type UpstreamAddress } from '../socket/upstream-socket.ts';

export interface PendingOwner {
  /** In this very turn somebody must begin to speak on it. */
  onConnected(pending: PendingConnection, link: UpstreamSocket): void;
  onConnectFailed(pending: PendingConnection, code: ErrorCode, detail: string): void;
}

export interface ConnectSettings {
  readonly connectTimeoutMs: number;
  readonly deadlines: Deadlines;
}

export class PendingConnection implements Expiring {
  deadlineMs: number;
  watchedAt = NOT_WATCHED;
  readonly #link: UpstreamSocket;
  readonly #settings: ConnectSettings;
  readonly #owner: PendingOwner;
  #over = false;
  readonly #onConnect = (): void => this.#connected();
  readonly #onEnd = (): void => this.#fail('tls_failed', 'the endpoint closed the connection during the TLS handshake');
  readonly #onClose = (): void => this.#fail('connect_failed', 'closed');
  readonly #onError = (error: NodeJS.ErrnoException): void => {
    this.#fail(isTlsTrouble(error) ? 'tls_failed' : 'connect_failed', error.code ?? error.message);
  };

  constructor(address: UpstreamAddress, settings: ConnectSettings, owner: PendingOwner) {
    this.#settings = settings;
    this.#owner = owner;
    this.deadlineMs = settings.deadlines.nowMs + settings.connectTimeoutMs;
    this.#link = new UpstreamSocket(address);
    this.#link.socket
      .once(this.#link.secure ? 'secureConnect' : 'connect', this.#onConnect)
      .on('end', this.#onEnd)
      .on('error', this.#onError)
      .on('close', this.#onClose);
    settings.deadlines.add(this);
  }

  /** Nobody wants it any more. */
  cancel(): void {
    this.#settle();
    this.#link.socket.on('error', () => undefined).destroy();
  }

  onDeadline(): void {
    this.#fail('connect_timeout', `no connection within ${this.#settings.connectTimeoutMs} ms`);
  }

  #connected(): void {
    if (this.#over) return;
    this.#settle();
    this.#owner.onConnected(this, this.#link);
  }

  #fail(code: ErrorCode, detail: string): void {
    if (this.#over) return;
    this.cancel();
    this.#owner.onConnectFailed(this, code, detail);
  }

  #settle(): void {
    this.#over = true;
    this.#settings.deadlines.remove(this);
    this.#link.socket
      .off('secureConnect', this.#onConnect)
      .off('connect', this.#onConnect)
      .off('end', this.#onEnd)
      .off('error', this.#onError)
      .off('close', this.#onClose);
  }
}
