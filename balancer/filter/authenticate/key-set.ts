// Keys of an issuer: which of them may have signed a token.
import type { CryptoKey, JWK } from 'jose';
import { loadJose } from './jose.ts';

/** Public keys as they were fetched; replaced whole. */
export interface KeySet {
  /** Rises when they change. */
  readonly version: number;
  readonly keys: readonly JWK[];
}

/** Keys that the controller fetches for all workers. */
export interface FetchedKeySets {
  /** Null: it was never fetched. */
  get(url: string): KeySet | null;
  /** Asks for it to be fetched again, and settles when it was, or was not for good reason, or too long passed. */
  renew(url: string): Promise<void>;
}

/** What a token says of its key (RFC 7515 section 4.1). */
export interface KeyWish {
  readonly algorithm: string;
  /** Empty: it names none. */
  readonly keyId: string;
}

/** A set without key ids is tried key by key; more than this many for one token is work for nothing. */
const MAX_TRIED = 4;

export class KeyChoice {
  readonly set: KeySet;
  readonly #imported = new Map<string, Promise<CryptoKey | Uint8Array>>();

  constructor(set: KeySet) {
    this.set = set;
  }

  /** Indexes of keys that may have signed it. */
  candidates({ algorithm, keyId }: KeyWish): readonly number[] {
    const fitting: number[] = [];
    this.set.keys.forEach((key, index) => {
      if (isFor(key, algorithm) && (keyId === '' || key.kid === undefined || key.kid === keyId)) fitting.push(index);
    });
    const named = fitting.filter((index) => keyId !== '' && this.set.keys[index]?.kid === keyId);
    return (named.length > 0 ? named : fitting).slice(0, MAX_TRIED);
  }

  /** Rejects when it is no key. */
  key(index: number, algorithm: string): Promise<CryptoKey | Uint8Array> {
    const name = `${index} ${algorithm}`;
    const known = this.#imported.get(name);
    if (known !== undefined) return known;
    const imported = loadJose().then(({ importJWK }) => importJWK(this.set.keys[index] ?? {}, algorithm));
    this.#imported.set(name, imported);
    return imported;
  }
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

/** Bound to its type, and to signing where it says what it is for: a key for one thing must not serve another (RFC 8725 section 3.1). */
function isFor(key: JWK, algorithm: string): boolean {
  if (key.use !== undefined && key.use !== 'sig') return false;
  if (key.key_ops !== undefined && !key.key_ops.includes('verify')) return false;
  if (key.alg !== undefined && key.alg !== algorithm) return false;
  if (algorithm.startsWith('HS')) return key.kty === 'oct';
  if (algorithm.startsWith('RS') || algorithm.startsWith('PS')) return key.kty === 'RSA';
  if (algorithm.startsWith('ES')) return key.kty === 'EC' && key.crv === CURVES[algorithm];
  return key.kty === 'OKP' && key.crv === 'Ed25519';
}

/** The keys of a JSON Web Key Set (RFC 7517 section 5); null: the text is none. Members that are no keys are left out. */
export function readKeySet(text: string): readonly JWK[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const keys: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'keys') : undefined;
  if (!Array.isArray(keys)) return null;
  return keys.filter((key): key is JWK => typeof key === 'object' && key !== null && typeof Reflect.get(key, 'kty') === 'string');
}
