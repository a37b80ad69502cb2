// Trailers: which fields may stand behind a body.
import type { Fields } from './fields.ts';

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
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-real-ip',
  'x-request-id',
]);

/** The fields of a trailer section that are passed on; a new list. */
export function withoutForbidden(fields: Readonly<Fields>): Fields {
  const kept: Fields = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    // CGI makes the same variable of both spellings.
    if (!FORBIDDEN_TRAILERS.has(name.replaceAll('_', '-'))) kept.push(name, fields[i + 1] ?? '');
  }
  return kept;
}
