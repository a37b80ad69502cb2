// The canonical request: computed once per request, used by every later step, whatever HTTP version it came with.
import type { ClientCertificate } from './client-certificate.ts';
import type { Fields } from './fields.ts';
import type { Identity } from './identity.ts';

export interface CanonicalRequest {
  /** As sent; case matters (RFC 9110 section 9.1). */
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** Lower case, without port. */
  readonly host: string;
  /** The host with the port, if the client named one: what goes upstream is what was routed by. */
  readonly authority: string;
  /** Canonical path (see canonical-path.ts): routing, policies and the upstream request all use this value. Starts with `/`, or is `*`. */
  path: string;
  /** Not 0 while it is open which of several readings of the path holds (path-readings.ts); routing settles it. */
  readonly pathDoubts: number;
  /** What some origin may take for the method, from fields, the query or its spelling: what guards a method guards these too. Mostly empty. */
  readonly otherMethods: readonly string[];
  /** Without `?`; empty when there is none. */
  query: string;
  /** Whether the target had a `?`, even with nothing behind it. */
  hasQuery: boolean;
  /** End-to-end fields without host; hop-by-hop fields are gone, forwarded fields not yet added. They may be shared, unless a filter sees them. */
  fields: Fields;
  /** 0: no body comes with it; -1: its length is not known. Told to filters only. */
  bodyLength: number;
  readonly version: '1.0' | '1.1' | '2';
  /** The client said `te: trailers` (RFC 9110 section 10.1.4), or a filter takes them for it. */
  acceptsTrailers: boolean;
  /** The client's address after the trusted walk of forwarded fields. */
  readonly clientAddress: string;
  /** The peer of the connection. */
  readonly peerAddress: string;
  readonly peerTrusted: boolean;
  readonly listener: string;
  /** Of the TLS handshake of its connection; empty: not known. */
  readonly serverName: string;
  /** Of the client of its connection; null: it has proved nothing. */
  readonly clientCertificate: ClientCertificate | null;
  /** Kept from a trusted peer, else made here. */
  requestId: string;
  /** Set by the filter that proves it; null: nobody in particular. */
  identity: Identity | null;
  /** What the cluster sees in place of what was asked for; null: the same. Everything that goes by the request goes by the request. */
  rewritten: Rewritten | null;
}

export interface Rewritten {
  /** Path and query. */
  readonly target: string;
  /** Empty: the same. */
  readonly host: string;
}

/** Path and query as they go upstream. */
export function upstreamTarget({ path, query, hasQuery, rewritten }: CanonicalRequest): string {
  if (rewritten !== null) return rewritten.target;
  return hasQuery ? `${path}?${query}` : path;
}
