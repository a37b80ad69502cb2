// The tokens that are good on this host: those of the fleet, and its own. What was revoked once is refused for good, whatever becomes of the chain.
import { TOKENS, type Tokens } from '../../intent/tokens.ts';
import type { TouchedField } from '../../intent/intent.ts';
import type { Clock } from '../../../health/clock.ts';
import type { Store, StoredToken } from '../../store/store.ts';
import type { TokenView } from '../api/token-view.ts';
import type { Caller } from '../appliance.ts';
import { CallersSeen } from '../callers-seen.ts';
import { callerOfToken, findToken, tokenNameOf, tokenView } from './tokens.ts';

export interface KnownToken extends StoredToken {
  readonly scope: TokenView['scope'];
}

export interface HostTokensParts {
  readonly store: Pick<Store, 'tokens' | 'deleteToken' | 'getValue' | 'putValue' | 'putDurably'>;
  readonly clock: Pick<Clock, 'wallMs' | 'nowMs'>;
  /** Of the fleet, as it stands now. */
  readonly shared: () => Tokens | undefined;
}

/** Hashes that are refused, the newest last. */
const REFUSED = 'tokens.refused';
const MOST_REFUSED = 5000;

interface Known {
  readonly shared: Tokens | undefined;
  readonly all: readonly KnownToken[];
  /** A token of the fleet and one of this host may have one name. */
  readonly byName: ReadonlyMap<string, readonly KnownToken[]>;
}

export class HostTokens {
  readonly #parts: HostTokensParts;
  readonly #seen: CallersSeen;
  #refused: ReadonlySet<string>;
  /** Hashes that are the fleet's now, or nobody's, which the store does not know yet. */
  readonly #followed = new Set<string>();
  #known: Known | null = null;

  constructor(parts: HostTokensParts) {
    this.#parts = parts;
    this.#seen = new CallersSeen(parts.store, parts.clock, 'tokens.seen');
    this.#refused = readRefused(parts.store.getValue(REFUSED));
  }

  /** By name, those of the fleet first. */
  all(): readonly KnownToken[] {
    return this.#read().all;
  }

  views(): readonly TokenView[] {
    return this.all().map((token) => this.view(token));
  }

  view({ scope, ...token }: KnownToken): TokenView {
    const { name, secretHash } = token;
    return tokenView(token, { scope, refused: this.isRefused(secretHash), lastUsedAt: this.#seen.at(name, secretHash) });
  }

  /** Those of this host were changed. */
  changed(): void {
    this.#known = null;
  }

  /** The caller a secret stands for now; null: none. Every token is looked at, so the time taken tells nothing about which one was near. */
  caller(secret: string): Caller | null {
    const token = this.#live(this.all(), secret);
    const caller = token === null ? null : callerOfToken(token);
    if (token !== null && caller !== null) this.#use(token);
    return caller;
  }

  /** The cluster that the holder of a secret may report for now; null: none. A thousand connections are looked over twice a second. */
  agent(secret: string): { readonly cluster: string | null } | null {
    const name = tokenNameOf(secret);
    const named = name === null ? [] : (this.#read().byName.get(name) ?? []);
    const token = this.#live(named, secret);
    if (token?.role !== 'agent') return null;
    this.#use(token);
    return { cluster: token.cluster };
  }

  isRefused(secretHash: string): boolean {
    return this.#refused.has(secretHash);
  }

  /** From now on, on this host, and after a restart. Throws when the store takes nothing, and then none is refused. */
  refuse(hashes: readonly string[]): void {
    const refused = this.#refusedWith(hashes);
    this.#parts.store.putDurably(REFUSED, JSON.stringify([...refused]));
    this.#refused = refused;
  }

  /**
   * A revision has touched tokens of the fleet: what it took away is refused from now on, even if the end of the chain that says so is lost again, and
   * copies that this host had of its own are the fleet's now. That holds whether the store takes it or not, which is tried again.
   */
  follow(touched: readonly TouchedField[]): void {
    const fields = touched.filter(({ path }) => path[0] === TOKENS);
    if (fields.length === 0) return;
    const now = new Set(fields.flatMap(({ after }) => hashOf(after) ?? []));
    const gone = fields.flatMap(({ before }) => hashOf(before) ?? []).filter((hash) => !now.has(hash));
    this.#refused = this.#refusedWith(gone);
    for (const hash of [...gone, ...now]) this.#followed.add(hash);
    try {
      this.#keepFollowed();
    } catch {
      // A store that takes nothing is told of where it holds up more than this.
    }
    this.changed();
  }

  /** Once a second; with `all` at the end. Throws when the store takes nothing. */
  write(all = false): void {
    if (this.#followed.size > 0) this.#keepFollowed();
    this.#seen.write(all);
  }

  #keepFollowed(): void {
    const { store } = this.#parts;
    store.putDurably(REFUSED, JSON.stringify([...this.#refused]));
    for (const { name, secretHash } of store.tokens()) if (this.#followed.has(secretHash)) store.deleteToken(name);
    this.#followed.clear();
    this.changed();
  }

  /** The newest last. */
  #refusedWith(hashes: readonly string[]): ReadonlySet<string> {
    const others = [...this.#refused].filter((hash) => !hashes.includes(hash));
    return new Set([...others, ...hashes].slice(-MOST_REFUSED));
  }

  #live(tokens: readonly KnownToken[], secret: string): KnownToken | null {
    const token = findToken(tokens, secret, this.#parts.clock.wallMs());
    return token === null || this.isRefused(token.secretHash) ? null : token;
  }

  #use({ name, secretHash }: KnownToken): void {
    this.#seen.add('', { callers: { [name]: [secretHash] } });
  }

  #read(): Known {
    const { store, shared: sharedNow } = this.#parts;
    const shared = sharedNow();
    if (this.#known !== null && this.#known.shared === shared) return this.#known;
    const ofFleet = Object.entries(shared ?? {}).map(([name, token]): KnownToken => ({ name, ...token, scope: 'fleet' }));
    const own = store.tokens().map((token): KnownToken => ({ ...token, scope: 'host' }));
    const all = [...ofFleet, ...own].sort((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
    this.#known = { shared, all, byName: Map.groupBy(all, ({ name }) => name) };
    return this.#known;
  }
}

function hashOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('secretHash' in value)) return null;
  return typeof value.secretHash === 'string' ? value.secretHash : null;
}

/** What cannot be read refuses nothing; the chain says still what was revoked. */
function readRefused(text: string | null): ReadonlySet<string> {
  try {
    const read: unknown = text === null ? [] : JSON.parse(text);
    return new Set(Array.isArray(read) ? read.filter((hash) => typeof hash === 'string') : []);
  } catch {
    return new Set();
  }
}
