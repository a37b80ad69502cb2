// The HTTP engines on a real port, without routes and clusters: what it understood is recorded, and it answers itself.
import { createServer, type AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { systemClock, type Clock } from '../../health/clock.ts';
import { Deadlines } from '../../health/deadlines.ts';
import { Http1DownstreamConnection, type DownstreamSettings } from '../../balancer/http1/downstream-connection.ts';
import { Http2DownstreamConnection } from '../../balancer/http2/downstream-connection.ts';
import { ResponseEncoder } from '../../balancer/http2/response-block.ts';
import { TurnEnd } from '../../balancer/http2/turn-end.ts';
import { AddressSet } from '../../balancer/message/client-address.ts';
import type { DownstreamConnection } from '../../balancer/message/connection.ts';
import type { DownstreamExchange } from '../../balancer/message/exchange.ts';
import { createDateLine } from '../../balancer/message/http-date.ts';
import { createRequestIds } from '../../balancer/message/request-id.ts';
import { ERRORS, type ErrorCode } from '../../balancer/errors.ts';
import type { ListenerHttp2, ListenerLimits, ListenerTimeouts } from '../../balancer/config/config.ts';

/** A request as the engine understood it, with its whole body. */
export interface Understood {
  readonly method: string;
  readonly path: string;
  readonly query: string;
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
  /** Of the time-outs; the system's by default. */
  readonly clock?: Clock;
  /** Is shown every exchange when it begins. */
  readonly onRequest?: (exchange: DownstreamExchange) => void;
  /** Answers a request; by default 200 with the body `METHOD path`, once its body is complete. */
  readonly answer?: (exchange: DownstreamExchange, understood: Understood) => void;
}

export interface Engine {
  readonly port: number;
  readonly understood: readonly Understood[];
  readonly refused: readonly ErrorCode[];
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

export async function startEngine(t: TestContext, options: EngineOptions = {}): Promise<Engine> {
  const deadlines = new Deadlines(options.clock ?? systemClock, 10);
  deadlines.start();
  const understood: Understood[] = [];
  const refused: ErrorCode[] = [];
  const connections = new Set<DownstreamConnection>();
  const abuses: string[] = [];
  const settings: DownstreamSettings = {
    timeouts: { requestHeadMs: 5000, keepAliveMs: 5000, requestBodyMs: 5000, handshakeMs: 5000, writeMs: 5000, ...options.timeouts },
    limits: { headBytes: 32_768, fields: 100, connections: 1000, ...options.limits },
    deadlines,
    nowMs: () => systemClock.nowMs(),
    dateLine: createDateLine(() => systemClock.wallMs()),
    onHttp2: null,
    handler: {
      onRequest: (exchange) => {
        options.onRequest?.(exchange);
        record(exchange, understood, options.answer);
      },
      onBadRequest: (code) => {
        refused.push(code);
        return { status: ERRORS[code].status, fields: [], body: code };
      },
      onConnectionClosed: (connection) => connections.delete(connection),
    },
  };
  const http2 = options.http2 === undefined ? null : { ...settings, ...http2Settings(settings, options.http2, abuses) };
  const trusted = new AddressSet(options.trustedPeers ?? []);
  const nextRequestId = createRequestIds('test');
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const peerAddress = socket.remoteAddress ?? '';
    const facts = { listener: 'web', scheme: 'http' as const, peerAddress, peerTrusted: trusted.has(peerAddress), trusted, nextRequestId };
    const connection =
      http2 === null ? new Http1DownstreamConnection(socket, facts, settings) : new Http2DownstreamConnection(socket, facts, http2);
    connections.add(connection);
    connection.start();
  });
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.listen(0, '127.0.0.1', () => resolve(undefined));
  await promise;
  t.after(() => {
    deadlines.close();
    server.close();
    for (const connection of connections) connection.destroy();
  });
  return { port: (server.address() as AddressInfo).port, understood, refused, connections, abuses };
}

function http2Settings(settings: DownstreamSettings, http2: Partial<ListenerHttp2>, abuses: string[]) {
  return {
    http2: { enabled: true, maxStreams: 100, streamWindow: 65_536, connectionWindow: 1_048_576, resetsPerSecond: 50, ...http2 },
    turnEnd: new TurnEnd(),
    encoder: new ResponseEncoder(settings.dateLine),
    countAbuse: (_listener: string, reason: string) => void abuses.push(reason),
  };
}

function record(exchange: DownstreamExchange, understood: Understood[], answer: EngineOptions['answer']): void {
  const { method, path, query, host, fields, clientAddress } = exchange.request;
  const entry: Understood = { method, path, query, host, fields, clientAddress, body: '', trailers: [], complete: false, failed: '' };
  understood.push(entry);
  const reply = (): void => (answer === undefined ? answerWith(exchange, 200, `${method} ${path}`) : answer(exchange, entry));
  exchange.listener = {
    onBody: (chunk) => (entry.body += chunk.toString('latin1')),
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
