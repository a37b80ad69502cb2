// From the head of a request, of whatever HTTP version, to the canonical request or to the error that answers it.
import type { ErrorCode } from '../errors.ts';
import { readAuthority, type Authority } from './authority.ts';
import { canonicalTarget } from './canonical-path.ts';
import { clientAddress } from './client-address.ts';
import type { ConnectionFacts } from './connection.ts';
import { fieldValue, type Fields } from './fields.ts';
import { MOST_OTHER_METHODS, otherMethods } from './methods.ts';
import type { CanonicalRequest } from './request.ts';
import { isAcceptableRequestId } from './request-id.ts';

/** A request head whose grammar was checked and whose framing fields were taken out. */
export interface UncheckedRequest {
  readonly method: string;
  /** As sent: origin-form, absolute-form or `*`. */
  readonly target: string;
  /** Value of the Host field or `:authority`; empty when there is none. */
  readonly authority: string;
  readonly fields: Fields;
  /** Whether any name has an underscore; absent: not looked at yet. */
  readonly underscored?: boolean;
  /** Whether any field names a method of its own (methods.ts). */
  readonly namesMethod: boolean;
  readonly version: CanonicalRequest['version'];
  readonly acceptsTrailers: boolean;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

export function canonicalRequest(head: UncheckedRequest, facts: ConnectionFacts): CanonicalRequest | ErrorCode {
  let { fields } = head;
  // CONNECT would make an open proxy of us; TRACE would echo credentials (RFC 9110 section 9.3.8).
  if (head.method === 'CONNECT' || head.method === 'TRACE') return 'method_not_supported';
  if (facts.underscores !== 'keep' && (head.underscored ?? hasUnderscore(fields))) {
    if (facts.underscores === 'reject') return 'bad_request';
    fields = withoutUnderscored(fields);
  }
  const absolute = head.target.charCodeAt(0) === 0x2f ? null : ABSOLUTE.exec(head.target);
  const authority = authorityOf(head, absolute);
  if (authority === null) return 'bad_host';
  const origin = absolute === null ? head.target : withRoot(absolute[2] ?? '');
  const target =
    origin === '*' && head.method === 'OPTIONS' ? { path: '*', query: '', hasQuery: false, doubts: 0 } : canonicalTarget(origin);
  if (target === null) return 'bad_path';
  const others = otherMethods(head.method, target.query, head.namesMethod, fields);
  if (others.length > MOST_OTHER_METHODS) return 'ambiguous_method';
  return {
    method: head.method,
    scheme: facts.scheme,
    host: authority.host,
    authority: authority.text,
    path: target.path,
    pathDoubts: target.doubts,
    otherMethods: others,
    query: target.query,
    hasQuery: target.hasQuery,
    fields,
    bodyLength: 0,
    version: head.version,
    acceptsTrailers: head.acceptsTrailers,
    clientAddress: facts.peerTrusted
      ? clientAddress(facts.peerAddress, valuesOf(fields, 'x-forwarded-for'), facts.trusted)
      : facts.peerAddress,
    peerAddress: facts.peerAddress,
    peerTrusted: facts.peerTrusted,
    listener: facts.listener,
    serverName: facts.serverName,
    clientCertificate: facts.clientCertificate,
    requestId: requestIdOf(head, facts),
    identity: null,
    rewritten: null,
  };
}

/** The request that follows one with the same head on the same connection, of which nothing has been changed since. */
export function sameRequest(before: Readonly<CanonicalRequest>, facts: ConnectionFacts): CanonicalRequest {
  return { ...before, requestId: requestIdOf(before, facts) };
}

const NO_AUTHORITY: Authority = { host: '', text: '' };

/** The Host field's, which an absolute target must agree with (RFC 9112 section 3.2.2); only HTTP/1.0 may leave it to the target, or have none. */
function authorityOf(head: UncheckedRequest, absolute: RegExpExecArray | null): Authority | null {
  const named = absolute?.[1];
  if (head.authority === '') return named === undefined ? NO_AUTHORITY : readAuthority(named);
  if (named !== undefined && named.toLowerCase() !== head.authority.toLowerCase()) return null;
  return readAuthority(head.authority);
}

/** CGI and what came after it make the same variable of `x-a` and `x_a`: what one part of a system guards the next may take from the other. */
function hasUnderscore(fields: Readonly<Fields>): boolean {
  for (let i = 0; i < fields.length; i += 2) if (fields[i]?.includes('_') === true) return true;
  return false;
}

function withoutUnderscored(fields: Readonly<Fields>): Fields {
  return fields.filter((_, index) => fields[index - (index % 2)]?.includes('_') !== true);
}

/** An absolute target may leave its path out (RFC 9110 section 4.2.3). */
function withRoot(rest: string): string {
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function requestIdOf({ fields }: { readonly fields: Readonly<Fields> }, facts: ConnectionFacts): string {
  if (facts.peerTrusted) {
    const brought = fieldValue(fields, 'x-request-id');
    if (brought !== undefined && isAcceptableRequestId(brought)) return brought;
  }
  return facts.nextRequestId();
}

function valuesOf(fields: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) values.push(fields[i + 1] ?? '');
  return values;
}
