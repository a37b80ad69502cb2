// Who may call, found by what they show; made once for each generation.
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { Config, SecretReference } from '../../config/config.ts';
import type { ConsumerConfig, KeyCredential, PasswordCredential } from '../../config/consumer-config.ts';
import { AddressTable } from '../../message/address-table.ts';
import type { ClientCertificate } from '../../message/client-certificate.ts';
import type { Identity } from '../../message/identity.ts';

/** A key that somebody has, with who that is. */
export interface KnownKey {
  readonly identity: Identity;
  /** Milliseconds since 1970. */
  readonly expiresMs: number;
  /** Null: from anywhere. */
  readonly from: AddressTable | null;
  readonly digest: Buffer;
}

export interface KnownPassword {
  readonly identity: Identity;
  readonly hash: string;
}

/** A key that somebody signs with. */
export interface KnownSigner {
  /** Without the method that proves it. */
  readonly identity: Identity;
  /** Whether it is the public part of a pair, and no secret. */
  readonly isPublic: boolean;
  readonly key: SecretReference;
}

const NO_TAGS: readonly string[] = [];

/** Names that metrics tell one by one. */
const MOST_TOLD = 200;

/** Of a digest; the rest is compared in constant time. */
const INDEX_BYTES = 8;

export class Consumers {
  readonly #digestOf: (key: string) => Buffer;
  readonly #keysById = new Map<string, KnownKey>();
  readonly #keysByDigest = new Map<string, KnownKey>();
  readonly #passwords = new Map<string, KnownPassword>();
  readonly #signers = new Map<string, KnownSigner>();
  readonly #subjects = new Map<string, ConsumerConfig>();
  readonly #certificates = new Map<string, Identity>();
  readonly #plans: ReadonlyMap<string, string>;
  readonly #tags: ReadonlyMap<string, readonly string[]>;
  readonly #told: ReadonlySet<string>;

  /** `pepper` null: hashes of keys are plain SHA-256. */
  constructor(consumers: readonly ConsumerConfig[], pepper: string | null) {
    this.#digestOf = pepper === null ? (key) => hash('sha256', key, 'buffer') : (key) => createHmac('sha256', pepper).update(key).digest();
    for (const consumer of consumers) this.#add(consumer);
    this.#plans = new Map(consumers.filter(({ plan }) => plan !== '').map(({ name, plan }) => [name, plan]));
    this.#tags = new Map(consumers.filter(({ tags }) => tags.length > 0).map(({ name, tags }) => [name, tags]));
    this.#told = new Set(
      consumers
        .map(({ name }) => name)
        .sort()
        .slice(0, MOST_TOLD),
    );
  }

  /** Whether metrics tell this consumer by its name. */
  isTold(name: string): boolean {
    return this.#told.has(name);
  }

  /** Empty: it has none. */
  planOf(name: string): string {
    return this.#plans.get(name) ?? '';
  }

  tagsOf(name: string): readonly string[] {
    return this.#tags.get(name) ?? NO_TAGS;
  }

  /** Throws an Error that teaches when the pepper is not where the config says. */
  static of(config: Pick<Config, 'consumers' | 'credentials'>, readSecret: (reference: SecretReference) => string | null): Consumers {
    const { pepper } = config.credentials;
    const text = pepper === null ? null : readSecret(pepper);
    if (pepper !== null && text === null)
      throw new Error(`credentials.pepper: nothing at ${JSON.stringify(pepper)}; no key could be checked without it`);
    return new Consumers(Object.values(config.consumers), text);
  }

  /** Null: nobody has this key. How long it takes does not depend on how much of it is right. */
  findKey(key: string): KnownKey | null {
    const digest = this.#digestOf(key);
    const dot = key.indexOf('.');
    const named = dot < 0 ? undefined : this.#keysById.get(key.slice(0, dot));
    const known = named ?? this.#keysByDigest.get(indexOf(digest));
    return known !== undefined && timingSafeEqual(known.digest, digest) ? known : null;
  }

  findPassword(user: string): KnownPassword | null {
    return this.#passwords.get(user) ?? null;
  }

  /** By the id of a key that requests are signed with. */
  findSigner(id: string): KnownSigner | null {
    return this.#signers.get(id) ?? null;
  }

  /** By the claim of a token that names the consumer. */
  findSubject(subject: string): ConsumerConfig | null {
    return this.#subjects.get(subject) ?? null;
  }

  findCertificate({ fingerprint, subject, alternativeNames }: ClientCertificate): Identity | null {
    for (const text of [`sha256:${fingerprint}`, `subject:${subject}`, ...alternativeNames]) {
      const identity = this.#certificates.get(text);
      if (identity !== undefined) return identity;
    }
    return null;
  }

  #add(consumer: ConsumerConfig): void {
    for (const key of consumer.keys) {
      const known = knownKey(consumer, key);
      if (key.id !== '') this.#keysById.set(key.id, known);
      else this.#keysByDigest.set(indexOf(known.digest), known);
    }
    for (const password of consumer.passwords)
      this.#passwords.set(password.user, { identity: identityBy(consumer, password), hash: password.hash });
    for (const { id, kind, at } of consumer.signingKeys)
      this.#signers.set(id, { identity: { ...identityOf(consumer), method: '', credential: id }, isPublic: kind === 'public', key: at });
    for (const subject of consumer.subjects) this.#subjects.set(subject, consumer);
    for (const text of consumer.certificates)
      this.#certificates.set(text, { ...identityOf(consumer), method: 'certificate', credential: text });
  }
}

const indexOf = (digest: Buffer): string => digest.toString('latin1', 0, INDEX_BYTES);

function knownKey(consumer: ConsumerConfig, key: KeyCredential): KnownKey {
  const scopes = [...new Set([...consumer.scopes, ...key.scopes])];
  return {
    identity: { ...identityOf(consumer), method: 'key', credential: key.id, scopes },
    expiresMs: key.expiresMs ?? Infinity,
    from: key.from.length === 0 ? null : new AddressTable(Object.fromEntries(key.from.map((block) => [block, block]))),
    digest: Buffer.from(key.hash, 'hex'),
  };
}

const identityBy = (consumer: ConsumerConfig, { user }: PasswordCredential): Identity => ({
  ...identityOf(consumer),
  method: 'basic',
  credential: user,
});

function identityOf({ name, groups, scopes }: ConsumerConfig): Pick<Identity, 'consumer' | 'groups' | 'scopes' | 'claims'> {
  return { consumer: name, groups, scopes, claims: null };
}
