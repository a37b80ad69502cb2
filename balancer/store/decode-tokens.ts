// Tokens as they are stored, read back: a record that does not fit is told, never half used.
import { ROLES, type TokenChange, type TokenRecord, type Tokens } from '../intent/tokens.ts';
import { members, nullable, oneOf, record, string, type Members } from './decode-parts.ts';
import type { StoredToken } from './store.ts';

/** From the columns of a row. */
export function decodeToken(row: Members): StoredToken {
  const name = string(row['name'], 'token.name');
  const { secret_hash: secretHash, created_at: createdAt, expires_at: expiresAt, ...others } = row;
  return { name, ...token({ ...others, secretHash, createdAt, expiresAt }, `token ${name}`) };
}

export function decodeTokens(value: unknown, path: string): Tokens {
  return record(token)(value, path);
}

function token(value: unknown, path: string): TokenRecord {
  const of = members(value, path);
  return { ...whose(of, path), createdAt: string(of['createdAt'], `${path}.createdAt`) };
}

function whose(of: Members, path: string): Omit<TokenRecord, 'createdAt'> {
  const optional = (name: string): string | null => nullable(string)(of[name], `${path}.${name}`);
  return {
    owner: optional('owner'),
    role: oneOf(ROLES, of['role'], `${path}.role`),
    cluster: optional('cluster'),
    secretHash: string(of['secretHash'], `${path}.secretHash`),
    expiresAt: optional('expiresAt'),
  };
}

export function decodeTokenChange(kind: TokenChange['kind'], of: Members, path: string): TokenChange {
  const name = string(of['name'], `${path}.name`);
  if (kind === 'token_revoke') return { kind, name };
  return { kind, name, ...whose(of, path), othersExpireAt: nullable(string)(of['othersExpireAt'], `${path}.othersExpireAt`) };
}
