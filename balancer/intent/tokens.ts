// Tokens as they are kept, by hash: of a fleet a part of its intent, so that one is good on every host, and on none when it is revoked. Pure.
import type { Intent, Refusal } from './intent.ts';

export type Role = 'read' | 'operate' | 'admin';

export const ROLES: readonly (Role | 'agent')[] = ['read', 'operate', 'admin', 'agent'];

/** Never the secret, only its SHA-256: of 256 random bits, which nobody guesses. */
export interface TokenRecord {
  /** Who holds it, as the audit names them; null: a person by the name of the token, or an agent. */
  readonly owner: string | null;
  readonly role: Role | 'agent';
  /** Agents: the only cluster it may report for; null otherwise. */
  readonly cluster: string | null;
  /** Hex. */
  readonly secretHash: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  /** Null: it does not end by itself. */
  readonly expiresAt: string | null;
}

/** By name; what is empty is not there. */
export type Tokens = Readonly<Record<string, TokenRecord>>;

export type TokenChange =
  | ({
      readonly kind: 'token_make';
      readonly name: string;
      /** Of an agent: when those that its cluster has by now end, if they would end later; null: they stay. */
      readonly othersExpireAt: string | null;
    } & Omit<TokenRecord, 'createdAt'>)
  | { readonly kind: 'token_revoke'; readonly name: string };

/** The first part of paths. */
export const TOKENS = 'tokens';
/** Of one cluster: the one that agents have, and the one that they are being given. */
export const MOST_AGENT_TOKENS = 2;
/** Every host reads all of them with the intent. */
const MOST_TOKENS = 2000;
/** A DNS label: it has no `_`, so the name in a token ends at the second one. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const HASH = /^[0-9a-f]{64}$/;

/** What tokens are held against. */
export interface TokenFacts {
  readonly clusters: Readonly<Record<string, unknown>>;
  readonly wallMs?: number;
}

/** Whether `name` may name a token. */
export function isTokenName(name: string): boolean {
  return NAME.test(name);
}

/** A date that cannot be read has passed: a damaged record must not live for ever. */
export function isLive({ expiresAt }: Pick<TokenRecord, 'expiresAt'>, wallMs: number): boolean {
  return expiresAt === null || wallMs < Date.parse(expiresAt);
}

/** The name itself where nothing that is valid has it, else with the next number behind it. */
export function freeName(name: string, tokens: Tokens, wallMs: number): string {
  const isFree = (one: string): boolean => tokens[one] === undefined || !isLive(tokens[one], wallMs);
  if (isFree(name)) return name;
  const stem = name.slice(0, 58);
  for (let number = 2; ; number += 1) if (isFree(`${stem}-${number}`)) return `${stem}-${number}`;
}

export const isTokenChange = ({ kind }: { readonly kind: string }): boolean => kind === 'token_make' || kind === 'token_revoke';

export function changeTokens(
  tokens: Tokens,
  change: TokenChange,
  facts: TokenFacts,
): { readonly tokens: Tokens; readonly summary: string } | Refusal {
  return change.kind === 'token_make' ? made(tokens, change, facts) : revoked(tokens, change.name);
}

type Making = Extract<TokenChange, { kind: 'token_make' }>;

function made(tokens: Tokens, change: Making, { clusters, wallMs = 0 }: TokenFacts): ReturnType<typeof changeTokens> {
  const { name, othersExpireAt, owner, secretHash } = change;
  const problem = problemOf(change, wallMs);
  if (problem !== null) return { kind: 'usage', message: problem };
  const { cluster, role, expiresAt } = change;
  if (cluster !== null && !Object.hasOwn(clusters, cluster))
    return { kind: 'not_found', message: `there is no cluster "${cluster}"; the config has ${Object.keys(clusters).join(', ')}` };
  const known = tokens[name];
  // One that takes over may have the name of one that is over.
  if (known !== undefined && (othersExpireAt === null || isLive(known, wallMs)))
    return conflict(`a token named ${name} exists; revoke it first (weir token revoke ${name}), or choose another name`);
  if (known === undefined && Object.keys(tokens).length >= MOST_TOKENS)
    return conflict(`${MOST_TOKENS} tokens are stored, and no more can be; revoke those that nobody has any more (weir token list)`);
  const live = cluster === null ? [] : Object.entries(tokens).filter(([, one]) => one.cluster === cluster && isLive(one, wallMs));
  if (live.length >= MOST_AGENT_TOKENS) {
    const names = live.map(([one, { expiresAt: at }]) => (at === null ? one : `${one} (until ${at})`)).join(' and ');
    return conflict(
      `${names} are valid for ${cluster ?? ''}, and no more than ${MOST_AGENT_TOKENS} are at a time; revoke the one that no agent has any more (weir token revoke NAME)`,
    );
  }
  const ending = Object.fromEntries(live.map(([one, other]) => [one, endingBy(other, othersExpireAt)]));
  const record: TokenRecord = { owner, role, cluster, secretHash, createdAt: new Date(wallMs).toISOString(), expiresAt };
  const what = role === 'agent' ? `agent of ${cluster ?? ''}` : role;
  const ends = Object.entries(ending).filter(([one, { expiresAt: at }]) => tokens[one]?.expiresAt !== at);
  const others = ends.map(([one, { expiresAt: at }]) => `; ${one} is valid until ${at ?? ''}`).join('');
  return {
    tokens: { ...tokens, ...ending, [name]: record },
    summary: `token ${name} (${what}) made${expiresAt === null ? '' : `, until ${expiresAt}`}${others}`,
  };
}

function revoked(tokens: Tokens, name: string): ReturnType<typeof changeTokens> {
  const { [name]: known, ...others } = tokens;
  if (known === undefined) return { kind: 'not_found', message: `there is no token named ${name}; weir token list shows those there are` };
  return { tokens: others, summary: `token ${name} revoked` };
}

function problemOf({ name, role, cluster, secretHash, expiresAt }: Making, wallMs: number): string | null {
  if (!isTokenName(name)) return `"${name}" is no name of a token; expected lower-case letters, digits and -, at most 63`;
  if (!HASH.test(secretHash)) return 'the hash of a token is SHA-256 in 64 hexadecimal digits; the token itself is never sent';
  if ((role === 'agent') !== (cluster !== null)) return "a token of an agent is for a cluster, and a person's is for none";
  if (expiresAt !== null && !(Date.parse(expiresAt) > wallMs)) return `${expiresAt} has passed, or is no time; expected a later one`;
  return null;
}

function endingBy(token: TokenRecord, at: string | null): TokenRecord {
  if (at === null || (token.expiresAt !== null && Date.parse(token.expiresAt) <= Date.parse(at))) return token;
  return { ...token, expiresAt: at };
}

const conflict = (message: string): Refusal => ({ kind: 'conflict', message });

export const tokensPart = (tokens: Tokens | undefined): Pick<Intent, 'tokens'> =>
  tokens === undefined || Object.keys(tokens).length === 0 ? {} : { tokens };
