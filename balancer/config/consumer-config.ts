// Consumers as every other part reads them: who may call, and by what it is known. Secrets are hashes here, or references.
import type { SecretReference } from './config.ts';

/** A random key, of which only a hash is kept. */
export interface KeyCredential {
  /** The part of `id.secret` that may be seen; empty: the key has no such part (taken over from another gateway). */
  readonly id: string;
  /** 64 hexadecimal digits: SHA-256 of the whole key, with a pepper HMAC-SHA-256. */
  readonly hash: string;
  /** Milliseconds since 1970; null: never. */
  readonly expiresMs: number | null;
  /** CIDR blocks the client must be in; empty: anywhere. */
  readonly from: readonly string[];
  readonly scopes: readonly string[];
}

/** A password of a person. */
export interface PasswordCredential {
  readonly user: string;
  /** `scrypt:N:r:p:salt:hash`, salt and hash in base64. */
  readonly hash: string;
}

/** A key that requests are signed with. */
export interface SigningKey {
  /** By which requests name it. */
  readonly id: string;
  /** A shared secret, or the public part of a pair. */
  readonly kind: 'secret' | 'public';
  readonly at: SecretReference;
}

export interface ConsumerConfig {
  readonly name: string;
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  /** Words that conditions may ask for; they give nothing by themselves. */
  readonly tags: readonly string[];
  /** Empty: it has none. */
  readonly plan: string;
  readonly keys: readonly KeyCredential[];
  readonly passwords: readonly PasswordCredential[];
  readonly signingKeys: readonly SigningKey[];
  /** Values of the claim by which a token names this consumer. */
  readonly subjects: readonly string[];
  /** SHA-256 fingerprints, subjects or alternative names of certificates, as message/client-certificate.ts tells them. */
  readonly certificates: readonly string[];
}

/** What holds for the credentials of all consumers. */
export interface CredentialsConfig {
  /** Keyed into the hashes of keys; null: they are plain SHA-256. */
  readonly pepper: SecretReference | null;
}
