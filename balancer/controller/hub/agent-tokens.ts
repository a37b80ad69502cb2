// The tokens of agents, ready to be asked for: a thousand connections are looked over twice a second, and each token is one look into a map.
import type { StoredToken } from '../../store/store.ts';
import { findToken, tokenNameOf } from '../auth/tokens.ts';

export interface AgentTokensParts {
  readonly read: () => readonly StoredToken[];
  readonly wallMs: () => number;
}

export class AgentTokens {
  readonly #parts: AgentTokensParts;
  #byName: ReadonlyMap<string, StoredToken> | null = null;

  constructor(parts: AgentTokensParts) {
    this.#parts = parts;
  }

  /** A token was made or revoked. */
  changed(): void {
    this.#byName = null;
  }

  /** The cluster that the holder of a secret may report for now; null: none. */
  find(secret: string): { readonly cluster: string | null } | null {
    const name = tokenNameOf(secret);
    if (name === null) return null;
    this.#byName ??= new Map(
      this.#parts
        .read()
        .filter(({ role }) => role === 'agent')
        .map((token) => [token.name, token]),
    );
    const stored = this.#byName.get(name);
    return stored !== undefined && findToken([stored], secret, this.#parts.wallMs()) !== null ? { cluster: stored.cluster } : null;
  }
}
