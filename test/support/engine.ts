// The HTTP engines on a real port or a socket in memory, without routes and clusters: what they understood is recorded, and they answer themselves.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { systemClock, type Clock } from '../../health/clock.ts';
import { Deadlines } from '../../health/deadlines.ts';
import { Http1DownstreamConnection } from '../../balancer/http1/downstream-connection.ts';
import type { DownstreamSettings } from '../../balancer/http1/downstream-settings.ts';
import { Http2DownstreamConnection, type Http2Settings } from '../../balancer/http2/downstream-connection.ts';
import { ResponseEncoder } from '../../balancer/http2/response-block.ts';
import { AddressSet } from '../../balancer/message/client-address.ts';
import type { ConnectionFacts, DownstreamConnection } from '../../balancer/message/connection.ts';
import type { DownstreamExchange } from '../../balancer/message/exchange.ts';
import { createDateLine } from '../../balancer/message/http-date.ts';
import { createRequestIds } from '../../balancer/message/request-id.ts';
import { ClientSocket } from '../../balancer/socket/client-socket.ts';
import { ERRORS, type ErrorCode } from '../../balancer/errors.ts';
import type { ListenerHttp2, ListenerLimits, ListenerTimeouts, UnderscorePolicy } from '../../balancer/config/config.ts';

/** A request as the engine understood it, with its whole body. */
export interface Understood {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** Path and query as they go on. */
  readonly target: string;
  readonly host: string;
  readonly fields: readonly string[];
  readonly clientAddress: string;
  body: string;
  trailers: readonly string[];
  complete: boolean;
  failed: ErrorCode | '';
}

export interface EngineOptions {
  readonly timeouts?: Partial<ListenerTimeouts>;
  readonly limits?: Partial<ListenerLimits>;
  /** Connections are HTTP/2 from their first byte. */
  readonly http2?: Partial<ListenerHttp2>;
  readonly trustedPeers?: readonly string[];
  readonly underscores?: UnderscorePolicy;
  /** Of the time-outs; the system's by default. */
  readonly clock?: Clock;
  /** Is shown every exchange when it begins. */
  readonly onRequest?: (exchange: DownstreamExchange) => void;
  /** Is shown each piece of a body, as it lies; false: the body is held back until somebody resumes it. */
  readonly takes?: (exchange: DownstreamExchange, piece: Buffer) => boolean;
  /** Answers a request; by default 200 with the body `METHOD path`, once its body is complete. */
  readonly answer?: (exchange: DownstreamExchange, understood: Understood) => void;
}

export interface Engine {
  readonly port: number;
  readonly understood: readonly Understood[];
  readonly refused: readonly ErrorCode[];
  /** Why connections of slow clients were ended. */
  readonly cut: readonly ErrorCode[];
  readonly connections: ReadonlySet<DownstreamConnection>;
  /** What HTTP/2 clients asked too much of. */
  readonly abuses: readonly string[];
}

/** Sends a whole response. */
export function answerWith(exchange: DownstreamExchange, status: number, body: string): void {
  const bytes = Buffer.from(body);
  exchange.sendHead(status, ['content-type', 'text/plain'], bytes.length);
  exchange.sendBody(bytes);
  exchange.sendEnd([]);
}

const LIMITS: ListenerLimits = {
  headBytes: 32_768,
  fields: 100,
  connections: 1000,
  connectionsPerAddress: 1000,
  requestsPerConnection: 1_000_000,
  bodyBytes: 0,
  bodyRate: 0,
};

/** What is the same for all connections of an engine under test. */
export class EngineBench {
  readonly understood: Understood[] = [];
  readonly refused: ErrorCode[] = [];
  readonly cut: ErrorCode[] = [];
  readonly connections = new Set<DownstreamConnection>();
  readonly #facts: Pick<ConnectionFacts, 'trusted' | 'underscores' | 'nextRequestId'>;
  readonly abuses: string[] = [];
  readonly #settings: DownstreamSettings;
  /** Null: connections are HTTP/1.1. */
  readonly #http2: Http2Settings | null;

