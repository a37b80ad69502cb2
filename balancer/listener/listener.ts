// A named address that accepts connections, plain or TLS, and hands each to the HTTP engine.
import type { Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TlsOptions, type TLSSocket } from 'node:tls';
import type { Clock } from '../../health/clock.ts';
import type { ListenerConfig, ListenerTls } from '../config/config.ts';
import type { Log } from '../log.ts';
import { AddressSet, plainAddress } from '../message/client-address.ts';
import type { Acceptor, CreateAcceptor } from './acceptor.ts';
import type { ClientCertificate } from '../message/client-certificate.ts';
import { AddressCounts } from './address-counts.ts';
import type { ProxyEnds } from '../message/proxy-protocol.ts';
import { CertificateSet, type ReloadOutcome } from './certificates.ts';
import { clientIdentity } from './client-identity.ts';
import { readPreface } from './proxy-preface.ts';
import { ticketKeyOf } from './secure-options.ts';

/** What a new connection is known by. */
export interface Accepted {
  readonly listener: ListenerConfig;
  readonly scheme: 'http' | 'https';
  readonly peerAddress: string;
  /** Both ends as a header of the PROXY protocol told them; null: none did, and those of the socket count. */
  readonly told: ProxyEnds | null;
  readonly trusted: AddressSet;
  /** Of the TLS handshake; empty when there was none, or when a resumed session of TLS 1.2 does not tell. */
  readonly serverName: string;
  readonly clientCertificate: ClientCertificate | null;
}

export interface ListenerHooks {
  readonly createAcceptor: CreateAcceptor;
  onConnection(socket: Socket, accepted: Accepted): void;
  /** A connection that was closed at once; `reason` is a metric label. */
  /** A certificate file, or that of the authorities, had changed. */
  onCertificateReload(listener: string, outcome: ReloadOutcome): void;
  onRefused(
    listener: string,
    reason: 'too_many_connections' | 'too_many_from_address' | 'tls_handshake' | 'client_certificate' | 'proxy_protocol',
  ): void;
}

/** What all listeners of a worker share. */
export interface ListenerEnvironment {
  readonly clock: Clock;
  readonly log: Log;
  /** Of the session tickets, the same for all workers of the host; null: none has come yet, and each process has one of its own. */
  readonly ticketKey: () => Buffer | null;
}

interface Secure {
  readonly certificates: CertificateSet;
  readonly server: TlsServer;
}

/** What the handshake told, if there was one. */
type Secured = Pick<Accepted, 'scheme' | 'serverName' | 'clientCertificate'>;

const PLAIN: Secured = { scheme: 'http', serverName: '', clientCertificate: null };
/** Of OpenSSL, for a client that sends no certificate where one is required. */
const NO_CERTIFICATE = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

export class Listener {
  readonly name: string;
  readonly #hooks: ListenerHooks;
  readonly #environment: ListenerEnvironment;
  readonly #acceptor: Acceptor;
  #config: ListenerConfig;
  #trusted: AddressSet;
  /** Who may send a header of the PROXY protocol; null: there is none to be read. */
  #proxies: AddressSet | null;
  /** By the addresses of the connection: what the header of one said whose TLS handshake runs. */
  readonly #claims = new Map<string, ProxyEnds>();
  #secure: Secure | null;
  #open = 0;
  #closed = false;
  readonly #addresses = new AddressCounts();

