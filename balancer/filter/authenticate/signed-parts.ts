// What signatures cover of a request, as this host sees it.
import type { CanonicalRequest } from '../../message/request.ts';

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** In every way in which an origin may read it. */
export const isSafe = ({ method, otherMethods }: CanonicalRequest): boolean => SAFE.has(method) && otherMethods.length === 0;

/** The value of a field, by its name in lower case; null: it is not there. What comes more than once is one list. */
export function partText({ fields, authority, bodyLength }: CanonicalRequest, name: string): string | null {
  // Both frame the message and are not among its fields any more.
  if (name === 'host') return authority;
  if (name === 'content-length') return bodyLength < 0 ? null : `${bodyLength}`;
  let text: string | null = null;
  for (let i = 0; i < fields.length; i += 2)
    if (fields[i] === name) text = text === null ? (fields[i + 1] ?? '') : `${text}, ${fields[i + 1] ?? ''}`;
  return text;
}
