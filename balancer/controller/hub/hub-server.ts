// The server of the hub: connections one after the other, TLS, and the upgrade to a WebSocket of those who may.
import type { RequestListener, Server, ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import websocket, { type WebSocket } from '@fastify/websocket';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { DIALOGUE_LIMITS, SUBPROTOCOLS } from '../../../agent/dialogue.ts';
import { AGENT_PATH, type AgentProtocol } from '../../../agent/protocol.ts';
import type { Clock } from '../../../health/clock.ts';
import type { Bind, ListenerTls } from '../../config/config.ts';
import { CertificateSet } from '../../listener/certificates.ts';
import type { Log } from '../../log.ts';
import { createServer, createTlsServer } from '../http-servers.ts';
import { Admission } from './admission.ts';
import { type Identity, identityOf, protocolOf, type Refusal, REFUSALS } from './identity.ts';

export interface HubServerParts {
  readonly bind: Bind;
  /** Null: plain WebSocket. Whether that may be is the config's to decide. */
  readonly tls: ListenerTls | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly refusalOf: (identity: Identity) => Refusal | null;
  readonly onRefused: (refusal: Refusal) => void;
  readonly onConnection: (socket: WebSocket, identity: Identity, protocol: AgentProtocol) => void;
  readonly onBroken: (reason: 'too_large' | 'broken_frame') => void;
  /** Other authorities, or other lists of what they revoked, are in force. */
  readonly onTrustChanged: () => void;
}

/** A thousand agents, the ones they replace, and those that are not let in. */
const MAX_CONNECTIONS = 4096;

const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: 5000,
  requestTimeout: 5000,
  keepAliveTimeout: 1000,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 8 * 1024,
};

export class HubServer {
  readonly #parts: HubServerParts;
  readonly #admission: Admission;
  #app: FastifyInstance | null = null;
  #certificates: CertificateSet | null = null;

  constructor(parts: HubServerParts) {
    this.#parts = parts;
    this.#admission = new Admission(parts.clock);
  }

  async start(): Promise<Bind> {
    const { bind, tls, clock, log } = this.#parts;
    this.#certificates = tls === null ? null : new CertificateSet(tls, 'agents', clock, log);
    const app = fastify({
      logger: false,
      forceCloseConnections: true,
      exposeHeadRoutes: false,
      serverFactory: (handler: RequestListener) => this.#createServer(handler),
    });
    this.#app = app;
    await app.register(websocket, {
      options: {
        maxPayload: DIALOGUE_LIMITS.messageBytes,
        perMessageDeflate: false,
        handleProtocols: (offered) => chosen([...offered].join(',')),
      },
      errorHandler: (error, socket) => this.#onSocketError(error, socket),
      preClose: (done) => {
        for (const client of app.websocketServer.clients) client.terminate();
        app.websocketServer.close(() => done());
      },
    });
    app.route<{ Params: { cluster: string } }>({
      method: 'GET',
      url: `${AGENT_PATH}:cluster`,
      websocket: true,
      preValidation: (request, reply, done) => {
        if (this.#admit(request, reply)) done();
      },
      handler: (socket, request) => this.#onConnection(socket, request),
    });
    await app.listen({ host: bind.host, port: bind.port, backlog: MAX_CONNECTIONS });
    this.#certificates?.start();
    const { address, port } = app.server.address() as AddressInfo;
    return { host: address, port };
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    this.#admission.close();
    this.#certificates?.close();
    await this.#app?.close();
    this.#app = null;
  }

  #createServer(handler: RequestListener): Server {
    const server = this.#certificates === null ? createServer(SERVER_OPTIONS, handler) : this.#createTlsServer(this.#certificates, handler);
    server.maxConnections = MAX_CONNECTIONS;
    this.#admission.hold(server);
    return server;
  }

  #createTlsServer(certificates: CertificateSet, handler: RequestListener): Server {
    const { tls } = this.#parts;
    const SNICallback: TlsOptions['SNICallback'] = (name, done) => done(null, certificates.choose(name));
    const clients = tls?.clientCertificates ?? null;
    // What an optional certificate is worth is told with a status, which says more than an end of the handshake.
    const asks = clients === null ? {} : { requestCert: true, rejectUnauthorized: clients.mode === 'required' };
    const server = createTlsServer({ ...SERVER_OPTIONS, ...certificates.fallback(), ...asks, SNICallback }, handler);
    let { scope } = certificates;
    certificates.onChange = () => {
      server.setSecureContext(certificates.fallback());
      if (certificates.scope !== scope) this.#parts.onTrustChanged();
      ({ scope } = certificates);
    };
    return server;
  }

  /** Before the upgrade: who has no business here gets an HTTP status and never a WebSocket. */
  #admit(request: FastifyRequest<{ Params: { cluster: string } }>, reply: FastifyReply): boolean {
    const { cluster } = request.params;
    const refusal = this.#parts.refusalOf(identityOf(request, cluster)) ?? (protocolOf(offerOf(request)) === null ? 'no_protocol' : null);
    if (refusal === null) return true;
    this.#parts.onRefused(refusal);
    this.#parts.log.debug({ cluster, reason: refusal, peer: request.socket.remoteAddress }, 'agent refused');
    const { status, message } = REFUSALS[refusal];
    if (status === 401) void reply.header('www-authenticate', 'Bearer');
    void reply.code(status).send({ code: refusal, message });
    return false;
  }

  #onConnection(socket: WebSocket, request: FastifyRequest<{ Params: { cluster: string } }>): void {
    const protocol = protocolOf(offerOf(request));
    if (protocol === null) socket.terminate();
    else this.#parts.onConnection(socket, identityOf(request, request.params.cluster), protocol);
  }

  #onSocketError(error: Error, socket: WebSocket): void {
    const code = 'code' in error ? error.code : '';
    this.#parts.onBroken(code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 'too_large' : 'broken_frame');
    this.#parts.log.debug({ problem: error.message }, 'agent connection broken');
    socket.terminate();
  }
}

function offerOf({ headers }: FastifyRequest): string | undefined {
  return headers['sec-websocket-protocol'];
}

function chosen(offered: string): string | false {
  const protocol = protocolOf(offered);
  return protocol === null ? false : SUBPROTOCOLS[protocol];
}
