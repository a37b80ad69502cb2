// From the head of an HTTP/1.1 request to the canonical request, or to the error that answers it.
import type { ErrorCode } from '../errors.ts';
import { hostOfAuthority } from '../message/authority.ts';
import { canonicalTarget } from '../message/canonical-path.ts';
import { clientAddress, type AddressSet } from '../message/client-address.ts';
import { fieldValue } from '../message/fields.ts';
import type { CanonicalRequest } from '../message/request.ts';
import { isAcceptableRequestId } from '../message/request-id.ts';
import type { RequestHead } from './request-head.ts';

/** What is the same for every request of a connection. */
export interface ConnectionFacts {
  readonly listener: string;
  readonly scheme: 'http' | 'https';
  readonly peerAddress: string;
  readonly peerTrusted: boolean;
  readonly trusted: AddressSet;
  readonly nextRequestId: () => string;
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;

export function canonicalRequest(head: RequestHead, facts: ConnectionFacts): CanonicalRequest | ErrorCode {
  // CONNECT would make an open proxy of us; TRACE would echo credentials (RFC 9110 section 9.3.8).
  if (head.method === 'CONNECT' || head.method === 'TRACE') return 'method_not_supported';
  const origin = originForm(head);
  if (origin === null) return 'bad_host';
  const host = head.hosts === 0 ? '' : hostOfAuthority(head.host);
  if (host === null) return 'bad_host';
  const target = origin === '*' && head.method === 'OPTIONS' ? { path: '*', query: '', hasQuery: false } : canonicalTarget(origin);
  if (target === null) return 'bad_path';
  return {
    method: head.method,
    scheme: facts.scheme,
    host,
    authority: head.host,
    path: target.path,
    query: target.query,
    hasQuery: target.hasQuery,
    fields: head.fields,
    version: head.minor === 1 ? '1.1' : '1.0',
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
function originForm(head: RequestHead): string | null {
  const target = head.target;
  if (target.charCodeAt(0) === 0x2f || target === '*') return target;
  const match = ABSOLUTE.exec(target);
  if (match === null) return target;
  if (head.hosts === 1 && match[1]?.toLowerCase() !== head.host.toLowerCase()) return null;
  const rest = match[2] ?? '';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function requestIdOf(head: RequestHead, facts: ConnectionFacts): string {
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
