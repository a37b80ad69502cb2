// Tokens of one issuer: checked by its keys once, and remembered until they expire or the keys change.
import type { JWTPayload } from 'jose';
import type { Clock } from '../../../health/clock.ts';
import type { IssuerConfig } from '../../config/issuer-config.ts';
import { loadJose } from './jose.ts';
import { KeyChoice, type FetchedKeySets, type KeySet, type KeyWish } from './key-set.ts';

/** What a good token says. One object for one token, as long as it is remembered. */
export type Claims = JWTPayload;

/** Good: the claims. Text: why it is not, for the log. Null: there are no keys to check it by. */
export type Checked = Claims | string | null;

const MAX_REMEMBERED = 10_000;
const MS = 1000;

interface Remembered {
  readonly claims: Claims;
  readonly untilMs: number;
}

export class TokenIssuer {
  readonly config: IssuerConfig;
  readonly #keySets: FetchedKeySets;
  readonly #own: KeySet | null;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #remembered = new Map<string, Remembered>();
  readonly #running = new Map<string, Promise<Checked>>();
  #choice: KeyChoice | null = null;

  /** `own`: its keys, where they are not fetched. */
  constructor(config: IssuerConfig, own: KeySet | null, keySets: FetchedKeySets, clock: Pick<Clock, 'wallMs'>) {
    this.config = config;
    this.#own = own;
    this.#keySets = keySets;
    this.#clock = clock;
  }

  /** Tokens of the same issuer that are for one audience alone and may have any type; what one of the two remembers the other does not. */
  forAudience(audience: string): TokenIssuer {
    return new TokenIssuer({ ...this.config, audiences: [audience], type: null }, this.#own, this.#keySets, this.#clock);
  }

  /** Of a token that was good a moment ago, by its digest; null: it is not remembered. */
  recall(digest: string): Claims | null {
    const known = this.#remembered.get(digest);
    if (known === undefined || this.#keys() === null) return null;
    if (known.untilMs > this.#clock.wallMs() && this.#remembered.has(digest)) return known.claims;
    this.#remembered.delete(digest);
    return null;
  }

  /** `wish` is what the header of the token says. */
  check(token: string, wish: KeyWish, digest: string): Promise<Checked> {
    const running = this.#running.get(digest);
    if (running !== undefined) return running;
    const checked = this.#check(token, wish, digest).finally(() => this.#running.delete(digest));
    this.#running.set(digest, checked);
    return checked;
  }

  /** Null: there are none. What was checked by keys that are not there any more counts for nothing. */
  #keys(): KeyChoice | null {
    const { keys } = this.config;
    const set = this.#own ?? (keys.kind === 'url' ? this.#keySets.get(keys.url) : null);
    // A set without keys is one that was withdrawn, or was not fetched for too long: nobody can be told whether a token is good.
    if (set === null || set.keys.length === 0) return (this.#choice = null);
    if (this.#choice === null || this.#choice.set.version !== set.version) {
      this.#choice = new KeyChoice(set);
      this.#remembered.clear();
    }
    return this.#choice;
  }

  async #check(token: string, wish: KeyWish, digest: string): Promise<Checked> {
    const { algorithms, keys } = this.config;
    if (!algorithms.includes(wish.algorithm)) return `the algorithm ${wish.algorithm} is not one of ${algorithms.join(', ')}`;
    const first = this.#keys();
    const checked = first === null ? null : await this.#by(first, token, wish, digest);
    if (
      keys.kind !== 'url' ||
      (checked !== null && typeof checked !== 'string') ||
      (checked !== null && checked !== NO_KEY && checked !== BAD_SIGNATURE)
    )
      return checked;
    // The issuer may have changed its keys, under new ids or under the same ones.
    await this.#keySets.renew(keys.url);
    const second = this.#keys();
    return second === null || second.set.version === first?.set.version ? checked : this.#by(second, token, wish, digest);
  }

  async #by(choice: KeyChoice, token: string, wish: KeyWish, digest: string): Promise<Checked> {
    let problem: string = NO_KEY;
    for (const index of choice.candidates(wish)) {
      const checked = await this.#byKey(choice, index, token, wish.algorithm);
      if (typeof checked !== 'string') {
        this.#remember(digest, checked);
        return checked;
      }
      problem = checked;
      if (problem !== BAD_SIGNATURE) break;
    }
    return problem;
  }

  async #byKey(choice: KeyChoice, index: number, token: string, algorithm: string): Promise<Claims | string> {
    const { issuer, audiences, leewayMs, type } = this.config;
    const { errors, jwtVerify } = await loadJose();
    try {
      const { payload } = await jwtVerify(token, await choice.key(index, algorithm), {
        issuer,
        algorithms: [algorithm],
        clockTolerance: leewayMs / MS,
        currentDate: new Date(this.#clock.wallMs()),
        requiredClaims: ['exp'],
        ...(audiences.length === 0 ? {} : { audience: [...audiences] }),
        ...(type === null ? {} : { typ: type }),
      });
      // A number that no double holds is read as Infinity: a token for ever, which its issuer cannot have meant.
      return Number.isFinite(payload.exp) ? payload : 'its expiry is no time';
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) return BAD_SIGNATURE;
      return error instanceof Error ? error.message : String(error);
    }
  }

  #remember(digest: string, claims: Claims): void {
    const untilMs = (claims.exp ?? 0) * MS + this.config.leewayMs;
    this.#remembered.set(digest, { claims, untilMs });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }
}

const NO_KEY = 'no key of the issuer can have signed it';
const BAD_SIGNATURE = 'the signature is not right';
