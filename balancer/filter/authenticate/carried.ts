// Where credentials stand in a request: a field, a parameter of the query or a cookie; found there once, or more than once, or not.
import { fieldIndex, removeField } from '../../message/fields.ts';
import type { CanonicalRequest } from '../../message/request.ts';

/** Undefined: it is not there. Null: it is there more than once, with different values or not. */
export type Carried = string | null | undefined;

/** Of a field that stands once; `name` is lower case. */
export function carriedByField({ fields }: CanonicalRequest, name: string): Carried {
  const first = fieldIndex(fields, name);
  if (first < 0) return undefined;
  for (let i = first + 1; i < fields.length; i += 2) if (fields[i] === name) return null;
  return fields[first] ?? '';
}

/** Of `Authorization: <scheme> …`; other schemes are not this one. */
export function carriedByScheme(request: CanonicalRequest, scheme: string): Carried {
  const value = carriedByField(request, 'authorization');
  if (typeof value !== 'string') return value;
  if (value.length <= scheme.length || value.slice(0, scheme.length).toLowerCase() !== scheme) return undefined;
  const rest = value.slice(scheme.length);
  return rest.startsWith(' ') ? rest.trim() : undefined;
}

/** Percent-decoded as a form is (WHATWG URL, application/x-www-form-urlencoded), which is what origins do with it. */
export function carriedByQuery({ query }: CanonicalRequest, name: string): Carried {
  if (query === '') return undefined;
  const values = new URLSearchParams(query).getAll(name);
  return values.length > 1 ? null : values[0];
}

export function carriedByCookie({ fields }: CanonicalRequest, name: string): Carried {
  let found: Carried;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== 'cookie') continue;
    for (const pair of (fields[i + 1] ?? '').split(';')) {
      const equals = pair.indexOf('=');
      if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
      if (found !== undefined) return null;
      found = pair.slice(equals + 1).trim();
    }
  }
  return found;
}

export const removeCarriedField = (request: CanonicalRequest, name: string): void => removeField(request.fields, name);

export function removeCarriedQuery(request: CanonicalRequest, name: string): void {
  const kept = request.query.split('&').filter((pair) => !new URLSearchParams(pair).has(name));
  request.query = kept.join('&');
  request.hasQuery = request.query !== '';
}

export function removeCarriedCookie(request: CanonicalRequest, name: string): void {
  const { fields } = request;
  for (let i = fields.length - 2; i >= 0; i -= 2) {
    if (fields[i] !== 'cookie') continue;
    const kept = (fields[i + 1] ?? '').split(';').filter((pair) => pair.slice(0, pair.indexOf('=')).trim() !== name);
    if (kept.length === 0) fields.splice(i, 2);
    else fields[i + 1] = kept.join(';').trim();
  }
}
