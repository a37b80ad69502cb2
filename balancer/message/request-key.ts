// What a request is told apart by when it keeps its place: a header field, a cookie, a query parameter or the client's address.
import { fieldValue, type Fields } from './fields.ts';

export type KeySource = { readonly kind: 'header' | 'cookie' | 'query'; readonly name: string } | { readonly kind: 'address' };

/** What keys are read from; of a connection that is passed through only the address is known. */
export interface Keyed {
  readonly fields: Readonly<Fields>;
  readonly query: string;
  readonly clientAddress: string;
}

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** `address`, `header:x-user-id`, `cookie:session`, `query:user`; null: none of these. */
export function parseKeySource(value: unknown): KeySource | null {
  if (value === 'address') return { kind: 'address' };
  if (typeof value !== 'string') return null;
  const colon = value.indexOf(':');
  const kind = value.slice(0, colon);
  const name = value.slice(colon + 1);
  if (!NAME.test(name)) return null;
  if (kind === 'header') return { kind, name: name.toLowerCase() };
  return kind === 'cookie' || kind === 'query' ? { kind, name } : null;
}

/** The key as it came, byte by byte; null: the request has none, or an empty one. */
export function requestKey(source: KeySource, { fields, query, clientAddress }: Keyed): string | null {
  switch (source.kind) {
    case 'address':
      return clientAddress;
    case 'header':
      return fieldValue(fields, source.name) || null;
    case 'cookie':
      return cookieValue(fields, source.name) || null;
    case 'query':
      return pairValue(query, source.name, '&') || null;
  }
}

/** The first cookie of that name (RFC 6265 section 5.4), undecoded; HTTP/2 may send several fields (RFC 9113 section 8.2.3). Null: none. */
export function cookieValue(fields: Readonly<Fields>, name: string): string | null {
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== 'cookie') continue;
    const value = pairValue(fields[i + 1] ?? '', name, ';');
    if (value !== null) return value;
  }
  return null;
}

/** The value of the first `name=value` of a list; no list is made of it. */
function pairValue(text: string, name: string, separator: ';' | '&'): string | null {
  let at = 0;
  while (at < text.length) {
    const found = text.indexOf(separator, at);
    const end = found < 0 ? text.length : found;
    while (text.charCodeAt(at) === 0x20) at += 1;
    if (text.startsWith(name, at) && text.charCodeAt(at + name.length) === 0x3d) return text.slice(at + name.length + 1, end).trimEnd();
    at = end + 1;
  }
  return null;
}
