// Trailers: which fields may stand behind a body.
import type { Fields } from './fields.ts';
import { isClaim } from './forwarded.ts';
import { METHOD_FIELDS } from './methods.ts';

/** Fields that must not stand in trailers (RFC 9110 section 6.5.1): origins that merge trailers into the head would believe them. */
const FORBIDDEN_TRAILERS = new Set([
  'authorization',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'set-cookie',
  'host',
  'via',
  'x-request-id',
]);
/** What weir says itself. */
const OWN = 'x-weir-';

/** The fields of a trailer section that are passed on; a new list. */
export function withoutForbidden(fields: Readonly<Fields>): Fields {
  const kept: Fields = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    if (!isForbidden(spelled(name))) kept.push(name, fields[i + 1] ?? '');
  }
  return kept;
}

function isForbidden(name: string): boolean {
  return FORBIDDEN_TRAILERS.has(name) || METHOD_FIELDS.has(name) || name.startsWith(OWN) || isClaim(name);
}

/** Without those of these names; the same list where there are none. */
export function withoutNames(fields: Fields, names: ReadonlySet<string>): Fields {
  if (fields.length === 0 || names.size === 0) return fields;
  return fields.filter((_, index) => !names.has(spelled(fields[index - (index % 2)] ?? '')));
}

/** CGI makes the same variable of both spellings. */
const spelled = (name: string): string => name.replaceAll('_', '-');
