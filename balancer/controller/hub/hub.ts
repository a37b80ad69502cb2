// The hub of the agents: checks who may report before a connection is upgraded, and keeps what they report.
import type { RequestListener, Server, ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import websocket, { type WebSocket } from '@fastify/websocket';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { createServer, createTlsServer } from '../http-servers.ts';
import { AGENT_PATH, HUB_CLOSE } from '../../../agent/protocol.ts';
import type { Clock, Timer } from '../../../health/clock.ts';
import type { Bind, ListenerTls } from '../../config/config.ts';
import { CertificateSet } from '../../listener/certificates.ts';
import type { Log } from '../../log.ts';
import type { AgentState, CapacityReport } from '../../steer/plan-shape.ts';
import type { AgentView } from '../api/views.ts';
import { AgentReports } from './agent-reports.ts';
import { AgentSession, type Verdict } from './agent-session.ts';
import { decodeMessage, type MessageRejection } from './decode-snapshot.ts';

/** Why a connection is refused, with what the agent is told. */
const REFUSALS = {
  no_token: { status: 401, message: 'expected the field authorization: Bearer TOKEN with the token of an agent' },
  wrong_token: { status: 401, message: 'the token is not known, or it is valid no more' },
  wrong_cluster: { status: 403, message: 'the token is for another cluster' },
  unknown_cluster: { status: 404, message: 'the config names no such cluster' },
} as const;
type Refusal = keyof typeof REFUSALS;

/** Why a connection or a message was refused: the `reason` of `weir_agent_rejections_total`. */
export type HubRejection = MessageRejection | Refusal | 'too_fast' | 'broken_frame' | 'too_large';

export interface AgentEvent {
  readonly cluster: string;
  /** One line for the operators; null: only numbers changed. */
  readonly text: string | null;
}

export interface HubParts {
  readonly bind: Bind;
  /** Null: plain WebSocket. Whether that may be is the config's to decide. */
  readonly tls: ListenerTls | null;
  /** What a secret may report for: a cluster, or any (`cluster: null`); null: nothing. */
  readonly verifyToken: (secret: string) => { readonly cluster: string | null } | null;
  /** The clusters of the config that is served now. */
  readonly clusters: () => ReadonlySet<string>;
  readonly clock: Clock;
  readonly log: Log;
  /** `weir_agent_messages_total`. */
  readonly countMessage: (cluster: string, outcome: 'accepted' | 'rejected') => void;
  /** `weir_agent_rejections_total`. */
  readonly countRejection: (reason: HubRejection) => void;
  /** After a state or a capacity changed. */
  readonly onChange: (event: AgentEvent) => void;
}

export interface Hub {
  /** Rejects when a certificate cannot be used or the address is taken. Resolves with where it listens. */
  start(): Promise<Bind>;
  /** Ends all connections. */
  close(): Promise<void>;
  /** One per cluster of the config, in its order. */
  agents(): readonly AgentView[];
  /** The last report of each cluster, fresh or not; a cluster without one is not named. */
  reports(): Readonly<Record<string, CapacityReport & { readonly periodMs: number }>>;
  /** Requests per second that are declared by fresh and stale reports; a cluster without one is not named. */
  capacity(): Readonly<Record<string, number>>;
}

const MAX_MESSAGE_BYTES = 64 * 1024;
const MAX_CONNECTIONS = 1024;
/** How often states are looked at, as an agent that falls silent sends nothing to act on. */
const LOOK_MS = 500;

const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: 5000,
  requestTimeout: 5000,
  keepAliveTimeout: 1000,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 8 * 1024,
};

export function createHub(parts: HubParts): Hub {
  return new AgentHub(parts);
}

class AgentHub implements Hub {
  readonly #parts: HubParts;
  readonly #reports = new AgentReports();
  /** One connection per cluster, with the secret that opened it. */
  readonly #connected = new Map<string, { readonly session: AgentSession; readonly secret: string }>();
  /** States as they were last told. */
  readonly #told = new Map<string, AgentState>();
  #app: FastifyInstance | null = null;
  #certificates: CertificateSet | null = null;
  #timer: Timer | null = null;

