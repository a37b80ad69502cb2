// What a request asks for, as responses are stored by it: its URI, whose response it would be, and the fields that a response may vary by.
import type { Fields } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';

/** What the client asked for; the same for all methods. */
export function uriOf({ scheme, authority, path, query, hasQuery }: CanonicalRequest): string {
  return `${scheme}://${authority}${path}${hasQuery ? `?${query}` : ''}`;
}

/** Whether it carries proof of who asks, checked here or not (RFC 9111 section 3.5). */
export function isAuthenticated({ identity, clientCertificate, fields }: CanonicalRequest): boolean {
  if (identity !== null && identity.method !== 'anonymous') return true;
  return (clientCertificate !== null && clientCertificate.told.length > 0) || fields.includes('authorization');
}

/** Fields of a trusted peer that tell the cluster of another URL or of somebody: what an origin may word its answer by, without saying so. */
const CLAIM = /^(?:x-forwarded-(?!for$).*|x-original-.*|x-rewrite-url|client-cert(?:-chain)?)$/;
const FORWARDED_URL = /(?:^|[;,\s])(host|proto)=("[^"]*"|[^;,\s]*)/gi;

/**
 * What else the cluster sees that makes a response another one, though two requests ask for the same URI. Empty for most. `together`: all
 * callers get the same responses.
 */
export function partitionOf(request: CanonicalRequest, together: boolean): string {
  const { identity, clientCertificate, rewritten, peerTrusted } = request;
  if (identity === null && clientCertificate === null && rewritten === null && !peerTrusted) return '';
  const parts: unknown[] = [];
  if (!together && identity !== null) {
    const { consumer, method, groups, scopes, claims } = identity;
    parts.push(['caller', consumer, method === 'anonymous', groups, scopes, claims?.['iss'], claims?.['sub']]);
  }
  if (!together && clientCertificate !== null && clientCertificate.told.length > 0)
    parts.push(['certificate', clientCertificate.fingerprint]);
  if (rewritten !== null) parts.push(['rewritten', rewritten.host, rewritten.target]);
  if (peerTrusted) parts.push(...claimsOf(request.fields));
  return parts.length === 0 ? '' : JSON.stringify(parts);
}

/** Whether a token proves somebody who cannot be told from others: its responses belong to nobody. */
export const isNameless = ({ identity }: CanonicalRequest): boolean =>
  identity !== null && identity.consumer === '' && typeof identity.claims?.['sub'] !== 'string';

function claimsOf(fields: Readonly<Fields>): readonly string[] {
  const claims: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] ?? '').replaceAll('_', '-');
    const value = fields[i + 1] ?? '';
    if (name === 'forwarded')
      for (const [, what = '', told = ''] of value.matchAll(FORWARDED_URL)) claims.push(`${what.toLowerCase()}=${told}`);
    else if (CLAIM.test(name)) claims.push(`${name}:${value}`);
  }
  return claims;
}
