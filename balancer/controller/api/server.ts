// The admin API: one set of routes behind two doors, the unix socket (file permissions) and TCP (bearer tokens). The only importer of fastify here.
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import websocket, { type WebSocket } from '@fastify/websocket';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { createServer, createTlsServer } from '../http-servers.ts';
import type { Clock } from '../../../health/clock.ts';
import { INTERMEDIATE_SUITES } from '../../config/cipher-suites.ts';
import type { Bind, CertificateFiles } from '../../config/config.ts';
import { CertificateSet } from '../../listener/certificates.ts';
import type { Log } from '../../log.ts';
import { roleAllows } from '../auth/tokens.ts';
import type { Appliance, Caller } from '../appliance.ts';
import { FailureLimit } from './failure-limit.ts';
import {
  CLAIMS_HEADER,
  type Identified,
  type Origin,
  bearerOf,
  hostRefusal,
  identifyBearer,
  identifyLocal,
  isLoopback,
} from './identify.ts';
import { type LineStream, streamEvents, streamStatus } from './line-stream.ts';
import { LiveFeed } from './live-feed.ts';
import { type Failure, failure, failureOfError } from './problem.ts';
import { type Answer, FEED_ROUTE, ROUTES, type Route } from './routes.ts';
import { decodeFeedQuery } from './schemas.ts';
import { listenPrivately } from './unix-socket.ts';

/** Open watch and event streams, all callers together. */
const MAX_STREAMS = 128;
const MAX_CONNECTIONS = 512;
/** How often the token of an open stream is looked at: a stream must not outlive the right to it. */
const RECHECK_MS = 1000;
/** How long close() lets answers that are under way finish. */
const CLOSE_GRACE_MS = 2000;

/** A reader of the feed has nothing to say. */
const MAX_FEED_MESSAGE_BYTES = 1024;
/** Changes of a second are smaller than what compressing them costs. */
const COMPRESSED_FROM_BYTES = 4096;

const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: 5000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 16 * 1024,
};

export interface AdminApiParts {
  readonly appliance: Appliance;
  readonly socketPath: string;
  /** Null: the unix socket only. */
  readonly bind: Bind | null;
  readonly tls: CertificateFiles | null;
  readonly clock: Clock;
  readonly log: Log;
}

export interface AdminApi {
  /** Rejects when the socket is served by a living process or the address is taken. */
  start(): Promise<void>;
  /** Ends the streams, lets answers finish for a moment, removes the socket file. */
  close(): Promise<void>;
  /** Where TCP listens, for port 0; null before start and without a bind. */
  address(): Bind | null;
}

/** An answer without an end. */
type Stream = Pick<LineStream, 'close'>;

/** Who asked, and how. */
interface Requester {
  readonly caller: Caller;
  readonly origin: Origin;
  readonly request: IncomingMessage;
}

export function createAdminApi(parts: AdminApiParts): AdminApi {
  return new FastifyAdminApi(parts);
}

class FastifyAdminApi implements AdminApi {
  readonly #parts: AdminApiParts;
  readonly #app: FastifyInstance;
  readonly #failures: FailureLimit;
  readonly #origins = new WeakMap<IncomingMessage, Origin>();
  readonly #callers = new WeakMap<IncomingMessage, Caller>();
  readonly #streams = new Set<Stream>();
  readonly #feed: LiveFeed;
  readonly #servers: Server[] = [];
  #certificates: CertificateSet | null = null;
  #address: Bind | null = null;