  constructor(deadlines: Deadlines, options: EngineOptions = {}) {
    const { trustedPeers = [], underscores = 'keep' } = options;
    this.#facts = { trusted: new AddressSet(trustedPeers), underscores, nextRequestId: createRequestIds('test') };
    this.#settings = {
      timeouts: { requestHeadMs: 5000, keepAliveMs: 5000, requestBodyMs: 5000, handshakeMs: 5000, writeMs: 5000, ...options.timeouts },
      limits: { ...LIMITS, ...options.limits },
      deadlines,
      nowMs: () => (options.clock ?? systemClock).nowMs(),
      dateLine: createDateLine(() => systemClock.wallMs()),
      onHttp2: null,
      handler: {
        onRequest: (exchange) => {
          options.onRequest?.(exchange);
          record(exchange, this.understood, options);
        },
        onBadRequest: (code) => {
          this.refused.push(code);
          return { status: ERRORS[code].status, fields: [], body: code };
        },
        onConnectionCut: (code) => this.cut.push(code),
        onConnectionClosed: (connection) => this.connections.delete(connection),
      },
    };
    const { http2 } = options;
    this.#http2 = http2 === undefined ? null : { ...this.#settings, ...http2Settings(this.#settings, http2, this.abuses) };
  }

  /** Serves one client. */
  accept(socket: Socket): void {
    const { trusted } = this.#facts;
    const peerAddress = socket.remoteAddress ?? '';
    const about = { listener: 'web', scheme: 'http', serverName: '', clientCertificate: null } as const;
    const facts = { ...this.#facts, ...about, peerAddress, peerTrusted: trusted.has(peerAddress) };
    const link = new ClientSocket(socket);
    const connection =
      this.#http2 === null
        ? new Http1DownstreamConnection(link, facts, this.#settings)
        : new Http2DownstreamConnection(link, facts, this.#http2);
    this.connections.add(connection);
    connection.start();
  }

  close(): void {
    for (const connection of this.connections) connection.destroy();
  }
}

export async function startEngine(t: TestContext, options: EngineOptions = {}): Promise<Engine> {
  const deadlines = new Deadlines(options.clock ?? systemClock, 10);
  deadlines.start();
  const bench = new EngineBench(deadlines, options);
  const server = createServer({ allowHalfOpen: true }, (socket) => bench.accept(socket));
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.listen(0, '127.0.0.1', () => resolve(undefined));
  await promise;
  t.after(() => {
    deadlines.close();
    server.close();
    bench.close();
  });
  const { understood, refused, cut, connections, abuses } = bench;
  return { port: (server.address() as AddressInfo).port, understood, refused, cut, connections, abuses };
}

function http2Settings(settings: DownstreamSettings, http2: Partial<ListenerHttp2>, abuses: string[]) {
  return {
    http2: { enabled: true, maxStreams: 100, streamWindow: 65_536, connectionWindow: 1_048_576, resetsPerSecond: 50, ...http2 },
    encoder: new ResponseEncoder(settings.dateLine),
    streamLimit: () => Infinity,
    countAbuse: (_listener: string, reason: string) => void abuses.push(reason),
  };
}

function record(exchange: DownstreamExchange, understood: Understood[], { answer, takes }: EngineOptions): void {
  const { method, path, query, hasQuery, host, fields, clientAddress } = exchange.request;
  const target = hasQuery ? `${path}?${query}` : path;
  const entry: Understood = {
    method,
    path,
    query,
    target,
    host,
    fields: [...fields],
    clientAddress,
    body: '',
    trailers: [],
    complete: false,
    failed: '',
  };
  understood.push(entry);
  const reply = (): void => (answer === undefined ? answerWith(exchange, 200, `${method} ${path}`) : answer(exchange, entry));
  exchange.listener = {
    onBody: (chunk) => {
      entry.body += chunk.toString('latin1');
      if (takes?.(exchange, chunk) === false) exchange.pauseBody();
    },
    onBodyEnd: (trailers) => {
      entry.trailers = trailers;
      entry.complete = true;
      reply();
    },
    onDownstreamDrain: () => undefined,
    onDownstreamFailed: (code, answerable) => {
      entry.failed = code;
      if (answerable) answerWith(exchange, ERRORS[code].status, code);
    },
  };
  if (exchange.bodyLength === 0) {
    entry.complete = true;
    reply();
  } else exchange.readBody();
}
