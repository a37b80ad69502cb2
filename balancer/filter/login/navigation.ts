// What browsers say of a request: whether a person waits for a page, and whose page asks.
import { fieldValue } from '../../message/fields.ts';
import { preferences } from '../../message/preferences.ts';
import type { CanonicalRequest } from '../../message/request.ts';

const PAGES: ReadonlySet<string> = new Set(['text/html', 'application/xhtml+xml']);

/**
 * Whether a person can be sent elsewhere in place of an answer. A script would follow a redirect to a place that does not let it read, and
 * what was posted would be lost. What is only fetched in advance begins no login.
 */
export function isNavigation({ method, fields }: CanonicalRequest): boolean {
  if (method !== 'GET') return false;
  const mode = fieldValue(fields, 'sec-fetch-mode');
  if (mode !== undefined && mode !== 'navigate') return false;
  if (fieldValue(fields, 'x-requested-with') !== undefined || isAhead(fieldValue(fields, 'sec-purpose') ?? fieldValue(fields, 'purpose')))
    return false;
  return preferences(fields, 'accept')?.some(({ range, weight }) => weight > 0 && PAGES.has(range)) === true;
}

const isAhead = (purpose: string | undefined): boolean => purpose?.includes('prefetch') === true;

/**
 * Whether a page of `origin` asks, or a person by hand. The first of the fields that a browser sends decides; a request with none of them
 * proves nothing.
 */
export function isOfOwnPage({ fields }: CanonicalRequest, origin: string): boolean {
  const site = fieldValue(fields, 'sec-fetch-site');
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const said = fieldValue(fields, 'origin') ?? fieldValue(fields, 'referer');
  return said !== undefined && URL.parse(said)?.origin === origin;
}
