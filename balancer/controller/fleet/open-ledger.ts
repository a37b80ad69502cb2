// The ledger of a fleet as the config names it, with the keys and secrets that it needs.
import { hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Clock } from '../../../health/clock.ts';
import type { SecretReference } from '../../config/config.ts';
import type { RedisConfig, RedisPlaceConfig } from '../../config/redis-config.ts';
import type { Ledger } from '../../store/ledger.ts';
import type { RedisPlace } from '../../store/redis/connection.ts';
import { RedisLedger } from '../../store/redis/redis-ledger.ts';
import { parseKeys, Seal } from '../../store/seal.ts';
import { readSecret } from '../../secret.ts';

/** Throws with what is wrong with the key file or a secret. Connects in the background. */
export function openLedger(redis: RedisConfig, clock: Clock): Ledger {
  const { place, database, username, password, tls, fleet, timeoutMs } = redis;
  return new RedisLedger({
    place: placeOf(place),
    ...{ database, username, fleet, timeoutMs, clock },
    password: secretText(password),
    tls: tls === null ? null : { ca: tls.ca === null ? null : readFileSync(tls.ca, 'utf8'), serverName: tls.serverName },
    seal: new Seal(keysOf(redis)),
  });
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
