// A named address that accepts connections, plain or TLS, and hands each to the HTTP engine.
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { Clock } from '../../health/clock.ts';
import type { ListenerConfig } from '../config/config.ts';
import type { Log } from '../log.ts';
import { AddressSet, plainAddress } from '../message/client-address.ts';
import { CertificateSet } from './certificates.ts';

/** What a new connection is known by. */
export interface Accepted {
  readonly listener: ListenerConfig;
  readonly scheme: 'http' | 'https';
  readonly peerAddress: string;
  readonly trusted: AddressSet;
}

export interface ListenerHooks {
  onConnection(socket: Socket, accepted: Accepted): void;
  /** A connection that was closed at once; `reason` is a metric label. */
  onRefused(listener: string, reason: 'too_many_connections' | 'tls_handshake'): void;
}

interface Secure {
  readonly certificates: CertificateSet;
  readonly server: TlsServer;
}

/** Connections that wait for a worker; the system may cap it (net.core.somaxconn). */
const BACKLOG = 4096;

export class Listener {
  readonly name: string;
  readonly #hooks: ListenerHooks;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #server: Server;
  #config: ListenerConfig;
  #trusted: AddressSet;
  #secure: Secure | null;
  #open = 0;

  /** Throws when a certificate cannot be used. */
  constructor(config: ListenerConfig, hooks: ListenerHooks, clock: Clock, log: Log) {
    this.name = config.name;
    this.#hooks = hooks;
    this.#clock = clock;
    this.#log = log;
    this.#config = config;
    this.#trusted = new AddressSet(config.trustedPeers);
    this.#secure = this.#secureServer(config);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /** Connections that are open now, handshakes included. */
  get connections(): number {
    return this.#open;
  }

  /** Resolves when connections are accepted. Rejects with the system's error, e.g. EADDRINUSE. */
  async start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.#server.once('error', reject);
    this.#server.listen({ ...this.#config.bind, backlog: BACKLOG }, () => {
      this.#server.off('error', reject);
      resolve(undefined);
    });
    await promise;
    // A connection that cannot be accepted (no file descriptor left) is lost; the others are not.
    this.#server.on('error', (error) => this.#log.error({ listener: this.name, problem: error.message }, 'connection not accepted'));
    this.#secure?.certificates.start();
  }

  /** True when `config` can be taken over without opening another socket. */
  accepts({ bind }: ListenerConfig): boolean {
    return bind.host === this.#config.bind.host && bind.port === this.#config.bind.port;
  }

  /** What to call to take over all of `config` for connections from then on. Throws, with nothing changed, when a certificate cannot be used. */
  prepare(config: ListenerConfig): () => void {
    const sameTls = JSON.stringify(config.tls) === JSON.stringify(this.#config.tls) && config.http2.enabled === this.#config.http2.enabled;
    const secure = sameTls ? this.#secure : this.#secureServer(config);
    const trusted = new AddressSet(config.trustedPeers);
    return () => {
      if (!sameTls) this.#secure?.certificates.close();
      secure?.certificates.start();
      this.#secure = secure;
      this.#config = config;
      this.#trusted = trusted;
    };
  }

  /** Accepts nothing more; connections that are open go on. */
  close(): void {
    this.#secure?.certificates.close();
    this.#server.close();
  }

  /** Takes over handshakes of accepted sockets; it never listens itself, so certificates and mode can change under an open port. */
  #secureServer({ tls, timeouts, http2 }: ListenerConfig): Secure | null {
    if (tls === null) return null;
    const certificates = new CertificateSet(tls, this.#clock, this.#log);
    const server = createTlsServer(
      {
        ...certificates.fallback(),
        allowHalfOpen: true,
        handshakeTimeout: timeouts.handshakeMs,
        ALPNProtocols: http2.enabled ? ['h2', 'http/1.1'] : ['http/1.1'],
        minVersion: tls.minVersion,
        SNICallback: (serverName, done) => done(null, certificates.choose(serverName)),
      },
      (socket) => this.#handOver(socket, 'https'),
    );
    certificates.onChange = () => server.setSecureContext({ ...certificates.fallback(), minVersion: tls.minVersion });
    server.on('tlsClientError', (_error, socket) => {
      this.#hooks.onRefused(this.name, 'tls_handshake');
      socket.destroy();
    });
    return { certificates, server };
  }

  #accept(socket: Socket): void {
    if (this.#open >= this.#config.limits.connections) {
      this.#hooks.onRefused(this.name, 'too_many_connections');
      socket.destroy();
      return;
    }
    this.#open += 1;
    socket.once('close', () => (this.#open -= 1));
    if (this.#secure === null) this.#handOver(socket, 'http');
    else this.#secure.server.emit('connection', socket);
  }

  #handOver(socket: Socket, scheme: 'http' | 'https'): void {
    this.#hooks.onConnection(socket, {
      listener: this.#config,
      scheme,
      peerAddress: plainAddress(socket.remoteAddress ?? ''),
      trusted: this.#trusted,
    });
  }
}
