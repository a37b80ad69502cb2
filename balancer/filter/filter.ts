// What a filter is: a step of the request path with the phases onRequest, onResponse and onEnd, and a hand on each body; it uses what it needs.
import type { Clock, Random } from '../../health/clock.ts';
import type { SecretReference } from '../config/config.ts';
import type { LimitConfig } from '../config/limit-config.ts';
import type { ConfigExtension } from '../config/extension.ts';
import type { ErrorCode } from '../errors.ts';
import type { Fields } from '../message/fields.ts';
import type { Place } from '../message/place.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { DownstreamExchange } from '../message/exchange.ts';
import type { LocalReply, ResponseHead, StoredReply } from '../message/response.ts';
import type { Meter } from '../telemetry/meter.ts';
import type { Consumers } from './authenticate/consumers.ts';
import type { RouteStores } from './cache/route-stores.ts';
import type { ResponseStore } from './cache/response-store.ts';
import type { Allowances } from './rate-limit/allowances.ts';
import type { Slots } from './rate-limit/slots.ts';
import type { Issuers } from './authenticate/issuers.ts';
import type { OneTimeUses } from './authenticate/one-time-use.ts';
import type { HostFlights } from './login/host-flights.ts';
import type { SessionEnds } from './login/session-ends.ts';
import type { SignIns } from './login/sign-ins.ts';

/** How the exchange ended, for onEnd. */
export interface ExchangeEnd {
  /** 0: the connection was closed without an answer. */
  readonly status: number;
  readonly durationMs: number;
}

/** An error of the catalogue as the answer: the client hears its title and code, the log the detail. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
  /** Of the answer, besides those of every error: a challenge, when to come again. */
  readonly fields: Readonly<Fields>;
}

/** The body is read and sent nowhere, and the answer is what this says of it. */
export interface BodyWanted {
  /** A longer one is refused. */
  readonly mostBytes: number;
  readonly answer: (body: Buffer) => Promise<LocalReply | Refusal>;
}

/** Nothing: go on. Anything else: answer with it, or by the body, and go no further. */
export type RequestVerdict = LocalReply | Refusal | BodyWanted | undefined;

/** What a request is besides its head. */
export type RequestForm = Pick<DownstreamExchange, 'bodyLength' | 'upgrade'>;

/** What filters of a worker are made with. */
export interface FilterEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  /** Who may call, by what they show. */
  readonly consumers: Consumers;
  /** Whose tokens are believed. */
  readonly issuers: Issuers;
  readonly limits: Readonly<Record<string, LimitConfig>>;
  readonly allowances: Allowances;
  readonly slots: Slots;
  /** What only one worker of the host does at a time. */
  readonly flights: HostFlights;
  readonly sessionEnds: SessionEnds;
  /** What may be used once, wherever it is shown. */
  readonly oneTimeUses: OneTimeUses;
  /** Null: it is not where the reference says. */
  readonly readSecret: (reference: SecretReference) => string | null;
  /** Where an address is; null: nobody knows. */
  readonly placeOf: (address: string) => Place | null;
  readonly meter: Meter;
  /** What the routes of this worker have stored. */
  readonly stores: Pick<RouteStores, 'invalidate'>;
  /** The store of the route the filter is made for, for so many bytes. */
  readonly openStore: (maxBytes: number) => ResponseStore;
  /** Between login and authenticate of that route. */
  readonly signIns: SignIns;
  /** Name of the route the filter is made for. */
  readonly route: string;
}

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
  /** It only looks: what comes out is what went in, so its length stays as it was told. */
  readonly watches?: true;
  /** What to send in place of `chunk`, which is only valid during the call; it may be `chunk` itself, or empty. */
  push(chunk: Buffer): Buffer;
  /** The body is complete, with these trailers. Not called when it is broken off. */
  end(trailers: Fields): LastBytes;
}

/** An answer from memory. */
export interface RecalledReply extends StoredReply {
  /**
   * A request of weir's own that goes to the service meanwhile, and that no client waits for. It passes the way of a request from the split on, and of
   * the filters only the one that made it: its onResponse, onResponseBody and onEnd, which is called in any case. Absent: none.
   */
  readonly behind?: CanonicalRequest;
}

/** An answer from memory, an error, or null: ask the endpoint. */
export type Recalled = RecalledReply | Refusal | null;

export interface Filter {
  /**
   * Fields of requests, in lower case, that this filter sets or takes away. It does so in the head; what clients send under these names behind
   * a body never arrives either.
   */
  readonly ownFields?: readonly string[];
  /** May change the request. A promise only where the answer cannot be known at once; it must settle. */
  readonly onRequest?: (request: CanonicalRequest) => RequestVerdict | Promise<RequestVerdict>;
  /**
   * Once all filters have let the request go on: what an endpoint answered before, in place of asking one. It passes onResponse and
   * onResponseBody of all filters as the answer of an endpoint does. Null: ask. A promise only to wait for another request; it must settle.
   */
  readonly recall?: (request: CanonicalRequest, form: RequestForm) => Recalled | Promise<Recalled>;
  /** After `recall` has let the request go on: an answer from memory in place of the error `code`. Null: the error is the answer. */
  readonly recallInstead?: (request: CanonicalRequest, code: ErrorCode) => StoredReply | null;
  /**
   * May change status and fields, of local replies too, and what the body of those is. Called in reverse order. May throw a WeirError for the response
   * of an endpoint that must not go out: the error is the answer then, and passes all filters anew.
   */
  readonly onResponse?: (request: CanonicalRequest, response: ResponseHead) => void;
  /**
   * The body of this request goes through what is returned, from the first byte on; null: it goes as it is. Called once, after onRequest of
   * all filters, for requests that have a body. Unless it only watches, what goes upstream has no content-length then; other fields that tell
   * of the body (`digest`, `content-encoding`) are the filter's to set, in the call: those before it have read them then.
   */
  readonly onRequestBody?: (request: CanonicalRequest) => BodyTransform | null;
  /**
   * The same for the response of an endpoint, after onResponse of all filters. What weir answers itself is sent as it is. For HEAD it is asked
   * too, and nothing is pushed: a length that a GET would not have is not told.
   */
  readonly onResponseBody?: (request: CanonicalRequest, response: Readonly<ResponseHead>) => BodyTransform | null;
  /** Exactly once, whatever happened. */
  readonly onEnd?: (request: CanonicalRequest, end: ExchangeEnd) => void;
}

/** The entry of a filter in the registry. */
export interface FilterDefinition extends ConfigExtension {
  /** The options of one use as they stand in the file, in YAML; the page of the filter shows it, and the tests run it. */
  readonly example: string;
  /** Paragraphs that its page has besides, in Markdown. */
  readonly notes?: readonly string[];
  /** It asks where addresses are. */
  readonly asksForPlaces?: true;
  /** Errors of the catalogue that it answers with. */
  readonly answers?: readonly ErrorCode[];
  /** Makes the filter of one route; `options` are complete. Throws a plain Error that teaches when they cannot work on this host. */
  create(options: unknown, environment: FilterEnvironment): Filter;
}
