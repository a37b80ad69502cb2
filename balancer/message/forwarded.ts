// The fields weir adds towards the cluster, and what it believes of those that came in.
import type { ClientCertificate } from './client-certificate.ts';
import { removeField, type Fields } from './fields.ts';
import type { CanonicalRequest } from './request.ts';
import { madeOf, share } from './shared-fields.ts';

/** RFC 9110 section 7.6.3: protocol version and a pseudonym; nothing about the inside. */
const VIA_NAME = 'weir';

/** Fields that weir writes itself. */
const OWN = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded', 'via', 'x-request-id'];
/** RFC 9440; from a stranger they are dropped whether or not weir writes them (section 4). */
const CERTIFICATE = /^client-cert(?:-chain)?$/;
/**
 * What else speaks of the client, or of another URL than the one that was routed, and is passed on from a trusted peer only, as
 * `x_forwarded_for` too: CGI makes the same variable of it.
 */
const CLAIM = /^(?:x-forwarded-.*|x-real-ip|x-original-.*|x-rewrite-url|forwarded|client-cert(?:-chain)?|x-weir-mirror)$/;

/** Whether a field, by its name in lower case with dashes, claims what only a trusted peer may. */
export const isClaim = (name: string): boolean => CLAIM.test(name);

/** Of all names below: c, f, v, x. Most fields begin otherwise. */
const BEGINS: ReadonlySet<number> = new Set([0x63, 0x66, 0x76, 0x78]);

/** A node identifier of RFC 7239 section 6: IPv6 in brackets and quotes. */
const node = (address: string): string => (address.includes(':') ? `"[${address}]"` : address);

/** RFC 7239 wants a quoted string where the value is no token. A checked authority has no other such character than the colon. */
const quoted = (authority: string): string => (authority === '' || authority.includes(':') ? `"${authority}"` : authority);

/**
 * The fields of a request as they go upstream, with `x-forwarded-for|proto|host`, `forwarded` and `via`. `x-request-id` is not among them, as
 * it is another one each time: whoever writes the head adds it. Fields that are not shared are changed where they are.
 */
export function forwardedFields(request: CanonicalRequest): Readonly<Fields> {
  const { fields } = request;
  const made = madeOf(fields);
  if (made === undefined) {
    addForwardedFields(request, fields);
    return fields;
  }
  if (made.forwarded === null) {
    const forwarded = fields.slice();
    addForwardedFields(request, forwarded);
    made.forwarded = share(forwarded);
  }
  return made.forwarded;
}

function addForwardedFields(request: CanonicalRequest, fields: Fields): void {
  const { peerAddress, scheme, authority } = request;
  let forwardedFor = '';
  let proto: string = scheme;
  let host = authority;
  let forwarded = '';
  let via = '';
  let claimed = false;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    if (!BEGINS.has(name.charCodeAt(0))) continue;
    const value = fields[i + 1] ?? '';
    if (name === 'via') {
      via += `${value}, `;
      claimed = true;
    } else if (name === 'forwarded' || name.startsWith('x-') || name.startsWith('x_') || name.startsWith('client')) {
      claimed = true;
      if (!request.peerTrusted || value === '') continue;
      // Fields of one name are one list, in their order (RFC 9110 section 5.3).
      if (name === 'x-forwarded-for') forwardedFor += `${value}, `;
      else if (name === 'x-forwarded-proto') proto = value;
      else if (name === 'x-forwarded-host') host = value;
      else if (name === 'forwarded') forwarded += `${value}, `;
    }
  }
  if (claimed) {
    for (const name of OWN) removeField(fields, name);
    if (!request.peerTrusted) drop(fields, CLAIM);
  }
  const certificate = request.clientCertificate;
  if (certificate !== null && certificate.told.length > 0) tellCertificate(certificate, fields);
  fields.push(
    'x-forwarded-for',
    forwardedFor + peerAddress,
    'x-forwarded-proto',
    proto,
    'x-forwarded-host',
    host,
    'forwarded',
    `${forwarded}for=${node(peerAddress)};host=${quoted(authority)};proto=${scheme}`,
    'via',
    `${via}${request.version} ${VIA_NAME}`,
  );
}

/** What a peer said of another connection's certificate would be taken for what is said of this one's. */
function tellCertificate({ told }: ClientCertificate, fields: Fields): void {
  drop(fields, CERTIFICATE);
  fields.push(...told);
}

/** Underscores count as hyphens. */
function drop(fields: Fields, names: RegExp): void {
  for (let i = fields.length - 2; i >= 0; i -= 2) {
    const name = fields[i] ?? '';
    if (names.test(name.includes('_') ? name.replaceAll('_', '-') : name)) fields.splice(i, 2);
  }
}
