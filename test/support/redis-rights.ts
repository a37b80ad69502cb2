// The user that docs/fleet.md gives a host in Redis: every right it needs and no other.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

export const REDIS_USER = { username: 'weir', password: 'secret' } as const;

/** A line of redis.conf. */
export function leastRights(): string {
  const [, rights] = /^ {4}(ACL SETUSER weir .+)$/m.exec(readFileSync(new URL('../../docs/fleet.md', import.meta.url), 'utf8')) ?? [];
  assert.ok(rights !== undefined, 'docs/fleet.md names the rights');
  return rights.replace('ACL SETUSER', 'user').replace('PASSWORD', REDIS_USER.password);
}
