// Logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.6): whether one says, now and to this client, that a session is over.
import { hash } from 'node:crypto';
import type { Clock } from '../../../health/clock.ts';
import type { Claims, TokenIssuer } from '../authenticate/issuer.ts';
import { decodedSegment, readToken } from '../authenticate/unchecked-token.ts';

const MS = 1000;
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** One that was made longer ago is not of now, whatever it says of its end. */
const MOST_AGE_MS = 600_000;
/** What has no type, or that of all tokens, is as good as the spec asks; one of another kind (`at+jwt`) is another token. */
const TYPES: ReadonlySet<unknown> = new Set([undefined, 'jwt', 'logout+jwt', 'application/logout+jwt']);
const MOST_LENGTH = 255;

export interface Logout {
  /** Empty: it names a person only. */
  readonly sid: string;
  /** Empty: it names a session only. */
  readonly sub: string;
  readonly jti: string;
  /** After it the token is good for nothing, in milliseconds since 1970. */
  readonly untilMs: number;
}

export class LogoutTokens {
  readonly #issuer: TokenIssuer;
  readonly #clock: Pick<Clock, 'wallMs'>;

  /** `issuer` checks signature, algorithm, issuer and expiry; and that it is for the client. */
  constructor(issuer: TokenIssuer, client: string, clock: Pick<Clock, 'wallMs'>) {
    this.#issuer = issuer.forAudience(client);
    this.#clock = clock;
  }

  /** A text: why it is none. Null: there are no keys to check it by. */
  async check(token: string): Promise<Logout | string | null> {
    const read = readToken(token);
    if (typeof read === 'string') return read;
    const claims = await this.#issuer.check(token, read.wish, hash('sha256', token, 'base64'));
    if (claims === null || typeof claims === 'string') return claims;
    return this.#logoutOf(claims, decodedSegment(token.slice(0, token.indexOf('.')))['typ']);
  }

  #logoutOf(claims: Claims, type: unknown): Logout | string {
    const { iat, exp = 0, jti, sub: person, sid: session, nonce, events } = claims;
    const { leewayMs } = this.#issuer.config;
    if (!TYPES.has(typeof type === 'string' ? type.toLowerCase() : type)) return 'its type is that of another kind of token';
    // It could be an ID token, which browsers have.
    if (nonce !== undefined) return 'it has a nonce, which no logout token may have';
    if (!isEvent(events)) return 'it does not say that a session is over';
    const ageMs = typeof iat === 'number' ? this.#clock.wallMs() - iat * MS : Infinity;
    if (ageMs < -leewayMs) return 'it is from the future';
    if (ageMs > MOST_AGE_MS + leewayMs) return 'it is too old, or does not say how old it is';
    if (!isName(jti)) return 'it has no id';
    if (person !== undefined && !isName(person)) return 'it names nobody';
    if (session !== undefined && !isName(session)) return 'it names no session';
    if (person === undefined && session === undefined) return 'it names neither a person nor a session';
    // The age bounds how long it is good, so nothing has to be remembered for longer.
    const untilMs = Math.min(exp * MS, Number(iat) * MS + MOST_AGE_MS) + leewayMs;
    const logout: Logout = { sid: session ?? '', sub: person ?? '', jti, untilMs };
    return logout;
  }
}

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= MOST_LENGTH;

function isEvent(events: unknown): boolean {
  const event: unknown = Object(events) === events ? Reflect.get(Object(events), EVENT) : undefined;
  return typeof event === 'object' && event !== null && !Array.isArray(event);
}
