// An answer to a request for which nothing else is done: no route, no attempt, no body read.
import type { DownstreamExchange, DownstreamListener } from '../message/exchange.ts';
import type { LocalReply } from '../message/response.ts';

export function answerAtOnce(exchange: DownstreamExchange, { status, fields, body }: LocalReply): void {
  const bytes = Buffer.from(body);
  exchange.listener = INDIFFERENT;
  exchange.sendHead(status, [...fields], bytes.length);
  exchange.sendBody(bytes);
  exchange.sendEnd([]);
}

/** The answer has left before anything else can happen. */
const INDIFFERENT: DownstreamListener = {
  onBody: () => undefined,
  onBodyEnd: () => undefined,
  onDownstreamDrain: () => undefined,
  onDownstreamFailed: () => undefined,
};
