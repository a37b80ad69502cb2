// What a browser that has signed in carries: nothing of it is kept here, so that every worker of every host knows it.
import type { Claims } from '../authenticate/issuer.ts';
import { decodedSegment } from '../authenticate/unchecked-token.ts';
import type { Person } from './persons.ts';
import type { Tokens } from './provider.ts';

export interface Session {
  readonly idToken: string;
  /** Its name at the provider; empty: it has none. Another ID token need not say it again. */
  readonly sid: string;
  /** Of the ID token, which was checked before it was sealed in. */
  readonly own: Claims;
  /** What the provider said besides. */
  readonly told: Claims;
  /** Both; where both say something the ID token holds. */
  readonly claims: Claims;
  readonly scopes: readonly string[];
  /** Milliseconds since 1970, as all times here. */
  readonly begunMs: number;
  readonly usedMs: number;
  /** Empty: nobody wants it. */
  readonly accessToken: string;
  /** Empty: the provider gave none, or nobody wants it. */
  readonly refreshToken: string;
  /** When the access token ends; null: the provider did not say. */
  readonly accessUntilMs: number | null;
}

/** What is kept of the tokens of a login or a refresh. */
export interface Keeping {
  readonly accessToken: boolean;
  readonly refreshToken: boolean;
  /** Those that were asked for. */
  readonly scopes: readonly string[];
}

export function beginSession(tokens: Tokens, { claims, told }: Person, keeping: Keeping, nowMs: number): Session {
  return {
    ...{ idToken: tokens.idToken, own: claims, told, claims: { ...told, ...claims } },
    ...{ sid: sidOf(claims) ?? '', begunMs: nowMs, usedMs: nowMs },
    scopes: tokens.scopes ?? keeping.scopes,
    accessToken: keeping.accessToken ? tokens.accessToken : '',
    refreshToken: keeping.refreshToken ? tokens.refreshToken : '',
    accessUntilMs: untilMs(tokens, nowMs),
  };
}

/** No other ID token may have come. A provider that gives no other refresh token means the one it gave (RFC 6749 section 6). */
export function goOn(session: Session, tokens: Tokens, { claims, told }: Person, nowMs: number): Session {
  return {
    ...session,
    idToken: tokens.idToken === '' ? session.idToken : tokens.idToken,
    ...{ own: claims, told, claims: { ...told, ...claims } },
    sid: sidOf(claims) ?? session.sid,
    scopes: tokens.scopes ?? session.scopes,
    accessToken: session.accessToken === '' ? '' : tokens.accessToken,
    refreshToken: tokens.refreshToken === '' ? session.refreshToken : tokens.refreshToken,
    accessUntilMs: untilMs(tokens, nowMs),
  };
}

const untilMs = ({ expiresS }: Tokens, nowMs: number): number | null => (expiresS === null ? null : nowMs + expiresS * MS);
const MS = 1000;

const sidOf = ({ sid }: Claims): string | null => (typeof sid === 'string' && sid !== '' ? sid : null);

/** Short names: it is a cookie. */
interface Packed {
  readonly v: 1;
  readonly i: string;
  /** Absent: nothing. */
  readonly m?: Claims;
  readonly s: readonly string[];
  readonly b: number;
  readonly u: number;
  readonly a: string;
  readonly r: string;
  readonly x: number | null;
  /** Absent: as the ID token says. */
  readonly d?: string;
}

export function packSession(session: Session): Packed {
  const { idToken, own, sid, told, scopes, begunMs, usedMs, accessToken, refreshToken, accessUntilMs } = session;
  return {
    v: 1,
    i: idToken,
    s: scopes,
    b: begunMs,
    u: usedMs,
    a: accessToken,
    r: refreshToken,
    x: accessUntilMs,
    ...(sid === (sidOf(own) ?? '') ? {} : { d: sid }),
    ...(Object.keys(told).length === 0 ? {} : { m: told }),
  };
}

/** Null: it is none, or of another version. */
export function unpackSession(value: unknown): Session | null {
  const { v, i, m = {}, s, b, u, a, r, x, d } = { ...Object(value) } as Partial<Packed>;
  if (v !== 1 || typeof i !== 'string' || !Array.isArray(s)) return null;
  if (typeof b !== 'number' || typeof u !== 'number' || typeof a !== 'string' || typeof r !== 'string') return null;
  if (x !== null && typeof x !== 'number') return null;
  try {
    const told: Claims = { ...m };
    const own: Claims = decodedSegment(i.split('.')[1] ?? '');
    const times = { begunMs: b, usedMs: u, accessUntilMs: x };
    const sid = typeof d === 'string' ? d : (sidOf(own) ?? '');
    return { idToken: i, sid, own, told, claims: { ...told, ...own }, scopes: s, accessToken: a, refreshToken: r, ...times };
  } catch {
    return null;
  }
}
