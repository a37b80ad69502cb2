// The fields of an answer as the client gets them, before filters: its own, and the place that the client is to keep.
import type { Fields } from '../message/fields.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { Attempt } from './attempt.ts';
import type { RouteRuntime } from './generation.ts';

/** Equal responses share their fields: who may write into them gets a copy. */
export function clientFields(attempt: Attempt, fields: Fields, route: RouteRuntime | null, request: CanonicalRequest): Fields {
  if (route === null) return fields.slice();
  const cookie = attempt.result < 500 ? route.service.cookieFor(attempt.target, request) : null;
  if (cookie !== null) return [...fields, 'set-cookie', cookie];
  return route.onResponse.length === 0 ? fields : fields.slice();
}
