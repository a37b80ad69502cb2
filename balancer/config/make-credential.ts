// Credentials of consumers as they are made: what is shown once, and what of it stands in the file.
import { createHmac, hash, randomBytes, scryptSync } from 'node:crypto';

export interface MadeKey {
  /** Shown once. */
  readonly key: string;
  readonly id: string;
  /** As in the file. */
  readonly hash: string;
}

const ID_BYTES = 6;
/** 192 bits: nobody guesses it, so a fast hash is enough. */
const SECRET_BYTES = 24;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Cost of scrypt: 16 MiB and some 50 ms of a core. */
const SCRYPT = { N: 16_384, r: 8, p: 1 };

/** `owner` begins the part of the key that may be seen. `pepper` null: the hash is plain SHA-256. */
export function makeKey(owner: string, pepper: string | null): MadeKey {
  const id = `${owner.replaceAll(/[^A-Za-z0-9]/g, '')}_${randomBytes(ID_BYTES).toString('hex')}`;
  const key = `${id}.${randomBytes(SECRET_BYTES).toString('base64url')}`;
  const digest =
    pepper === null ? `sha256:${hash('sha256', key)}` : `hmac-sha256:${createHmac('sha256', pepper).update(key).digest('hex')}`;
  return { key, id, hash: digest };
}

/** `scrypt:N:r:p:salt:hash`. Takes some 50 ms. */
export function hashPassword(password: string): string {
  const salt = randomBytes(SALT_BYTES);
  const derived = scryptSync(password, salt, HASH_BYTES, SCRYPT);
  return `scrypt:${SCRYPT.N}:${SCRYPT.r}:${SCRYPT.p}:${salt.toString('base64')}:${derived.toString('base64')}`;
}
