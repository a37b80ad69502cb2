// What a shared cache may store, and how long it holds (RFC 9111 sections 3 and 4.2).
import { fieldValue, type Fields } from '../../message/fields.ts';
import { httpDateMs } from '../../message/http-date.ts';
import type { ResponseHead } from '../../message/response.ts';
import { UNTIL_CLOSE } from '../../message/exchange.ts';
import { conditionsFor } from './revalidation.ts';
import { staleTimes, type StaleRules, type StaleTimes } from './stale-rules.ts';
import { responseDirectives, secondsIn, secondsOf, type Directives } from './directives.ts';

/** What counts of the request. */
export interface AskedBy {
  readonly authenticated: boolean;
  readonly hasCookie: boolean;
}

export interface StoringRules {
  readonly statuses: ReadonlySet<number>;
  /** Of responses that do not say; 0: they are not stored. */
  readonly defaultMs: number;
  readonly mostBytes: number;
  readonly stale: StaleRules;
}

/** When a response was asked for and came. */
export interface Times {
  /** On the monotonic clock. */
  readonly askedMs: number;
  readonly cameMs: number;
  /** The same instant on the wall clock. */
  readonly cameWallMs: number;
}

export interface Holds {
  readonly lifetimeMs: number;
  /** On the monotonic clock. */
  readonly bornMs: number;
  readonly stale: StaleTimes;
}

/** How long it may be served to others without asking; null: it may not be stored, or that would be for nothing. */
export function holds(head: Readonly<ResponseHead>, asked: AskedBy, rules: StoringRules, times: Times): Holds | null {
  const { status, fields, bodyLength } = head;
  if (!rules.statuses.has(status) || bodyLength === UNTIL_CLOSE || (bodyLength ?? 0) > rules.mostBytes) return null;
  if (hasAny(fields, NEVER)) return null;
  const directives = responseDirectives(fields);
  if (FORBIDS.some((name) => directives.has(name))) return null;
  // RFC 9111 section 3.5.
  if (asked.authenticated && !PERMITS.some((name) => directives.has(name))) return null;
  const explicit = directives.has('no-cache') ? 0 : explicitMs(fields, directives, times.cameWallMs);
  const lifetimeMs = explicit ?? (asked.authenticated || asked.hasCookie ? 0 : rules.defaultMs);
  const ageMs = ageOnArrivalMs(fields, times);
  const stale = staleTimes(directives, rules.stale);
  const isOf = (ms: number): boolean => lifetimeMs + ms > ageMs;
  // What does not hold can be asked about, and its body need not come again; or it may be served all the same.
  const isUseful =
    isOf(0) || (explicit !== undefined && (isOf(Math.max(stale.revalidatingMs, stale.failingMs)) || canBeAskedAbout(fields)));
  return isUseful ? { lifetimeMs, bornMs: times.cameMs - ageMs, stale } : null;
}

const canBeAskedAbout = (fields: Readonly<Fields>): boolean => conditionsFor(fields).length > 0;

/** A cookie is one client's; a part of a body is not all of it. */
const NEVER: ReadonlySet<string> = new Set(['set-cookie', 'content-range']);
/** With names of fields as an argument they are taken for the whole response. */
const FORBIDS = ['no-store', 'private'] as const;
const PERMITS = ['public', 's-maxage', 'must-revalidate'] as const;

function hasAny(fields: Readonly<Fields>, names: ReadonlySet<string>): boolean {
  for (let i = 0; i < fields.length; i += 2) if (names.has(fields[i] ?? '')) return true;
  return false;
}

/** Section 4.2.1; undefined: it does not say. */
function explicitMs(fields: Readonly<Fields>, directives: Directives, nowMs: number): number | undefined {
  const seconds = secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age');
  if (seconds !== undefined) return seconds * 1000;
  const expires = fieldValue(fields, 'expires');
  if (expires === undefined) return undefined;
  const expiresMs = httpDateMs(expires, nowMs);
  // What is no date, above all 0, is in the past (section 5.3).
  return Number.isNaN(expiresMs) ? 0 : Math.max(0, expiresMs - dateMs(fields, nowMs));
}

/** Section 4.2.3. */
function ageOnArrivalMs(fields: Readonly<Fields>, { askedMs, cameMs, cameWallMs }: Times): number {
  const [told = ''] = (fieldValue(fields, 'age') ?? '').split(',', 1);
  const apparentMs = Math.max(0, cameWallMs - dateMs(fields, cameWallMs));
  // A date has whole seconds: below one, nothing has passed.
  return Math.max(apparentMs < 1000 ? 0 : apparentMs, secondsIn(told.trim()) * 1000 + (cameMs - askedMs));
}

function dateMs(fields: Readonly<Fields>, nowMs: number): number {
  const date = httpDateMs(fieldValue(fields, 'date') ?? '', nowMs);
  return Number.isNaN(date) ? nowMs : date;
}

/** Fields that hold for one client or one hop (RFC 9111 section 3.1), or are told anew. */
const NOT_STORED: ReadonlySet<string> = new Set(['age', 'proxy-authenticate', 'proxy-authentication-info', 'x-request-id']);

/** As they are stored, with the date that a response without one came at (RFC 9110 section 6.6.1). */
export function storedFields(fields: Readonly<Fields>, wallMs: number): Fields {
  const kept: Fields = [];
  let dated = false;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    if (name === 'date') dated = true;
    if (!NOT_STORED.has(name)) kept.push(name, fields[i + 1] ?? '');
  }
  if (!dated) kept.push('date', new Date(wallMs).toUTCString());
  return kept;
}
