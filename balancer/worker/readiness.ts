// Whether this host can serve, for those who send clients to it: keepalived, routers that spread by ECMP, load balancers of a cloud. Every worker
// answers, without a route and at once; that a worker answers at all says that it serves a generation.
import type { ErrorCode } from '../errors.ts';
import type { ConnectionFacts, DownstreamConnection, DownstreamHandler } from '../message/connection.ts';
import type { DownstreamExchange } from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
import type { LocalReply } from '../message/response.ts';
import { answerAtOnce } from './answer-at-once.ts';
import { errorReply } from './respond.ts';

const FIELDS: Fields = ['content-type', 'text/plain; charset=utf-8', 'cache-control', 'no-store'];
const READY: LocalReply = { status: 200, fields: FIELDS, body: 'ready\n' };
const GOING: LocalReply = { status: 503, fields: FIELDS, body: 'this host is going out of service\n' };

export class Readiness implements DownstreamHandler {
  readonly #connections: Set<DownstreamConnection>;
  readonly #isGoing: () => boolean;

  /** `connections`: where those are taken out that close. */
  constructor(connections: Set<DownstreamConnection>, isGoing: () => boolean) {
    this.#connections = connections;
    this.#isGoing = isGoing;
  }

  onRequest(exchange: DownstreamExchange): void {
    answerAtOnce(exchange, this.#isGoing() ? GOING : READY);
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
