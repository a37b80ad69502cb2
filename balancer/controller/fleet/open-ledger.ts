// What the hosts of a fleet share, as the config names it, with the keys and secrets that it needs.
import { hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Clock } from '../../../health/clock.ts';
import type { SecretReference } from '../../config/config.ts';
import type { RedisConfig, RedisPlaceConfig } from '../../config/redis-config.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { LimitCounter } from '../../store/limits.ts';
import type { SharedUses } from '../../store/one-time-uses.ts';
import type { SharedMarks } from '../../store/session-ends.ts';
import { RedisConnection, type RedisAccess, type RedisPlace } from '../../store/redis/connection.ts';
import { RedisLedger } from '../../store/redis/redis-ledger.ts';
import { RedisMarks } from '../../store/redis/redis-marks.ts';
import { RedisLimits } from '../../store/redis/redis-limits.ts';
import { RedisUses } from '../../store/redis/redis-uses.ts';
import { parseKeys, Seal } from '../../store/seal.ts';
import { readSecret } from '../../secret.ts';

export interface SharedStore {
  /** The name of the fleet. */
  readonly fleet: string;
  readonly ledger: Ledger;
  /** Over a connection of its own, on which nothing long is ahead of a request. */
  readonly openCounter: () => LimitCounter;
  /** The same, of sessions that ended. */
  readonly openMarks: () => SharedMarks;
  /** As `openCounter`, of what may be used once; nothing counts in its place, so it is waited for as long as for any answer. */
  readonly openUses: () => SharedUses;
}

/** Null: the host is alone. Throws with what is wrong with the key file or a secret. Connects in the background. */
export function openShared(redis: RedisConfig | null, clock: Clock): SharedStore | null {
  if (redis === null) return null;
  const { fleet, limitTimeoutMs } = redis;
  const access = accessOf(redis);
  const seal = new Seal(keysOf(redis));
  const wallMs = (): number => clock.wallMs();
  return {
    fleet,
    ledger: new RedisLedger({ ...access, fleet, clock, seal }),
    openCounter: () => new RedisLimits(new RedisConnection({ ...access, timeoutMs: limitTimeoutMs }, clock), fleet, wallMs),
    openUses: () => new RedisUses(new RedisConnection(access, clock), fleet),
    openMarks: () => new RedisMarks(new RedisConnection(access, clock), fleet, seal, wallMs),
  };
}

function accessOf({ place, database, username, password, tls, timeoutMs }: RedisConfig): RedisAccess {
  return {
    place: placeOf(place),
    ...{ database, username, timeoutMs, connectMs: timeoutMs * 2 },
    password: secretText(password),
    tls: tls === null ? null : { ca: tls.ca === null ? null : readFileSync(tls.ca, 'utf8'), serverName: tls.serverName },
  };
}

/** The same on all hosts of the fleet, and nobody else knows it (RFC 5869). */
export function sharedKey(redis: RedisConfig, purpose: string, bytes: number): Buffer {
  const [key] = keysOf(redis);
  return Buffer.from(hkdfSync('sha256', key ?? '', '', `weir ${redis.fleet} ${purpose}`, bytes));
}

function keysOf({ keyFile }: RedisConfig): readonly Buffer[] {
  return parseKeys(readFileSync(keyFile, 'utf8'), keyFile);
}

function placeOf(place: RedisPlaceConfig): RedisPlace {
  return place.kind === 'sentinel' ? { ...place, password: secretText(place.password) } : place;
}

function secretText(reference: SecretReference | null): string | null {
  if (reference === null) return null;
  const secret = readSecret(reference);
  const where = 'file' in reference ? `the file ${reference.file}` : `the environment variable ${reference.env}`;
  if (secret === null) throw new Error(`state.redis: there is no password in ${where}`);
  return secret;
}
