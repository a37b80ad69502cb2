// One attempt to have a request answered by one endpoint: connection, request, response, and who is to blame when it fails.
import type { ErrorCode } from '../errors.ts';
import type { OutgoingRequest, ResponseListener, UpstreamConnection, UpstreamExchange } from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
import type { TunnelEnd } from '../message/tunnel.ts';
import type { ConnectionWaiter } from '../upstream/connection-pool.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { ServiceTarget } from './service-steering.ts';

/** The request flow, as an attempt sees it. */
export interface AttemptOwner {
  /** Called when a connection is there: head and framing of the request. */
  outgoing(target: ServiceTarget): OutgoingRequest;
  /** The request is on its way; the body may follow. */
  onSent(attempt: Attempt): void;
  onInformational(status: number, fields: Fields): void;
  onHead(attempt: Attempt, status: number, fields: Fields, bodyLength: number): void;
  /** False: hold the endpoint back until `resume`. */
  onResponseBody(chunk: Buffer): boolean;
  onTurnEnd(): boolean;
  onResponseEnd(attempt: Attempt, trailers: Fields): void;
  onUpgrade(attempt: Attempt, fields: Fields, upgrade: string, end: TunnelEnd): void;
  onRequestDrain(): void;
  onFailure(attempt: Attempt, code: ErrorCode, detail: string): void;
}

export class Attempt implements ConnectionWaiter, ResponseListener {
  readonly target: ServiceTarget;
  readonly endpoint: Endpoint;
  headSeen = false;
  readonly #owner: AttemptOwner;
  readonly #nowMs: () => number;
  #exchange: UpstreamExchange | null = null;
  #sentAtMs = 0;
  #over = false;

  constructor(target: ServiceTarget, endpoint: Endpoint, owner: AttemptOwner, nowMs: () => number) {
    this.target = target;
    this.endpoint = endpoint;
    this.#owner = owner;
    this.#nowMs = nowMs;
  }

  /** `fresh`: on a connection that was never used before; `upgrade`: on one that can become a tunnel. */
  start(want: { readonly fresh: boolean; readonly upgrade: boolean }): void {
    this.endpoint.inFlight += 1;
    this.endpoint.acquire(this, want);
  }

  /** The request flow lost interest. */
  cancel(): void {
    if (this.#over) return;
    this.#finish();
    if (this.#exchange === null) this.endpoint.cancel(this);
    else this.#exchange.cancel();
  }

  sendBody(chunk: Buffer): boolean {
    return this.#over || (this.#exchange?.sendBody(chunk) ?? true);
  }

  endBody(trailers: Fields): void {
    if (this.#over) return;
    // The endpoint is as fast as it answers, not as the client sends.
    this.#sentAtMs = this.#nowMs();
    this.#exchange?.endBody(trailers);
  }

  resume(): void {
    if (!this.#over) this.#exchange?.resume();
  }

  onConnection(connection: UpstreamConnection): void {
    this.#sentAtMs = this.#nowMs();
    this.#exchange = connection.send(this.#owner.outgoing(this.target), this);
    this.#owner.onSent(this);
  }

  onConnectionFailed(code: ErrorCode, detail: string): void {
    this.#finish();
    this.#owner.onFailure(this, code, detail);
  }

  onInformational(status: number, fields: Fields): void {
    this.#owner.onInformational(status, fields);
  }

  onHead(status: number, fields: Fields, bodyLength: number): void {
    this.headSeen = true;
    this.endpoint.observeLatency(this.#nowMs() - this.#sentAtMs);
    this.#owner.onHead(this, status, fields, bodyLength);
  }

  onBody(chunk: Buffer): void {
    if (!this.#owner.onResponseBody(chunk)) this.#exchange?.pause();
  }

  onTurnEnd(): void {
    if (!this.#over && this.headSeen && !this.#owner.onTurnEnd()) this.#exchange?.pause();
  }

  onBodyEnd(trailers: Fields): void {
    this.#finish();
    this.#owner.onResponseEnd(this, trailers);
  }

  onUpgrade(fields: Fields, upgrade: string, end: TunnelEnd): void {
    this.#owner.onUpgrade(this, fields, upgrade, end);
  }

  /** The tunnel is closed; until then it counts as a request in flight. */
  tunnelClosed(): void {
    this.#finish();
  }

  onUpstreamDrain(): void {
    this.#owner.onRequestDrain();
  }

  onUpstreamFailure(code: ErrorCode, detail: string): void {
    this.#finish();
    this.#owner.onFailure(this, code, detail);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.endpoint.release(this);
  }
}
