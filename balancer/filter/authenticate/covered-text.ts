// The text that an HTTP Message Signature signs (the signature base of RFC 9421), made of the request as this host sees it.
import type { CanonicalRequest } from '../../message/request.ts';
import { serializeItem, serializeMember, type Item, type Member } from '../../message/structured-fields.ts';
import { partText } from './signed-parts.ts';

/** What a signature covers. */
export interface Covered {
  /** Names of components, in lower case. */
  readonly names: readonly string[];
  /** The whole of what is signed (section 2.5). */
  readonly text: string;
}

/** A text: why there is none. */
export function coveredText(input: Member, request: CanonicalRequest): Covered | string {
  if (!Array.isArray(input.value)) return 'what is covered is no list';
  const lines: string[] = [];
  const names: string[] = [];
  const seen = new Set<string>();
  for (const item of input.value as readonly Item[]) {
    const { value: name } = item;
    if (typeof name !== 'string' || name !== name.toLowerCase()) return 'a component is no name in lower case';
    const identifier = serializeItem(item);
    if (seen.has(identifier)) return `${identifier} is covered twice`;
    seen.add(identifier);
    const value = componentValue(name, item, request);
    if (value === null) return `${identifier} is covered and not there, or not understood`;
    lines.push(`${identifier}: ${value}\n`);
    names.push(name);
  }
  return { names, text: `${lines.join('')}"@signature-params": ${serializeMember(input)}` };
}

/** Null: it is not there, or has parameters that are not understood: bs, key, req, sf, tr. */
function componentValue(name: string, { parameters }: Item, request: CanonicalRequest): string | null {
  if (name === '@query-param') return parameters.size === 1 ? queryParameter(request, parameters.get('name')) : null;
  if (parameters.size > 0) return null;
  if (name.startsWith('@')) return Object.hasOwn(DERIVED, name) ? (DERIVED[name]?.(request) ?? null) : null;
  return partText(request, name)?.trim() ?? null;
}

/** Section 2.2. */
const DERIVED: Readonly<Record<string, (request: CanonicalRequest) => string>> = {
  '@method': ({ method }) => method,
  '@scheme': ({ scheme }) => scheme,
  '@authority': authorityOf,
  '@path': ({ path }) => path,
  '@query': ({ query }) => `?${query}`,
  '@request-target': targetOf,
  '@target-uri': (request) => `${request.scheme}://${authorityOf(request)}${targetOf(request)}`,
};

const DEFAULT_PORT = { http: /:80$/, https: /:443$/ } as const;

function authorityOf({ authority, scheme }: CanonicalRequest): string {
  return authority.toLowerCase().replace(DEFAULT_PORT[scheme], '');
}

function targetOf({ path, query, hasQuery }: CanonicalRequest): string {
  return hasQuery ? `${path}?${query}` : path;
}

/** A parameter that comes more than once has no one value (section 2.2.8). */
function queryParameter({ query }: CanonicalRequest, name: unknown): string | null {
  if (typeof name !== 'string') return null;
  const values = [...new URLSearchParams(query)].filter(([key]) => encoded(key) === name).map(([, value]) => value);
  const [only] = values;
  return only === undefined || values.length > 1 ? null : encoded(only);
}

/** With the percent-encode set of forms, and spaces as `%20`. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
