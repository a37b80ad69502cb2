// Who has signed in: what the ID token says, and where the file wants it what the provider says besides (OpenID Connect Core 1.0 section 5.3).
import type { Claims } from '../authenticate/issuer.ts';
import type { Expected, IdTokens } from './id-tokens.ts';
import type { Endpoints, Provider, Tokens } from './provider.ts';

export interface Person {
  /** Of the ID token. */
  readonly claims: Claims;
  /** What else the provider says; where both say something the ID token holds. */
  readonly told: Claims;
}

/** Why nobody can say who it is: `refused`, because what came is not right; `away`, because nothing came. */
export interface Nobody {
  readonly kind: 'refused' | 'away';
  readonly why: string;
}

export class Persons {
  readonly #idTokens: IdTokens;
  readonly #provider: Provider;
  readonly #asksMore: boolean;

  constructor(idTokens: IdTokens, provider: Provider, asksMore: boolean) {
    this.#idTokens = idTokens;
    this.#provider = provider;
    this.#asksMore = asksMore;
  }

  /** Only a refresh may have no ID token. */
  async of(endpoints: Endpoints, tokens: Tokens, expected: Omit<Expected, 'accessToken'>): Promise<Person | Nobody> {
    const claims = await this.#claimsOf(tokens, expected);
    if (claims === null) return { kind: 'away', why: 'the keys of the provider were never fetched' };
    if (typeof claims === 'string') return { kind: 'refused', why: `the ID token: ${claims}` };
    if (!this.#asksMore) return { claims, told: {} };
    const told = await this.#provider.userInfo(endpoints, tokens.accessToken);
    if (told.kind !== 'told') return told;
    // Section 5.3.2: it could be what is said of somebody else.
    return told.claims['sub'] === claims.sub
      ? { claims, told: told.claims }
      : { kind: 'refused', why: 'the user info is of another person' };
  }

  async #claimsOf({ idToken, accessToken }: Tokens, { nonce, before }: Omit<Expected, 'accessToken'>): Promise<Claims | string | null> {
    if (idToken === '') return before ?? 'the answer of the provider has none';
    return this.#idTokens.check(idToken, { nonce, before, accessToken });
  }
}
