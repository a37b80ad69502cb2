// Bearer tokens: minted once, stored as SHA-256 only, compared in constant time, bound to a role or to the cluster of an agent.
import { createHash, timingSafeEqual } from 'node:crypto';
import { isLive } from '../../intent/tokens.ts';
import type { Role, StoredToken } from '../../store/store.ts';
import type { TokenRequest, TokenView } from '../api/token-view.ts';
import type { Caller } from '../appliance.ts';

/** What every token begins with, so that secret scanners and people recognise one. */
const PREFIX = 'weir_';
/** 256 bits: nothing to guess, so one round of SHA-256 is enough to store it. */
const SECRET_BYTES = 32;
/** `weir_`, a name of up to 63 characters, `_`, 43 characters of base64url; anything longer is not ours and is not hashed. */
const MAX_SECRET_LENGTH = PREFIX.length + 63 + 1 + 43;

/** Random bytes as `node:crypto` gives them; a parameter so that tests are repeatable. */
export type RandomBytes = (size: number) => Uint8Array;

export interface MintedToken {
  readonly stored: StoredToken;
  /** Shown once, kept nowhere. */
  readonly secret: string;
}

/** Makes a token. The request is trusted: the API decoded it (a name, a role, a cluster exactly for agents). */
export function mintToken(request: TokenRequest, nowMs: number, randomBytes: RandomBytes): MintedToken {
  const secret = `${PREFIX}${request.name}_${Buffer.from(randomBytes(SECRET_BYTES)).toString('base64url')}`;
  const ttlMs = request.ttlMs ?? null;
  return {
    secret,
    stored: {
      name: request.name,
      owner: request.owner ?? null,
      role: request.role,
      cluster: request.cluster,
      secretHash: sha256(secret).toString('hex'),
      createdAt: new Date(nowMs).toISOString(),
      expiresAt: ttlMs === null ? null : new Date(nowMs + ttlMs).toISOString(),
    },
  };
}

/** The name that a secret says it has; null: it is none of ours. Nothing is proved by it. */
export function tokenNameOf(secret: string): string | null {
  if (!secret.startsWith(PREFIX) || secret.length > MAX_SECRET_LENGTH) return null;
  const end = secret.indexOf('_', PREFIX.length);
  return end < 0 ? null : secret.slice(PREFIX.length, end);
}

/** The SHA-256 of a secret as it is stored, where another host has made it. */
export function secretHashOf(secret: string): string {
  return sha256(secret).toString('hex');
}

/** The live token that `secret` belongs to. Looks at every stored hash, so the time taken tells nothing about which one was near. */
export function findToken<T extends StoredToken>(tokens: readonly T[], secret: string, nowMs: number): T | null {
  if (!secret.startsWith(PREFIX) || secret.length > MAX_SECRET_LENGTH) return null;
  const digest = sha256(secret);
  let found: T | null = null;
  for (const token of tokens) {
    const stored = Buffer.from(token.secretHash, 'hex');
    if (stored.length === digest.length && timingSafeEqual(stored, digest)) found = token;
  }
  return found !== null && isLive(found, nowMs) ? found : null;
}

/** The caller a token stands for; null for an agent's token, which opens the agent hub and nothing else. */
export function callerOfToken(token: StoredToken): Caller | null {
  if (token.role === 'agent') return null;
  const person = token.owner ?? token.name;
  return { author: { name: person, how: `token ${token.name}` }, role: token.role, person };
}

const OF_HOST = { scope: 'host', refused: false, lastUsedAt: null } as const;

/** The token without its hash. */
export function tokenView(token: StoredToken, known: Pick<TokenView, 'scope' | 'refused' | 'lastUsedAt'> = OF_HOST): TokenView {
  const { name, owner, role, cluster, createdAt, expiresAt } = token;
  return { name, owner, role, cluster, createdAt, expiresAt, ...known };
}

const RANK: Readonly<Record<Role, number>> = { read: 1, operate: 2, admin: 3 };

/** Whether a caller with role `have` may do what asks for `need`: read < operate < admin. */
export function roleAllows(have: Role, need: Role): boolean {
  return RANK[have] >= RANK[need];
}

function sha256(secret: string): Buffer {
  return createHash('sha256').update(secret, 'utf8').digest();
}
