// Who may call, found by what they show; made once for each generation.
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { Config, SecretReference } from '../../config/config.ts';
import type { ConsumerConfig, KeyCredential, PasswordCredential } from '../../config/consumer-config.ts';
import { NO_CALLERS, storedConsumers, type Callers } from '../../intent/callers.ts';
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
  /** Without a pepper: whoever stored it did not have one. */
  readonly isPlain: boolean;
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

/** Of one consumer, that are told of in a second. */
const MOST_CREDENTIALS = 100;

/** Names that metrics tell one by one. */
const MOST_TOLD = 200;

/** Of a digest; the rest is compared in constant time. */
const INDEX_BYTES = 8;

export class Consumers {
  readonly #digestOf: (key: string) => Buffer;
  readonly #declared: ReadonlySet<string>;
  readonly #keysById = new Map<string, KnownKey>();
  readonly #keysByDigest = new Map<string, KnownKey>();
  readonly #passwords = new Map<string, KnownPassword>();
  readonly #signers = new Map<string, KnownSigner>();
  readonly #subjects = new Map<string, ConsumerConfig>();
  readonly #certificates = new Map<string, Identity>();
  readonly #plans = new Map<string, string>();
  readonly #tags = new Map<string, readonly string[]>();
  readonly #told = new Set<string>();
  readonly #used = new Map<string, Set<string>>();
  #stored: Callers = NO_CALLERS;
  #storedNow: readonly ConsumerConfig[] = [];

  /** `pepper` null: hashes of keys are plain SHA-256. */
  constructor(consumers: readonly ConsumerConfig[], pepper: string | null) {
    this.#digestOf = pepper === null ? (key) => hash('sha256', key, 'buffer') : (key) => createHmac('sha256', pepper).update(key).digest();
    this.#declared = new Set(consumers.map(({ name }) => name));
    for (const consumer of consumers) this.#add(consumer, false);
    this.#tell(consumers);
  }

  /** Those that were added by command, in place of those before; who is declared is as declared. */
  setStored(callers: Callers): void {
    if (callers === this.#stored) return;
    this.#stored = callers;
    for (const { name, keys } of this.#storedNow) {
      for (const { id } of keys) this.#keysById.delete(id);
      this.#plans.delete(name);
      this.#tags.delete(name);
    }
    // An id that the config declares is the declared one's.
    this.#storedNow = storedConsumers(callers, (name) => this.#declared.has(name)).map((consumer) => ({
      ...consumer,
      keys: consumer.keys.filter(({ id }) => !this.#keysById.has(id)),
    }));
    for (const consumer of this.#storedNow) this.#add(consumer, true);
    this.#tell(this.#storedNow);
  }

  /** Labels of metrics: once told, always told, and never more than so many. */
  #tell(consumers: readonly ConsumerConfig[]): void {
    for (const name of consumers.map((consumer) => consumer.name).sort()) if (this.#told.size < MOST_TOLD) this.#told.add(name);
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

  /** Somebody is let on. */
  noteUse({ consumer, credential }: Identity): void {
    if (consumer === '') return;
    const credentials = this.#used.get(consumer);
    if (credentials === undefined) this.#used.set(consumer, new Set([credential]));
    else if (credentials.size < MOST_CREDENTIALS) credentials.add(credential);
  }

  /** Who was let on since it was asked last, by what. */
  takeUsed(): Readonly<Record<string, readonly string[]>> {
    const used = Object.fromEntries([...this.#used].map(([consumer, credentials]) => [consumer, [...credentials]]));
    this.#used.clear();
    return used;
  }

  /** Null: nobody has this key. How long it takes does not depend on how much of it is right. */
  findKey(key: string): KnownKey | null {
    const dot = key.indexOf('.');
    const named = dot < 0 ? undefined : this.#keysById.get(key.slice(0, dot));
    const digest = named?.isPlain === true ? hash('sha256', key, 'buffer') : this.#digestOf(key);
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

  #add(consumer: ConsumerConfig, isPlain: boolean): void {
    const { name, plan, tags } = consumer;
    if (plan !== '') this.#plans.set(name, plan);
    if (tags.length > 0) this.#tags.set(name, tags);
    for (const key of consumer.keys) {
      const known = { ...knownKey(consumer, key), isPlain };
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

function knownKey(consumer: ConsumerConfig, key: KeyCredential): Omit<KnownKey, 'isPlain'> {
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
