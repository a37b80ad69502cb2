// A connection that is passed through: server name where TLS tells one → route → split → cluster → endpoint, then bytes both ways.
import type { Socket } from 'node:net';
import { NOT_WATCHED, type Expiring } from '../../health/deadlines.ts';
import type { ListenerConfig } from '../config/config.ts';
import type { ErrorCode } from '../errors.ts';
import { ClientHelloReader, fatalAlert, type AlertName, type ClientHello } from '../listener/client-hello.ts';
import { plainAddress } from '../message/client-address.ts';
import type { DownstreamConnection } from '../message/connection.ts';
import type { Keyed } from '../message/request-key.ts';
import { proxyHeader, type ProxyEnds } from '../message/proxy-protocol.ts';
import type { Counter } from '../telemetry/meter.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { RawConnection, RawWaiter } from '../upstream/raw-connection.ts';
import { RawEnd } from '../upstream/raw-end.ts';
import type { RouteRuntime } from './generation.ts';
import type { Pipeline } from './pipeline.ts';
import type { ServiceTarget } from './service-steering.ts';
import { blamesPath, type PassThroughNames } from './stats.ts';
import { Tunnel, type TunnelCause } from './tunnel.ts';
import type { WorkerContext } from './worker-context.ts';

/** What a connection is known by before a byte of it came. */
export interface PassThroughFacts {
  readonly listener: ListenerConfig;
  readonly peerAddress: string;
  /** As a header of the PROXY protocol told it: passed on as it came. */
  readonly told: ProxyEnds | null;
  readonly id: string;
}

/** While draining, for a client that was let in and has not said what it wants. */
const HELLO_GRACE_MS = 1000;
/** For a client to read why it is refused. */
const LINGER_MS = 2000;
const EMPTY = Buffer.alloc(0);

/** How a tunnel ended → what the log says of it; empty: as it should. */
const END_CODES: Readonly<Record<TunnelCause, ErrorCode | ''>> = {
  complete: '',
  client: 'client_closed',
  upstream: 'connection_reset',
  idle: 'tunnel_idle',
  cut: 'draining',
  moved: 'cluster_drained',
};

export class PassThrough implements DownstreamConnection, RawWaiter, Expiring {
  deadlineMs = Infinity;
  watchedAt = NOT_WATCHED;
  draining = false;
  readonly #socket: Socket;
  readonly #facts: PassThroughFacts;
  readonly #pipeline: Pipeline;
  readonly #context: WorkerContext;
  readonly #startedMs: number;
  /** Holds what the client sent, until there is an endpoint to give it to. */
  #reader: ClientHelloReader | null = null;
  #hello: ClientHello | null = null;
  #route: RouteRuntime | null = null;
  #target: ServiceTarget | null = null;
  #endpoint: Endpoint | null = null;
  #raw: RawConnection | null = null;
  #tunnel: Tunnel | null = null;
  /** A rule of the service took it before the split. */
  #assigned = false;
  #attempts = 0;
  #attemptedMs = 0;
  readonly #triedTargets: ServiceTarget[] = [];
  readonly #triedEndpoints: Endpoint[] = [];
  #over = false;
  readonly #onHelloBytes = (chunk: Buffer): void => this.#readHello(chunk);
  readonly #onHelloEnd = (): void => void this.#socket.destroy();

  constructor(socket: Socket, facts: PassThroughFacts, pipeline: Pipeline, context: WorkerContext) {
    this.#socket = socket;
    this.#facts = facts;
    this.#pipeline = pipeline;
    this.#context = context;
    this.#startedMs = context.nowMs();
  }

