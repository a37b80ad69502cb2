// All issuers of a config; one that stays as it was keeps what it remembers.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../../health/clock.ts';
import type { SecretReference } from '../../config/config.ts';
import { isSymmetric, type IssuerConfig } from '../../config/issuer-config.ts';
import { TokenIssuer } from './issuer.ts';
import { loadJose } from './jose.ts';
import { readKeySet, type FetchedKeySets, type KeySet } from './key-set.ts';

export interface IssuerSources {
  readonly keySets: FetchedKeySets;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** Null: it is not where the reference says. */
  readonly readSecret: (reference: SecretReference) => string | null;
}

export class Issuers {
  readonly #byName: ReadonlyMap<string, TokenIssuer>;

  /** Throws an Error that teaches when keys on this host cannot be read. */
  constructor(configs: readonly IssuerConfig[], sources: IssuerSources, previous: Issuers | null) {
    // Loaded before the first token comes.
    if (configs.length > 0) void loadJose();
    this.#byName = new Map(configs.map((config) => [config.name, issuerOf(config, sources, previous?.get(config.name) ?? null)]));
  }

  /** Null: there is none of this name. */
  get(name: string): TokenIssuer | null {
    return this.#byName.get(name) ?? null;
  }
}

function issuerOf(config: IssuerConfig, sources: IssuerSources, previous: TokenIssuer | null): TokenIssuer {
  // Keys of a file may have changed with nothing else.
  if (config.keys.kind === 'url' && previous !== null && isDeepStrictEqual(previous.config, config)) return previous;
  return new TokenIssuer(config, ownKeys(config, sources), sources.keySets, sources.clock);
}

function ownKeys({ name, keys, algorithms }: IssuerConfig, { readSecret }: IssuerSources): KeySet | null {
  if (keys.kind === 'url') return null;
  const most = algorithms.filter(isSymmetric).sort().at(-1);
  if (keys.kind === 'secret') {
    const secret = readSecret(keys.secret);
    if (secret === null) throw new Error(`issuers.${name}.keys.secret: nothing at ${JSON.stringify(keys.secret)}`);
    const bytes = Buffer.from(secret, 'utf8');
    requireLong(bytes, most ?? '', `issuers.${name}.keys.secret: a secret`);
    return { version: 1, keys: [{ kty: 'oct', k: bytes.toString('base64url') }] };
  }
  const read = readKeySet(readFileSync(keys.file, 'utf8'));
  if (read === null) throw new Error(`issuers.${name}.keys.file: ${keys.file} holds no JSON Web Key Set; expected { "keys": [ … ] }`);
  if (most !== undefined) checkSecrets(read, { most, onlySecrets: algorithms.every(isSymmetric), where: `issuers.${name}.keys.file` });
  return { version: 1, keys: read };
}

interface Wanted {
  /** The algorithm with the longest hash. */
  readonly most: string;
  readonly onlySecrets: boolean;
  readonly where: string;
}

/** Keys of other types are left as they are: what a key is for is looked at for each token. */
function checkSecrets(keys: KeySet['keys'], { most, onlySecrets, where }: Wanted): void {
  const secrets = keys.filter(({ kty, alg = most }) => kty === 'oct' && isSymmetric(alg));
  if (secrets.length === 0 && onlySecrets)
    throw new Error(`${where}: no key is a shared secret, which ${most} signs with; expected { "kty": "oct", "k": … }`);
  for (const { k = '', kid = '', alg = most } of secrets)
    requireLong(Buffer.from(k, 'base64url'), alg, `${where}: the secret ${JSON.stringify(kid)}`);
}

/** Whoever has one token can try secrets for as long as they like, so it needs as many bytes as the hash has (RFC 7518 section 3.2). */
function requireLong(secret: Buffer, algorithm: string, what: string): void {
  const least = Number(algorithm.slice('HS'.length)) / 8;
  if (secret.length >= least) return;
  throw new Error(
    `${what} of ${secret.length} bytes can be guessed; ${algorithm} wants ${least} at least, for example of openssl rand -base64 48`,
  );
}
