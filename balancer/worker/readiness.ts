// Whether this host can serve, for those who send clients to it: keepalived, routers that spread by ECMP, load balancers of a cloud. Every worker
// answers, without a route and at once; that a worker answers at all says that it serves a generation.
import type { ErrorCode } from '../errors.ts';
import type { ConnectionFacts, DownstreamConnection, DownstreamHandler } from '../message/connection.ts';
import type { DownstreamExchange, DownstreamListener } from '../message/exchange.ts';
import type { LocalReply } from '../message/response.ts';
import { errorReply } from './respond.ts';

const FIELDS = ['content-type', 'text/plain; charset=utf-8', 'cache-control', 'no-store'] as const;
const READY = Buffer.from('ready\n');
const GOING = Buffer.from('this host is going out of service\n');

export class Readiness implements DownstreamHandler {
  readonly #connections: Set<DownstreamConnection>;
  readonly #isGoing: () => boolean;

  /** `connections`: where those are taken out that close. */
  constructor(connections: Set<DownstreamConnection>, isGoing: () => boolean) {
    this.#connections = connections;
    this.#isGoing = isGoing;
  }

  onRequest(exchange: DownstreamExchange): void {
    exchange.listener = INDIFFERENT;
    const going = this.#isGoing();
    const body = going ? GOING : READY;
    exchange.sendHead(going ? 503 : 200, [...FIELDS], body.length);
    exchange.sendBody(body);
    exchange.sendEnd([]);
  }

  onBadRequest(code: ErrorCode, facts: ConnectionFacts): LocalReply {
    return errorReply(code, undefined, facts.nextRequestId());
  }

  onConnectionCut(): void {
    return undefined;
  }

  onConnectionClosed(connection: DownstreamConnection): void {
    this.#connections.delete(connection);
  }
}

/** The answer has left before a body could come. */
const INDIFFERENT: DownstreamListener = {
  onBody: () => undefined,
  onBodyEnd: () => undefined,
  onDownstreamDrain: () => undefined,
  onDownstreamFailed: () => undefined,
};
