// A key that signatures are checked with, and the one algorithm of RFC 9421 section 3.3 that it is for, whatever a request says.
import { constants, createHmac, createPublicKey, timingSafeEqual, verify, type KeyObject } from 'node:crypto';

export type SignatureAlgorithm = 'hmac-sha256' | 'ed25519' | 'ecdsa-p256-sha256' | 'rsa-pss-sha512';

export interface VerifyingKey {
  readonly algorithm: SignatureAlgorithm;
  isOf(signature: Buffer, text: Buffer): boolean;
}

const SALT_BYTES = 64;
const LEAST_RSA_BITS = 2048;

export function sharedKey(secret: string | Buffer): VerifyingKey {
  return {
    algorithm: 'hmac-sha256',
    isOf(signature, text) {
      const expected = createHmac('sha256', secret).update(text).digest();
      return expected.length === signature.length && timingSafeEqual(expected, signature);
    },
  };
}

/** A text: why nothing can be checked with it. */
export function publicKey(pem: string): VerifyingKey | string {
  let key: KeyObject;
  try {
    // A private key has its public one in it, and has no place on an edge host.
    if (pem.includes('PRIVATE KEY')) return 'it is a private key; only its owner may have that';
    key = createPublicKey(pem);
  } catch {
    return 'it is no public key in PEM';
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key;
  if (type === 'ed25519') return { algorithm: 'ed25519', isOf: (signature, text) => verify(null, text, key, signature) };
  if (type === 'ec' && details.namedCurve === 'prime256v1') {
    const options = { key, dsaEncoding: 'ieee-p1363' } as const;
    return { algorithm: 'ecdsa-p256-sha256', isOf: (signature, text) => verify('sha256', text, options, signature) };
  }
  if ((type === 'rsa' || type === 'rsa-pss') && (details.modulusLength ?? 0) >= LEAST_RSA_BITS) {
    const options = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: SALT_BYTES };
    return { algorithm: 'rsa-pss-sha512', isOf: (signature, text) => verify('sha512', text, options, signature) };
  }
  return 'it is no key for Ed25519, ECDSA on P-256, or RSA of at least 2048 bits';
}
