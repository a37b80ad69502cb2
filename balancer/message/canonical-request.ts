// From the head of a request, of whatever HTTP version, to the canonical request or to the error that answers it.
import type { ErrorCode } from '../errors.ts';
import { hostOfAuthority } from './authority.ts';
import { canonicalTarget } from './canonical-path.ts';
import { clientAddress } from './client-address.ts';
import type { ConnectionFacts } from './connection.ts';
import { fieldValue, type Fields } from './fields.ts';
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
  readonly version: CanonicalRequest['version'];
  readonly acceptsTrailers: boolean;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

export function canonicalRequest(head: UncheckedRequest, facts: ConnectionFacts): CanonicalRequest | ErrorCode {
  // CONNECT would make an open proxy of us; TRACE would echo credentials (RFC 9110 section 9.3.8).
  if (head.method === 'CONNECT' || head.method === 'TRACE') return 'method_not_supported';
  const origin = originForm(head);
  if (origin === null) return 'bad_host';
  const host = head.authority === '' ? '' : hostOfAuthority(head.authority);
  if (host === null) return 'bad_host';
  const target = origin === '*' && head.method === 'OPTIONS' ? { path: '*', query: '', hasQuery: false } : canonicalTarget(origin);
  if (target === null) return 'bad_path';
  return {
    method: head.method,
    scheme: facts.scheme,
    host,
    authority: head.authority,
    path: target.path,
    query: target.query,
    hasQuery: target.hasQuery,
    fields: head.fields,
    version: head.version,
    acceptsTrailers: head.acceptsTrailers,
    clientAddress: facts.peerTrusted
      ? clientAddress(facts.peerAddress, valuesOf(head.fields, 'x-forwarded-for'), facts.trusted)
      : facts.peerAddress,
    peerAddress: facts.peerAddress,
    peerTrusted: facts.peerTrusted,
    listener: facts.listener,
    requestId: requestIdOf(head, facts),
  };
}

/** The target without scheme and authority; null when its authority is not the Host field's (RFC 9112 section 3.2.2). */
function originForm(head: UncheckedRequest): string | null {
  const target = head.target;
  if (target.charCodeAt(0) === 0x2f || target === '*') return target;
  const match = ABSOLUTE.exec(target);
  if (match === null) return target;
  if (head.authority !== '' && match[1]?.toLowerCase() !== head.authority.toLowerCase()) return null;
  const rest = match[2] ?? '';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function requestIdOf(head: UncheckedRequest, facts: ConnectionFacts): string {
  if (facts.peerTrusted) {
    const brought = fieldValue(head.fields, 'x-request-id');
    if (brought !== undefined && isAcceptableRequestId(brought)) return brought;
  }
  return facts.nextRequestId();
}

function valuesOf(fields: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) values.push(fields[i + 1] ?? '');
  return values;
}
