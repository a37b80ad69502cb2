// What a filter is: a step of the request path with the phases onRequest, onResponse and onEnd; it uses those it needs.
import type { ConfigExtension } from '../config/extension.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { LocalReply, ResponseHead } from '../message/response.ts';

/** How the exchange ended, for onEnd. */
export interface ExchangeEnd {
  /** 0: the connection was closed without an answer. */
  readonly status: number;
  readonly durationMs: number;
}

/** Nothing: go on. A reply: answer with it and go no further. */
export type RequestVerdict = LocalReply | undefined;

export interface Filter {
  /** May change the request. A promise only where the answer cannot be known at once; it must settle. */
  readonly onRequest?: (request: CanonicalRequest) => RequestVerdict | Promise<RequestVerdict>;
  /** May change status and fields, of local replies too. Called in reverse order. */
  readonly onResponse?: (request: CanonicalRequest, response: ResponseHead) => void;
  /** Exactly once, whatever happened. */
  readonly onEnd?: (request: CanonicalRequest, end: ExchangeEnd) => void;
}

/** The entry of a filter in the registry. */
export interface FilterDefinition extends ConfigExtension {
  /** Makes the filter of one route; `options` have passed the schema. Throws a plain Error that teaches when they cannot work. */
  create(options: unknown): Filter;
}