  constructor(parts: AdminApiParts) {
    this.#parts = parts;
    this.#failures = new FailureLimit(parts.clock);
    this.#feed = new LiveFeed({ ...parts, epoch: randomBytes(8).toString('hex') });
    this.#app = fastify({
      logger: false,
      exposeHeadRoutes: false,
      // A path that cannot be decoded is met before any route, and outside of the error handler.
      frameworkErrors: (error, _request, reply) => void send(reply, failureOfError(error)),
    });
    this.#acceptBodies();
    for (const route of ROUTES) this.#addRoute(route);
    this.#addFeed();
    this.#app.setNotFoundHandler((request, reply) => {
      const message = `no ${request.method} ${request.url.split('?')[0] ?? ''} in this API`;
      return send(reply, failure({ code: 'not_found', message }));
    });
    this.#app.setErrorHandler((error, request, reply) => {
      const failed = failureOfError(error);
      const { problem } = failed;
      if (problem.code === 'internal') parts.log.error({ error, route: request.routeOptions.url }, 'admin request failed');
      else if (failed.status >= 500) parts.log.warn({ problem: problem.message }, 'admin request refused');
      return send(reply, failed);
    });
  }

  async start(): Promise<void> {
    const { bind, tls, socketPath } = this.#parts;
    if (bind !== null && tls === null && !isLoopback(bind.host)) {
      throw new Error(
        `admin.bind ${bind.host}:${bind.port} is reachable from other machines, so it needs admin.tls (or bind to 127.0.0.1)`,
      );
    }
    await this.#app.ready();
    const local = createServer(SERVER_OPTIONS, (request, response) => this.#receive('socket', request, response));
    local.on('upgrade', (...upgrade) => this.#upgrade('socket', upgrade));
    await listenPrivately(this.#keep(local), socketPath);
    if (bind === null) return;
    const receive = (request: IncomingMessage, response: ServerResponse): void => this.#receive('network', request, response);
    try {
      const network = tls === null ? createServer(SERVER_OPTIONS, receive) : this.#createTlsServer(tls, receive);
      network.on('upgrade', (...upgrade) => this.#upgrade('network', upgrade));
      this.#address = await listen(this.#keep(network), bind);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#certificates?.close();
    for (const stream of this.#streams) stream.close();
    const servers = this.#servers.splice(0);
    const grace = this.#parts.clock.after(CLOSE_GRACE_MS, () => servers.forEach((server) => server.closeAllConnections()), true);
    await Promise.all(servers.map((server) => new Promise((resolve) => void server.close(resolve))));
    grace.cancel();
    await this.#app.close();
    this.#address = null;
  }

  address(): Bind | null {
    return this.#address;
  }

  /** One certificate, taken up anew when its files change. */
  #createTlsServer(files: CertificateFiles, receive: (request: IncomingMessage, response: ServerResponse) => void): Server {
    const { clock, log } = this.#parts;
    const tls = { certificates: [files], minVersion: 'TLSv1.2', ciphers: INTERMEDIATE_SUITES, clientCertificates: null } as const;
    const certificates = new CertificateSet(tls, 'admin', clock, log);
    const server = createTlsServer({ ...SERVER_OPTIONS, ...certificates.fallback() }, receive);
    certificates.onChange = () => server.setSecureContext(certificates.fallback());
    certificates.start();
    this.#certificates = certificates;
    return server;
  }

  #keep(server: Server): Server {
    server.maxConnections = MAX_CONNECTIONS;
    this.#servers.push(server);
    return server;
  }

  /** Upgrades go the way of requests: by the same hooks, with the same caller. */
  #upgrade(origin: Origin, [request, socket, head]: readonly [IncomingMessage, Duplex, Buffer]): void {
    this.#origins.set(request, origin);
    this.#app.server.emit('upgrade', request, socket, head);
  }

  #receive(origin: Origin, request: IncomingMessage, response: ServerResponse): void {
    this.#origins.set(request, origin);
    this.#app.routing(request, response);
  }

  /** JSON for requests, text for configs; nothing else is read. */
  #acceptBodies(): void {
    this.#app.removeContentTypeParser('text/plain');
    this.#app.addContentTypeParser(['application/yaml', 'text/plain'], { parseAs: 'string' }, (_request, body, done) => done(null, body));
  }

  #addRoute(route: Route): void {
    this.#app.route({
      method: route.method,
      url: route.path,
      // Fastify wants a positive limit; a body where none is taken is skipped, but not for long.
      bodyLimit: Math.max(route.maxBodyBytes, 1024),
      onRequest: async (request, reply) => {
        const refused = this.#admit(route, request.raw);
        if (refused !== null) await send(reply, refused);
      },
      handler: (request, reply) => this.#handle(route, request, reply),
    });
  }

  /** The plugin comes first: it sees to the routes that are added after it. */
  #addFeed(): void {
    const options = {
      maxPayload: MAX_FEED_MESSAGE_BYTES,
      perMessageDeflate: { threshold: COMPRESSED_FROM_BYTES, serverNoContextTakeover: true, zlibDeflateOptions: { level: 1 } },
    };
    void this.#app.register(websocket, {
      options,
      errorHandler: (_error, socket) => socket.terminate(),
      preClose: function (done) {
        for (const client of this.websocketServer.clients) client.terminate();
        this.websocketServer.close(() => done());
      },
    });
    void this.#app.register((scope, _options, done) => {
      scope.route({
        method: 'GET',
        url: FEED_ROUTE.path,
        onRequest: async (request, reply) => {
          const refused = this.#admit(FEED_ROUTE, request.raw) ?? this.#feedRefusal(request);
          if (refused !== null) await send(reply, refused);
        },
        handler: (_request, reply) =>
          send(
            reply.header('upgrade', 'websocket'),
            failure({ code: 'usage', message: `${FEED_ROUTE.path} is a WebSocket: ask for an upgrade` }, 426),
          ),
        wsHandler: (socket, request) => this.#readFeed(socket, request),
      });
      done();
    });
  }

  #feedRefusal(request: FastifyRequest): Failure | null {
    const decoded = decodeFeedQuery(request.query);
    if (!decoded.ok) return failure({ code: 'usage', message: decoded.message });
    return this.#streams.size >= MAX_STREAMS ? tooManyStreams() : null;
  }

  #readFeed(socket: WebSocket, { raw, query }: FastifyRequest): void {
    const caller = this.#callers.get(raw);
    const origin = this.#origins.get(raw);
    const decoded = decodeFeedQuery(query);
    if (caller === undefined || origin === undefined || !decoded.ok) throw new Error('a reader of the feed came past its checks');
    const { epoch, number } = decoded.value;
    const stream = this.#feed.add(socket, caller.role, epoch === undefined || number === undefined ? null : { epoch, number });
    this.#streams.add(stream);
    const stopRechecking = origin === 'socket' ? () => undefined : this.#recheck(stream, { caller, origin, request: raw });
    socket.once('close', () => {
      stopRechecking();
      this.#streams.delete(stream);
    });
  }

  /** Who calls and whether that one may; before the body is read. */
  #admit(route: Pick<Route, 'method' | 'path' | 'role'>, request: IncomingMessage): Failure | null {
    const identified = this.#identify(request);
    if (!identified.ok) return identified.failure;
    const { caller } = identified;
    if (!roleAllows(caller.role, route.role)) {
      const message = `${caller.author.name} has role ${caller.role}; ${route.method} ${route.path} needs role ${route.role}`;
      return failure({ code: 'forbidden', message });
    }
    this.#callers.set(request, caller);
    return null;
  }

  #identify(request: IncomingMessage): Identified {
    const claims = request.headers[CLAIMS_HEADER];
    if (this.#origins.get(request) === 'socket') return identifyLocal(typeof claims === 'string' ? claims : null);
    const { appliance, bind, log } = this.#parts;
    const misdirected = bind === null ? null : hostRefusal(request.headers.host, bind);
    if (misdirected !== null) return { ok: false, failure: misdirected };
    const identified = identifyBearer(request, appliance, this.#failures);
    if (!identified.ok && identified.failure.status === 401) log.warn({ address: request.socket.remoteAddress }, 'admin token refused');
    return identified;
  }

  async #handle(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const caller = this.#callers.get(request.raw);
    const origin = this.#origins.get(request.raw);
    if (caller === undefined || origin === undefined) throw new Error('a request reached its handler without a caller');
    const answer = await route.handle({
      appliance: this.#parts.appliance,
      caller,
      origin,
      name: nameOf(request.params),
      query: request.query,
      body: request.body,
    });
    return this.#answer(answer, { caller, origin, request: request.raw }, reply);
  }

  #answer(answer: Answer, by: Requester, reply: FastifyReply): FastifyReply {
    void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
    switch (answer.kind) {
      case 'json':
        return reply
          .code(answer.status ?? 200)
          .type('application/json')
          .send(JSON.stringify(answer.value));
      case 'yaml':
        return reply.type('application/yaml').send(answer.text);
      case 'failure':
        return send(reply, answer.failure);
      case 'status_stream':
        return this.#stream(reply, by, (response) => streamStatus({ ...this.#parts, response }, by.caller.role));
      case 'event_stream':
        return this.#stream(reply, by, (response) => streamEvents({ ...this.#parts, response }, answer.backlog));
    }
  }

  #stream(reply: FastifyReply, by: Requester, open: (response: ServerResponse) => LineStream): FastifyReply {
    if (this.#streams.size >= MAX_STREAMS) return send(reply, tooManyStreams());
    reply.hijack();
    const stream = open(reply.raw);
    this.#streams.add(stream);
    const stopRechecking = by.origin === 'socket' ? () => undefined : this.#recheck(stream, by);
    reply.raw.once('close', () => {
      stopRechecking();
      this.#streams.delete(stream);
    });
    return reply;
  }

  /** Ends the stream when its token is revoked, expires, or comes to stand for somebody else. */
  #recheck(stream: Stream, { request, caller }: Requester): () => void {
    const { appliance, clock } = this.#parts;
    const look = (): void => {
      const now = bearerOf(request, appliance);
      if (now === null || now.author.name !== caller.author.name || now.role !== caller.role) stream.close();
      else timer = clock.after(RECHECK_MS, look, true);
    };
    let timer = clock.after(RECHECK_MS, look, true);
    return () => timer.cancel();
  }
}

function tooManyStreams(): Failure {
  return failure({ code: 'internal', message: `${MAX_STREAMS} streams are open already; close some` }, 503);
}

function send(reply: FastifyReply, failed: Failure): FastifyReply {
  if (failed.status === 401) void reply.header('www-authenticate', 'Bearer realm="weir"');
  if (failed.retryAfterSeconds !== undefined) void reply.header('retry-after', String(failed.retryAfterSeconds));
  return reply
    .code(failed.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify(failed.problem));
}

function nameOf(params: unknown): string {
  return typeof params === 'object' && params !== null && 'name' in params && typeof params.name === 'string' ? params.name : '';
}

function listen(server: Server, bind: Bind): Promise<Bind> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${bind.host}:${bind.port}`;
      const taken = `admin.bind ${where} is taken by another process: stop it (\`ss -ltnp\` shows it), or choose another port`;
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(taken, { cause: error })
          : new Error(`admin.bind ${where}: ${error.message}`, { cause: error }),
      );
    });
    server.listen({ host: bind.host, port: bind.port, exclusive: true }, () => {
      server.removeAllListeners('error');
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? { host: bind.host, port: address.port } : bind);
    });
  });
}
