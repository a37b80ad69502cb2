// ID tokens (OpenID Connect Core 1.0 section 3.1.3.7): whether one says who has signed in here, now, and for this login.
import { hash } from 'node:crypto';
import type { Clock } from '../../../health/clock.ts';
import type { Claims, TokenIssuer } from '../authenticate/issuer.ts';
import { readToken } from '../authenticate/unchecked-token.ts';

const MS = 1000;
/** One that was made longer ago is not of this login. */
const MOST_AGE_MS = 600_000;

export interface Expected {
  /** Null: any that is not another one than `before` had. */
  readonly nonce: string | null;
  /** What a refresh must go on with; null: a login. */
  readonly before: Claims | null;
  /** Empty: none came. */
  readonly accessToken: string;
}

/** A text: why it is none. Null: there are no keys to check it by. */
export type CheckedIdToken = Claims | string | null;

export class IdTokens {
  readonly #issuer: TokenIssuer;
  readonly #client: string;
  readonly #clock: Pick<Clock, 'wallMs'>;

  /** `issuer` checks what is common to all tokens: signature, issuer, expiry; and that they are for the client. */
  constructor(issuer: TokenIssuer, client: string, clock: Pick<Clock, 'wallMs'>) {
    this.#issuer = issuer.forAudience(client);
    this.#client = client;
    this.#clock = clock;
  }

  async check(token: string, expected: Expected): Promise<CheckedIdToken> {
    const read = readToken(token);
    if (typeof read === 'string') return read;
    const claims = await this.#issuer.check(token, read.wish, hash('sha256', token, 'base64'));
    if (claims === null || typeof claims === 'string') return claims;
    return this.#problemOf(claims, read.wish.algorithm, expected) ?? claims;
  }

  #problemOf(claims: Claims, algorithm: string, { nonce, before, accessToken }: Expected): string | null {
    const { aud, azp, iat, sub, at_hash: accessHash } = claims;
    if (typeof sub !== 'string' || sub === '') return 'it names nobody';
    if (azp === undefined ? Array.isArray(aud) && aud.length > 1 : azp !== this.#client) return 'it was made for another client';
    const ageMs = typeof iat === 'number' ? this.#clock.wallMs() - iat * MS : Infinity;
    const { leewayMs } = this.#issuer.config;
    if (ageMs < -leewayMs) return 'it is from the future';
    if (ageMs > MOST_AGE_MS + leewayMs) return 'it is too old, or does not say how old it is';
    if (nonce !== null && claims['nonce'] !== nonce) return 'it is not of this login';
    if (before !== null && !isContinued(claims, before)) return 'it is of another person, or of another login';
    if (accessHash !== undefined && (accessToken === '' || accessHash !== halfHash(accessToken, algorithm)))
      return 'the access token is not the one it belongs to';
    return null;
  }
}

/** Section 12.2. */
const isContinued = (claims: Claims, before: Claims): boolean =>
  claims.sub === before.sub && claims.iss === before.iss && (claims['nonce'] === undefined || claims['nonce'] === before['nonce']);

/** Section 3.1.3.6; EdDSA names no hash, and that of Ed25519 is SHA-512. */
function halfHash(accessToken: string, algorithm: string): string {
  const digits = /(?:256|384|512)$/.exec(algorithm)?.[0] ?? '512';
  const whole = hash(`sha${digits}`, accessToken, 'buffer');
  return whole.subarray(0, whole.length / 2).toString('base64url');
}
