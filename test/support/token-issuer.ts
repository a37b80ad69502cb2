// An issuer of tokens for tests: keys of any algorithm, tokens signed by them or wrongly, and the key set as text.
import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { SignJWT, type JWTPayload } from 'jose';

type Algorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

export interface IssuedKey {
  readonly algorithm: Algorithm;
  readonly keyId: string;
  readonly privateKey: KeyObject;
  /** Public, as it stands in a key set. */
  readonly jwk: Readonly<Record<string, unknown>>;
}

export function aKey(algorithm: Algorithm, keyId: string = randomUUID()): IssuedKey {
  const { privateKey, publicKey } = pairOf(algorithm);
  return { algorithm, keyId, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid: keyId, use: 'sig', alg: algorithm } };
}

function pairOf(algorithm: Algorithm): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

export const keySetText = (...keys: readonly IssuedKey[]): string => JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });

export const ISSUER = 'https://login.example';

/** Of the subject `anna`, for the audience `shop`, good for five minutes, but for `claims` and `header`. */
export function aToken(key: IssuedKey, claims: JWTPayload = {}, header: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const nowS = Math.floor(Date.now() / 1000);
  return new SignJWT({ iss: ISSUER, sub: 'anna', aud: 'shop', exp: nowS + 300, ...claims })
    .setProtectedHeader({ alg: key.algorithm, kid: key.keyId, ...header })
    .sign(key.privateKey);
}
