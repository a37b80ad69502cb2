// What a filter is: a step of the request path with the phases onRequest, onResponse and onEnd, and a hand on each body; it uses what it needs.
import type { ConfigExtension } from '../config/extension.ts';
import type { Fields } from '../message/fields.ts';
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

/** What comes behind the last bytes of a body. */
export interface LastBytes {
  /** The rest of the body; may be empty. */
  readonly bytes: Buffer;
  readonly trailers: Fields;
}

/**
 * Changes one body while it streams; it lives as long as the body. What comes out leaves at once, so back-pressure holds through it: while
 * the receiver is slow nothing goes in. That is why it answers in the same call, and holds back only what it cannot know yet: the rest of a
 * group of bytes, never a body. Either may throw a WeirError for a body that is not what it should be; the exchange ends with that.
 */
export interface BodyTransform {
  /** What to send in place of `chunk`, which is only valid during the call; it may be `chunk` itself, or empty. */
  push(chunk: Buffer): Buffer;
  /** The body is complete, with these trailers. Not called when it is broken off. */
  end(trailers: Fields): LastBytes;
}

export interface Filter {
  /** May change the request. A promise only where the answer cannot be known at once; it must settle. */
  readonly onRequest?: (request: CanonicalRequest) => RequestVerdict | Promise<RequestVerdict>;
  /** May change status and fields, of local replies too. Called in reverse order. */
  readonly onResponse?: (request: CanonicalRequest, response: ResponseHead) => void;
  /**
   * The body of this request goes through what is returned, from the first byte on; null: it goes as it is. Called once, after onRequest of
   * all filters, for requests that have a body. What goes upstream has no content-length then; other fields that tell of the body
   * (`digest`, `content-encoding`) are the filter's to set in onRequest.
   */
  readonly onRequestBody?: (request: CanonicalRequest) => BodyTransform | null;
  /** The same for the response of an endpoint, after onResponse of all filters. What weir answers itself is sent as it is. */
  readonly onResponseBody?: (request: CanonicalRequest, response: Readonly<ResponseHead>) => BodyTransform | null;
  /** Exactly once, whatever happened. */
  readonly onEnd?: (request: CanonicalRequest, end: ExchangeEnd) => void;
}

/** The entry of a filter in the registry. */
export interface FilterDefinition extends ConfigExtension {
  /** Makes the filter of one route; `options` have passed the schema. Throws a plain Error that teaches when they cannot work. */
  create(options: unknown): Filter;
}
