// What methods promise, and what else of a request some origins take for its method.
import type { Fields } from './fields.ts';

/** They may be sent again when it is not known whether the first one arrived (RFC 9110 section 9.2.2). */
export const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Every server answers them, if only with a refusal. Of others some close the connection without a word (`node:http` does). */
export const ANSWERED_BY_ALL: ReadonlySet<string> = new Set([...IDEMPOTENT, 'POST', 'PATCH']);

/** The usual methods as the same texts each time, which are compared by their addresses; null: another one stands there, or none. */
export function usualMethod(text: string, from: number, to: number): string | null {
  switch (to - from) {
    case 3:
      return text.startsWith('GET', from) ? 'GET' : text.startsWith('PUT', from) ? 'PUT' : null;
    case 4:
      return text.startsWith('POST', from) ? 'POST' : text.startsWith('HEAD', from) ? 'HEAD' : null;
    case 5:
      return text.startsWith('PATCH', from) ? 'PATCH' : null;
    case 6:
      return text.startsWith('DELETE', from) ? 'DELETE' : null;
    case 7:
      return text.startsWith('OPTIONS', from) ? 'OPTIONS' : null;
    default:
      return null;
  }
}

/** Frameworks take the method from these fields, most of them for POST only. */
export const METHOD_FIELDS: ReadonlySet<string> = new Set(['x-http-method-override', 'x-http-method', 'x-method-override']);
/** And from this parameter of the query, for POST. */
const METHOD_PARAMETER = '_method';

/** Who names more has no good reason, and each is routed. */
export const MOST_OTHER_METHODS = 4;

const NONE: readonly string[] = [];
const LOWER_CASE = /[a-z]/;

/** What some origin may take for the method in place of `method`, in upper case. `named`: whether one of METHOD_FIELDS is there. */
export function otherMethods(method: string, query: string, named: boolean, fields: Readonly<Fields>): readonly string[] {
  const mayName = named || (method === 'POST' && query !== '' && (query.includes(METHOD_PARAMETER) || query.includes('%')));
  if (!mayName && (ANSWERED_BY_ALL.has(method) || !LOWER_CASE.test(method))) return NONE;
  const others = new Set([method]);
  if (named)
    for (let i = 0; i < fields.length; i += 2)
      if (METHOD_FIELDS.has(fields[i] ?? '')) for (const one of (fields[i + 1] ?? '').split(',')) others.add(one);
  if (mayName) for (const one of new URLSearchParams(query).getAll(METHOD_PARAMETER)) others.add(one);
  const upper = new Set([...others].map((one) => one.trim().toUpperCase()));
  upper.delete(method);
  upper.delete('');
  return upper.size === 0 ? NONE : [...upper];
}
