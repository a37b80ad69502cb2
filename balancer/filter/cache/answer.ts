// What a client gets of a stored response: all of it, a part, or that it has it already (RFC 9110 sections 13 and 14).
import { UNKNOWN_LENGTH } from '../../message/exchange.ts';
import { fieldIndex, fieldValue, type Fields } from '../../message/fields.ts';
import { httpDateMs } from '../../message/http-date.ts';
import { share } from '../../message/shared-fields.ts';
import type { StoredReply } from '../../message/response.ts';
import type { StoredResponse } from './stored-response.ts';

const EMPTY = Buffer.alloc(0);
const ETAG = /(?:W\/)?"[^"]*"/g;
/** One range. A client that asks for several gets all, which it must be able to take (RFC 9110 section 14.2). */
const RANGE = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i;

/** What counts of the request. */
export interface Asking {
  readonly method: string;
  readonly fields: Readonly<Fields>;
}

/** What the cache says of a response, besides its fields. */
export interface Told {
  readonly ageS: number;
  /** Cache-Status. */
  readonly status: string;
}

export function answerFrom(stored: StoredResponse, request: Asking, said: Told, wallMs: number): StoredReply {
  const { status, fields, body } = stored;
  const told = (): Fields => ['age', String(said.ageS), 'cache-status', said.status];
  if (status === 200) {
    if (hasAlready(fields, request.fields, wallMs))
      return { status: 304, fields: [...unchangedFields(fields), ...told()], body: EMPTY, bodyLength: UNKNOWN_LENGTH };
    const range = request.method === 'GET' ? rangeOf(fields, request.fields, body.length) : null;
    if (range !== null) return partOf(stored, range, told());
  }
  const before = stored.whole;
  // A response that was found unchanged has other fields, and what the one before it had made.
  const isSaid = before?.of === fields && before.said.ageS === said.ageS && before.said.status === said.status;
  // Most clients ask for all of it, many within the same second: they share what is made of its fields.
  const whole = isSaid ? before : { of: fields, said, fields: share(fields.concat(told())) };
  stored.whole = whole;
  return { status, fields: whole.fields, body: request.method === 'HEAD' ? EMPTY : body, bodyLength: body.length };
}

/** If-None-Match goes before If-Modified-Since (RFC 9110 section 13.2.2). */
function hasAlready(stored: Readonly<Fields>, asked: Readonly<Fields>, wallMs: number): boolean {
  if (fieldIndex(asked, 'if-none-match') >= 0) return matchesAny(asked, fieldValue(stored, 'etag'));
  const since = fieldValue(asked, 'if-modified-since');
  const modified = fieldValue(stored, 'last-modified');
  // A comparison with what is no date is false.
  return since !== undefined && modified !== undefined && httpDateMs(modified, wallMs) <= httpDateMs(since, wallMs);
}

/** The weak comparison: that a tag is weak does not count (RFC 9110 section 8.8.3.2). */
function matchesAny(asked: Readonly<Fields>, etag: string | undefined): boolean {
  for (let i = 0; i < asked.length; i += 2) {
    if (asked[i] !== 'if-none-match') continue;
    const text = asked[i + 1] ?? '';
    if (text.trim() === '*') return true;
    if (etag !== undefined && [...text.matchAll(ETAG)].some(([one]) => opaque(one) === opaque(etag))) return true;
  }
  return false;
}

const opaque = (etag: string): string => (etag.startsWith('W/') ? etag.slice(2) : etag);

/** Without what only tells of the body, which the client has (RFC 9110 section 15.4.5). */
function unchangedFields(fields: Readonly<Fields>): Fields {
  return fields.filter((_, index) => {
    const name = fields[index - (index % 2)] ?? '';
    return !name.startsWith('content-') || name === 'content-location' || name === 'content-security-policy';
  });
}

/** `end` is behind its last byte; a range that lies outside has no bytes. */
interface Range {
  readonly from: number;
  readonly end: number;
}

/** Null: all of it. */
function rangeOf(stored: Readonly<Fields>, asked: Readonly<Fields>, length: number): Range | null {
  const wanted = fieldValue(asked, 'range');
  if (wanted === undefined) return null;
  const [, first, last] = RANGE.exec(wanted) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return null;
  if (!isStillThat(stored, fieldValue(asked, 'if-range')) || fieldValue(stored, 'accept-ranges') === 'none') return null;
  if (first === '') return { from: Math.max(0, length - Number(last)), end: length };
  const from = Number(first);
  if (last !== '' && Number(last) < from) return null;
  return { from: Math.min(from, length), end: last === '' ? length : Math.min(length, Number(last) + 1) };
}

/** The strong comparison, or the very same date (RFC 9110 section 13.1.5). */
function isStillThat(stored: Readonly<Fields>, ifRange: string | undefined): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.startsWith('"')) return ifRange === fieldValue(stored, 'etag');
  return !ifRange.startsWith('W/') && ifRange === fieldValue(stored, 'last-modified');
}

function partOf({ fields, body }: StoredResponse, { from, end }: Range, told: Readonly<Fields>): StoredReply {
  if (from >= end) {
    const outside: Fields = ['content-range', `bytes */${body.length}`, ...told];
    return { status: 416, fields: outside, body: EMPTY, bodyLength: 0 };
  }
  const range = ['content-range', `bytes ${from}-${end - 1}/${body.length}`];
  return { status: 206, fields: [...fields, ...range, ...told], body: body.subarray(from, end), bodyLength: end - from };
}