  constructor(parts: HubParts) {
    this.#parts = parts;
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
      options: { maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false },
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
      handler: (socket, request) => this.#onConnection(socket, request.params.cluster, bearerOf(request)),
    });
    await app.listen({ host: bind.host, port: bind.port });
    this.#certificates?.start();
    this.#look();
    const { address, port } = app.server.address() as AddressInfo;
    return { host: address, port };
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#certificates?.close();
    await this.#app?.close();
    this.#app = null;
  }

  agents(): readonly AgentView[] {
    const nowMs = this.#parts.clock.nowMs();
    return [...this.#parts.clusters()].map((cluster) => ({
      ...this.#reports.view(cluster, nowMs),
      connected: this.#connected.has(cluster),
    }));
  }

  reports(): Readonly<Record<string, CapacityReport & { readonly periodMs: number }>> {
    return this.#reports.reports(this.#parts.clock.nowMs());
  }

  capacity(): Readonly<Record<string, number>> {
    return this.#reports.capacity(this.#parts.clock.nowMs());
  }

  #createServer(handler: RequestListener): Server {
    const server = this.#certificates === null ? createServer(SERVER_OPTIONS, handler) : this.#createTlsServer(this.#certificates, handler);
    server.maxConnections = MAX_CONNECTIONS;
    return server;
  }

  #createTlsServer(certificates: CertificateSet, handler: RequestListener): Server {
    const SNICallback: TlsOptions['SNICallback'] = (name, done) => done(null, certificates.choose(name));
    const server = createTlsServer({ ...SERVER_OPTIONS, ...certificates.fallback(), SNICallback }, handler);
    certificates.onChange = () => server.setSecureContext(certificates.fallback());
    return server;
  }

  /** Before the upgrade: who has no business here gets an HTTP status and never a WebSocket. */
  #admit(request: FastifyRequest<{ Params: { cluster: string } }>, reply: FastifyReply): boolean {
    const { cluster } = request.params;
    const refusal = this.#refusalOf(bearerOf(request), cluster);
    if (refusal === null) return true;
    this.#parts.countRejection(refusal);
    this.#parts.log.debug({ cluster, reason: refusal, peer: request.socket.remoteAddress }, 'agent refused');
    const { status, message } = REFUSALS[refusal];
    if (status === 401) void reply.header('www-authenticate', 'Bearer');
    void reply.code(status).send({ code: refusal, message });
    return false;
  }

  /** Why the holder of a secret may not report for a cluster; null: it may. */
  #refusalOf(secret: string, cluster: string): Refusal | null {
    if (secret === '') return 'no_token';
    const granted = this.#parts.verifyToken(secret);
    if (granted === null) return 'wrong_token';
    if (granted.cluster !== null && granted.cluster !== cluster) return 'wrong_cluster';
    return this.#parts.clusters().has(cluster) ? null : 'unknown_cluster';
  }

  #onConnection(socket: WebSocket, cluster: string, secret: string): void {
    const session = new AgentSession(socket, this.#parts.clock, {
      onMessage: (text) => this.#onMessage(cluster, text),
      onRefused: (reason) => this.#refuse(cluster, reason),
      onClosed: () => {
        // A session that was replaced meanwhile must not take the new one with it.
        if (this.#connected.get(cluster)?.session !== session) return;
        this.#connected.delete(cluster);
        // Its report counts for a while yet; who watches should know at once.
        if (this.#app !== null) this.#parts.onChange({ cluster, text: `the agent of ${cluster} has left` });
      },
    });
    // The newest wins: an agent that comes back must not wait for the hub to notice that its old connection is dead.
    this.#connected.get(cluster)?.session.close(HUB_CLOSE.replaced, 'another agent reports for this cluster');
    this.#connected.set(cluster, { session, secret });
    session.start();
  }

  #onMessage(cluster: string, text: string): Verdict {
    const { clock, countMessage, onChange } = this.#parts;
    const decoded = decodeMessage(text, { cluster, last: this.#reports.last(cluster) });
    if (!decoded.ok) {
      this.#refuse(cluster, decoded.reason);
      return { sequence: decoded.sequence, refused: decoded.reason };
    }
    const { snapshot } = decoded;
    const capacityBefore = this.capacity()[cluster];
    this.#reports.accept(snapshot, clock.nowMs());
    countMessage(cluster, 'accepted');
    this.#tell(cluster);
    if (this.capacity()[cluster] !== capacityBefore) onChange({ cluster, text: null });
    return { sequence: snapshot.sequence, refused: null };
  }

  #refuse(cluster: string, reason: HubRejection): void {
    this.#parts.countMessage(cluster, 'rejected');
    this.#parts.countRejection(reason);
  }

  #onSocketError(error: Error, socket: WebSocket): void {
    const code = 'code' in error ? error.code : '';
    this.#parts.countRejection(code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 'too_large' : 'broken_frame');
    this.#parts.log.debug({ problem: error.message }, 'agent connection broken');
    socket.terminate();
  }

  /** Tells which states moved with time, and lets go of agents whose token or cluster is no more. */
  #look(): void {
    for (const [cluster, { session, secret }] of this.#connected) {
      const refusal = this.#refusalOf(secret, cluster);
      if (refusal !== null) session.close(HUB_CLOSE.notWanted, REFUSALS[refusal].message);
    }
    const wanted = this.#parts.clusters();
    for (const cluster of this.#reports.clusters) {
      if (wanted.has(cluster)) this.#tell(cluster);
      else this.#forget(cluster);
    }
    this.#timer = this.#parts.clock.after(LOOK_MS, () => this.#look(), true);
  }

  #forget(cluster: string): void {
    this.#reports.forget(cluster);
    this.#told.delete(cluster);
  }

  #tell(cluster: string): void {
    const state = this.#reports.state(cluster, this.#parts.clock.nowMs());
    const before = this.#told.get(cluster) ?? 'absent';
    if (state === before) return;
    this.#told.set(cluster, state);
    this.#parts.onChange({ cluster, text: `the agent of ${cluster} is ${state}` });
  }
}

/** The secret of `authorization: Bearer SECRET`; empty when there is none. */
function bearerOf(request: FastifyRequest): string {
  return /^Bearer ([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
}