  /** Throws when a certificate cannot be used. */
  constructor(config: ListenerConfig, hooks: ListenerHooks, environment: ListenerEnvironment) {
    this.name = config.name;
    this.#hooks = hooks;
    this.#environment = environment;
    this.#config = config;
    this.#trusted = new AddressSet(config.trustedPeers);
    this.#proxies = proxiesOf(config);
    this.#secure = this.#secureServer(config);
    this.#acceptor = hooks.createAcceptor(config.name, config.bind, {
      onConnection: (socket) => this.#accept(socket),
      onError: (error) => environment.log.error({ listener: config.name, problem: error.message }, 'connection not accepted'),
    });
  }

  /** Connections that are open now, handshakes included. */
  get connections(): number {
    return this.#open;
  }

  /** Closed, and the last of its connections has ended. */
  get isOver(): boolean {
    return this.#closed && this.#open === 0;
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

  /** Takes up the present ticket key. Tickets of the one before cost their clients a full handshake. */
  renewTicketKey(): void {
    const key = this.#environment.ticketKey();
    if (key !== null && this.#secure !== null) this.#secure.server.setTicketKeys(ticketKeyOf(key, this.#secure.certificates.scope));
  }

  /** What to call to take over all of `config` for connections from then on. Throws, with nothing changed, when a certificate cannot be used. */
  prepare(config: ListenerConfig): () => void {
    const sameTls = JSON.stringify(handshakeOf(config)) === JSON.stringify(handshakeOf(this.#config));
    const secure = sameTls ? this.#secure : this.#secureServer(config);
    const trusted = new AddressSet(config.trustedPeers);
    const proxies = proxiesOf(config);
    return () => {
      if (!sameTls) this.#secure?.certificates.close();
      secure?.certificates.start();
      this.#secure = secure;
      this.#config = config;
      this.#trusted = trusted;
      this.#proxies = proxies;
    };
  }

  /** Accepts what waits, and nothing more; connections that are open go on. */
  async close(): Promise<void> {
    this.#secure?.certificates.close();
    await this.#acceptor.close();
    this.#closed = true;
  }

  /** Takes over handshakes of accepted sockets; it never listens itself, so certificates and mode can change under an open port. */
  #secureServer({ name, tls, timeouts, http2 }: ListenerConfig): Secure | null {
    if (tls === null) return null;
    const { clock, log, ticketKey } = this.#environment;
    const certificates = new CertificateSet(tls, name, clock, log);
    const sharedKey = ticketKey();
    const server = createTlsServer(
      {
        ...certificates.fallback(),
        allowHalfOpen: true,
        handshakeTimeout: timeouts.handshakeMs,
        ALPNProtocols: http2.enabled ? ['h2', 'http/1.1'] : ['http/1.1'],
        ...(sharedKey === null ? {} : { ticketKeys: ticketKeyOf(sharedKey, certificates.scope) }),
        ...askFor(tls.clientCertificates),
        SNICallback: (serverName, done) => done(null, certificates.choose(serverName)),
      },
      (socket) => this.#secured(socket, tls, certificates.revocationsOutdated),
    );
    certificates.onChange = () => {
      server.setSecureContext(certificates.fallback());
      this.renewTicketKey();
    };
    certificates.onReload = (outcome) => this.#hooks.onCertificateReload(this.name, outcome);
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      // Null until the certificate of a client was found wanting, whatever the types say.
      const unauthorized: unknown = Reflect.get(socket, 'authorizationError');
      const certificate = error.code === NO_CERTIFICATE || (unauthorized !== null && unauthorized !== undefined);
      this.#hooks.onRefused(this.name, certificate ? 'client_certificate' : 'tls_handshake');
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
    if (this.#proxies === null) this.#begin(socket, null);
    else this.#expectHeader(socket, this.#proxies);
  }

  #expectHeader(socket: Socket, proxies: AddressSet): void {
    const { proxyProtocol, timeouts } = this.#config;
    const trusted = proxies.has(plainAddress(socket.remoteAddress ?? ''));
    const required = proxyProtocol?.required ?? false;
    if (required && !trusted) {
      this.#refuseHeader(socket, 'the peer is not one that may send it');
      socket.destroy();
      return;
    }
    const { clock } = this.#environment;
    readPreface(socket, { trusted, required, timeoutMs: timeouts.handshakeMs, clock }, (preface) => {
      if (preface.kind === 'accepted') return this.#begin(socket, preface.ends);
      if (preface.kind === 'refused') this.#refuseHeader(socket, preface.problem);
      socket.destroy();
    });
  }

  #refuseHeader(socket: Socket, problem: string): void {
    this.#hooks.onRefused(this.name, 'proxy_protocol');
    this.#environment.log.debug(
      { listener: this.name, peer: socket.remoteAddress, problem },
      'no header of the PROXY protocol as expected',
    );
  }

  #begin(socket: Socket, ends: ProxyEnds | null): void {
    if (!this.#mayComeFrom(plainAddress(ends?.source.address ?? socket.remoteAddress ?? ''), socket)) {
      this.#hooks.onRefused(this.name, 'too_many_from_address');
      socket.destroy();
      return;
    }
    if (this.#secure === null) return this.#handOver(socket, PLAIN, ends);
    if (ends !== null) {
      // The TLS server makes another socket of this one, which has the addresses in common with it and nothing else.
      const key = addressesOf(socket);
      this.#claims.set(key, ends);
      socket.once('close', () => this.#claims.delete(key));
    }
    this.#secure.server.emit('connection', socket);
  }

  /** Counts the connection to its client, unless that is a trusted peer, behind which there are many. */
  #mayComeFrom(client: string, socket: Socket): boolean {
    if (this.#trusted.has(client)) return true;
    if (!this.#addresses.take(client, this.#config.limits.connectionsPerAddress)) return false;
    socket.once('close', () => this.#addresses.release(client));
    return true;
  }

  #secured(socket: TLSSocket, { clientCertificates }: ListenerTls, revocationsOutdated: boolean): void {
    const identity = clientCertificates === null ? null : clientIdentity(socket, clientCertificates, this.#environment.clock.wallMs());
    if (identity === 'refused' || (identity !== null && revocationsOutdated)) {
      this.#hooks.onRefused(this.name, 'client_certificate');
      socket.destroy();
      return;
    }
    // False when there is none, whatever the types say.
    const serverName = typeof socket.servername === 'string' ? socket.servername.toLowerCase() : '';
    const ends = this.#claims.size === 0 ? null : (this.#claims.get(addressesOf(socket)) ?? null);
    this.#handOver(socket, { scheme: 'https', serverName, clientCertificate: identity }, ends);
  }

  #handOver(socket: Socket, secured: Secured, ends: ProxyEnds | null): void {
    this.#hooks.onConnection(socket, {
      ...secured,
      listener: this.#config,
      peerAddress: plainAddress(ends?.source.address ?? socket.remoteAddress ?? ''),
      told: ends,
      trusted: this.#trusted,
    });
  }
}

/**
 * OpenSSL refuses a client without a certificate where one is required, and tells it so. What is wrong with one that is sent is
 * looked at after the handshake, in one place for all modes.
 */
function askFor(rules: ListenerTls['clientCertificates']): TlsOptions {
  return rules === null ? {} : { requestCert: true, rejectUnauthorized: rules.mode === 'required' };
}

/** What a change of makes another TLS server necessary. */
function handshakeOf({ tls, timeouts, http2 }: ListenerConfig): object {
  return { tls, handshakeMs: timeouts.handshakeMs, http2: http2.enabled };
}

const proxiesOf = ({ proxyProtocol }: ListenerConfig): AddressSet | null =>
  proxyProtocol === null ? null : new AddressSet(proxyProtocol.from);

const addressesOf = ({ remoteAddress = '', remotePort = 0, localAddress = '' }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress}`;
