// A request that the cache let go on: what its response may be stored under, and what is known until it comes.
import { fieldIndex, type Fields } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import { isAuthenticated } from './asked.ts';
import type { CollectedBody } from './collected-body.ts';
import type { RefreshOutcome } from './counted.ts';
import type { Flight } from './flights.ts';
import type { NotFound, Pending } from './response-store.ts';
import type { BodyInstead } from './revalidation.ts';
import type { AskedBy } from './storing-rules.ts';
import type { StoredResponse } from './stored-response.ts';

/** Why a request goes on, as `cache-status` says it (RFC 9211 section 2.2). */
export type Why = NotFound | 'stale' | 'request' | 'bypass';

export interface Under {
  readonly uri: string;
  readonly partition: string;
  /** What is stored of it and does not hold; null: nothing. */
  readonly known: StoredResponse | null;
}

export interface Forwarded {
  readonly why: Why;
  /** Null: its response is not stored. */
  readonly asked: Asked | null;
  readonly known: StoredResponse | null;
  /** The service was asked whether what is known still holds. */
  readonly byOurs: boolean;
  /** Where the service fails, what is stored may be the answer. */
  readonly mayFallBack: boolean;
  /** Of a request that nobody waits for: what has become of it. Null: a client's. */
  refresh: RefreshOutcome | null;
  collected: CollectedBody | null;
  /** Sent in place of what comes; null: what comes is sent. */
  instead: BodyInstead | null;
}

export type Revalidated = Forwarded & { readonly asked: Asked; readonly known: StoredResponse };

/** What a request was like before fields for the cluster were added. */
export class Asked implements Pending, AskedBy {
  readonly uri: string;
  readonly partition: string;
  readonly fields: Readonly<Fields>;
  readonly authenticated: boolean;
  readonly hasCookie: boolean;
  /** On the monotonic clock. */
  readonly atMs: number;
  dropped = false;
  /** Null: nobody waits for it. */
  flight: Flight | null = null;

  constructor(request: CanonicalRequest, { uri, partition }: Pick<Under, 'uri' | 'partition'>, atMs: number) {
    this.uri = uri;
    this.partition = partition;
    this.fields = request.fields.slice();
    this.authenticated = isAuthenticated(request);
    this.hasCookie = fieldIndex(request.fields, 'cookie') >= 0;
    this.atMs = atMs;
  }

  drop(): void {
    this.dropped = true;
  }
}

/** Requests that may get the same response. */
export const keyOf = ({ uri, partition }: Pick<Under, 'uri' | 'partition'>): string => `${partition}\n${uri}`;