  start(): void {
    const socket = this.#socket;
    socket.on('error', ignore);
    socket.once('close', () => this.#gone());
    // The client need not be the one who speaks first.
    if (this.#facts.listener.protocol === 'tcp') return this.#steer('');
    this.#reader = new ClientHelloReader();
    this.#expireAfter(this.#facts.listener.timeouts.handshakeMs);
    socket.on('data', this.#onHelloBytes).on('end', this.#onHelloEnd);
  }

  /** What is passed through goes on to its end: nobody can tell the client. */
  drain(): void {
    this.draining = true;
    const latestMs = this.#context.deadlines.nowMs + HELLO_GRACE_MS;
    if (this.deadlineMs < Infinity) this.deadlineMs = Math.min(this.deadlineMs, latestMs);
  }

  destroy(): void {
    if (this.#tunnel !== null) this.#tunnel.close();
    else this.#socket.resetAndDestroy();
  }

  onDeadline(): void {
    if (this.#over) this.#socket.destroy();
    else this.#fail('client_hello_timeout', 'no whole ClientHello came in time');
  }

  get fromEndpoint(): Counter {
    if (this.#route === null) throw new Error('a connection without a route has no endpoint');
    return this.#route.sent;
  }

  onRawConnected(end: RawEnd): void {
    const { deadlines, tunnels, nowMs } = this.#context;
    const [route, target, endpoint] = [this.#route, this.#target, this.#endpoint];
    if (route === null || target === null || endpoint === null) return;
    this.#raw = null;
    endpoint.detector.success(deadlines.nowMs);
    endpoint.observeLatency(nowMs() - this.#attemptedMs);
    this.#count('established');
    const version = target.cluster.proxyProtocol;
    if (version !== null) end.write(proxyHeader(version, this.#ends()));
    const client = new RawEnd(this.#socket, route.received, this.#reader?.bytes() ?? EMPTY);
    this.#reader = null;
    const { tunnelIdleMs } = route.service.config.timeouts;
    const joint = { client, upstream: end, cluster: target.cluster.name, upgrade: '' };
    this.#tunnel = new Tunnel(joint, tunnelIdleMs, deadlines, (tunnel, cause) => {
      tunnels.delete(tunnel);
      this.#leave(target, endpoint);
      this.#context.counters.passThroughEnd(this.#names(), cause);
      this.#finish(END_CODES[cause], '');
    });
    tunnels.add(this.#tunnel);
    this.#tunnel.start();
  }

  onRawFailed(code: ErrorCode, detail: string): void {
    const { counters, evidence, deadlines } = this.#context;
    const [route, target, endpoint] = [this.#route, this.#target, this.#endpoint];
    if (route === null || target === null || endpoint === null) return;
    this.#raw = null;
    this.#leave(target, endpoint);
    const { cluster } = target;
    counters.upstreamFailure(cluster.name, code);
    if (blamesPath(code)) evidence.pathFailed(cluster, endpoint, deadlines.nowMs, `${code}: ${endpoint.id}: ${detail}`);
    const told = `${cluster.name} ${endpoint.id}: ${detail}`;
    // No byte has left, so another place may be tried as long as attempts are left; no budget: what no endpoint has seen is no load.
    if (this.#attempts > route.service.config.retries.attempts) return this.#fail(code, told);
    counters.retry(route.service.config.name, 'retried');
    this.#triedEndpoints.push(endpoint);
    this.#try(target, route, { code, detail: told });
  }

  #readHello(chunk: Buffer): void {
    const reader = this.#reader;
    if (reader?.push(chunk) !== true) return;
    this.#socket.off('data', this.#onHelloBytes).off('end', this.#onHelloEnd).pause();
    this.#expireAfter(Infinity);
    this.#hello = reader.hello;
    if (this.#hello === null) this.#fail('client_hello_malformed', reader.problem);
    else this.#steer(this.#hello.serverName);
  }

  #steer(serverName: string): void {
    const route = this.#pipeline.generation.matchConnection(this.#facts.listener.name, serverName);
    if (route === null) return this.#fail('route_not_found', '');
    this.#route = route;
    if (route.service.refuses(route.config.priorityClass, this.#facts.peerAddress))
      return this.#fail('overloaded', 'the service has more than its places can take');
    const target = route.service.chooseConnection(this.#facts.peerAddress);
    this.#assigned = route.service.chosenBy === 'assign';
    if (target === null) this.#fail('no_cluster', 'no version of the service has a place that can be used');
    else this.#try(target, route, NO_ENDPOINT);
  }

  /** An endpoint of `target` not tried yet, else of the next best target; `failure` is what to tell when there is none. */
  #try(target: ServiceTarget, route: RouteRuntime, failure: { readonly code: ErrorCode; readonly detail: string }): void {
    let place: ServiceTarget | null = target;
    while (place !== null) {
      const endpoint = place.cluster.pick(this.#triedEndpoints, this.#keyed());
      if (endpoint !== null) return this.#connect(place, endpoint);
      this.#triedTargets.push(place);
      place = route.service.alternative(target, this.#triedTargets, this.#facts.peerAddress);
    }
    this.#fail(failure.code, failure.detail);
  }

  #connect(target: ServiceTarget, endpoint: Endpoint): void {
    this.#attempts += 1;
    this.#attemptedMs = this.#context.nowMs();
    this.#target = target;
    this.#endpoint = endpoint;
    endpoint.inFlight += 1;
    target.work.attempts += 1;
    this.#raw = endpoint.openRaw(this);
    if (this.#raw === null) this.onRawFailed('overloaded', 'as many connections as it may have are in use');
  }

  /** Nothing could be passed through. A client that has said hello is told by an alert; every other one by a reset, which looks like no answer. */
  #fail(code: ErrorCode, detail: string): void {
    if (this.#over) return;
    this.#count(code);
    this.#finish(code, detail);
    const alert = alertFor(code);
    if (alert === null || this.#reader?.isTls !== true) return void this.#socket.resetAndDestroy();
    this.#socket.end(fatalAlert(alert));
    this.#socket.resume();
    this.#expireAfter(LINGER_MS);
  }

  /** The client's socket is closed. */
  #gone(): void {
    this.#expireAfter(Infinity);
    this.#pipeline.onConnectionClosed(this);
    if (this.#over || this.#tunnel !== null) return;
    if (this.#raw !== null && this.#endpoint !== null && this.#target !== null) {
      this.#raw.cancel();
      this.#leave(this.#target, this.#endpoint);
    }
    this.#count('client_closed');
    this.#finish('client_closed', '');
  }

  #leave(target: ServiceTarget, endpoint: Endpoint): void {
    endpoint.inFlight -= 1;
    target.work.attempts -= 1;
  }

  #expireAfter(ms: number): void {
    const { deadlines } = this.#context;
    this.deadlineMs = deadlines.nowMs + ms;
    if (ms < Infinity) deadlines.add(this);
    else deadlines.remove(this);
  }

  /** Policies that go by a key have the client's address. */
  #keyed(): Keyed {
    return { fields: [], query: '', clientAddress: this.#facts.peerAddress };
  }

  /** As the PROXY protocol tells them; null: the socket does not know them any more. */
  #ends(): ProxyEnds | null {
    const { told, peerAddress } = this.#facts;
    if (told !== null) {
      const { source, destination } = told;
      return {
        source: { address: peerAddress, port: source.port },
        destination: { address: plainAddress(destination.address), port: destination.port },
      };
    }
    const { remotePort, localAddress, localPort } = this.#socket;
    if (remotePort === undefined || localAddress === undefined || localPort === undefined) return null;
    return {
      source: { address: peerAddress, port: remotePort },
      destination: { address: plainAddress(localAddress), port: localPort },
    };
  }

  #count(outcome: ErrorCode | 'established'): void {
    this.#context.counters.passThrough(this.#facts.listener.name, this.#names(), outcome);
    if (this.#assigned) this.#route?.service.countAssigned(this.#target);
  }

  #names(): PassThroughNames {
    return {
      route: this.#route?.config.name ?? '',
      service: this.#route?.service.config.name ?? '',
      version: this.#target?.version ?? '',
      cluster: this.#target?.cluster.name ?? '',
    };
  }

  #finish(code: ErrorCode | '', detail: string): void {
    this.#over = true;
    const { accessLog, clock } = this.#context;
    if (accessLog?.takes(code !== '', this.#route?.config.logged ?? 1) !== true) return;
    const hello = this.#hello;
    const { bytesIn, bytesOut } = this.#tunnel?.totals ?? { bytesIn: 0, bytesOut: 0 };
    accessLog.write({
      at: new Date(clock.wallMs()).toISOString(),
      requestId: this.#facts.id,
      listener: this.#facts.listener.name,
      client: this.#facts.peerAddress,
      method: '',
      host: hello?.serverName ?? '',
      path: '',
      status: 0,
      bytesIn,
      bytesOut,
      durationMs: Math.round((clock.nowMs() - this.#startedMs) * 1000) / 1000,
      ...this.#names(),
      endpoint: this.#endpoint?.id ?? '',
      attempts: this.#attempts,
      error: code,
      detail,
      ...(hello === null ? {} : { alpn: hello.alpn }),
    });
  }
}

const NO_ENDPOINT = { code: 'no_endpoint', detail: 'no endpoint can be used' } as const;

/** Null: nothing that TLS has a word for. */
function alertFor(code: ErrorCode): AlertName | null {
  if (code === 'client_hello_timeout') return null;
  if (code === 'client_hello_malformed') return 'decode_error';
  return code === 'route_not_found' ? 'unrecognized_name' : 'internal_error';
}

/** `error` is always followed by `close`, where all is cleaned up. */
function ignore(): void {
  return undefined;
}
