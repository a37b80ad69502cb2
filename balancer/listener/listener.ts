// A named address that accepts connections, plain or TLS, and hands each to the HTTP engine.
import type { Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { Clock } from '../../health/clock.ts';
import type { ListenerConfig } from '../config/config.ts';
import type { Log } from '../log.ts';
import { AddressSet, plainAddress } from '../message/client-address.ts';
import type { Acceptor, CreateAcceptor } from './acceptor.ts';
import { CertificateSet } from './certificates.ts';

/** What a new connection is known by. */
export interface Accepted {
  readonly listener: ListenerConfig;
  readonly scheme: 'http' | 'https';
  readonly peerAddress: string;
  readonly trusted: AddressSet;
}

export interface ListenerHooks {
  readonly createAcceptor: CreateAcceptor;
  onConnection(socket: Socket, accepted: Accepted): void;
  /** A connection that was closed at once; `reason` is a metric label. */
  onRefused(listener: string, reason: 'too_many_connections' | 'tls_handshake'): void;
}

interface Secure {
  readonly certificates: CertificateSet;
  readonly server: TlsServer;
}

export class Listener {
  readonly name: string;
  readonly #hooks: ListenerHooks;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #acceptor: Acceptor;
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
    this.#acceptor = hooks.createAcceptor(config.name, config.bind, {
      onConnection: (socket) => this.#accept(socket),
      onError: (error) => log.error({ listener: config.name, problem: error.message }, 'connection not accepted'),
    });
  }

  /** Connections that are open now, handshakes included. */
  get connections(): number {
    return this.#open;
  }

  /** Resolves when connections are accepted. Rejects with the system's error, e.g. EADDRINUSE. */
  async start(): Promise<void> {
    await this.#acceptor.open();
    this.#secure?.certificates.start();
  }

  /** True when `config` can be taken over without opening another socket. */
  accepts({ bind }: ListenerConfig): boolean {
    return bind.host === this.#config.bind.host && bind.port === this.#config.bind.port;
  }

  /** What to call to take over all of `config` for connections from then on. Throws, with nothing changed, when a certificate cannot be used. */
  prepare(config: ListenerConfig): () => void {
    const sameTls = JSON.stringify(config.tls) === JSON.stringify(this.#config.tls);
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
    this.#acceptor.close();
  }

  /** Takes over handshakes of accepted sockets; it never listens itself, so certificates and mode can change under an open port. */
  #secureServer({ tls, timeouts }: ListenerConfig): Secure | null {
    if (tls === null) return null;
    const certificates = new CertificateSet(tls, this.#clock, this.#log);
    const server = createTlsServer(
      {
        ...certificates.fallback(),
        allowHalfOpen: true,
        handshakeTimeout: timeouts.handshakeMs,
        ALPNProtocols: ['http/1.1'],
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
