// Issuers of the file → issuers of the config.
import { isInTheClear } from './addresses.ts';
import type { Completion } from './completion.ts';
import { isSymmetric, type IssuerConfig, type IssuerKeys } from './issuer-config.ts';
import type { ValuePath } from './problems.ts';
import { durationMs } from './quantities.ts';
import type { IssuersFile } from './schema-issuers.ts';

type IssuerFile = IssuersFile[string];

const MOST_LEEWAY_MS = 300_000;
const DEFAULT_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];

/** By name. */
export function completeIssuers(files: IssuersFile, completion: Completion): Readonly<Record<string, IssuerConfig>> {
  const taken = new Map<string, string>();
  return Object.fromEntries(
    completion.usable('issuers', files).flatMap(([name, file]) => {
      const path = ['issuers', name];
      const other = taken.get(file.issuer);
      if (other !== undefined)
        completion.report([...path, 'issuer'], `is that of "${other}" already; expected one entry for each value of iss`);
      taken.set(file.issuer, name);
      const keys =
        file.keys === undefined ? discovered(file.issuer, path, completion) : completeKeys(file.keys, [...path, 'keys'], completion);
      if (keys === null) return [];
      checkAlgorithms(file, keys, path, completion);
      return [[name, completeIssuer(name, file, keys, completion)] as const];
    }),
  );
}

function completeIssuer(name: string, file: IssuerFile, keys: IssuerKeys, completion: Completion): IssuerConfig {
  const leewayMs = durationMs(file.leeway);
  if (leewayMs > MOST_LEEWAY_MS)
    completion.report(['issuers', name, 'leeway'], 'is more than 5m; tokens would live on long after they have expired');
  return {
    name,
    issuer: file.issuer,
    audiences: file.audiences,
    keys,
    algorithms: file.algorithms.length > 0 ? file.algorithms : keys.kind === 'secret' ? ['HS256'] : DEFAULT_ALGORITHMS,
    leewayMs,
    type: file.type ?? null,
    consumerClaim: file.consumerClaim,
    scopeClaim: file.scopeClaim,
    groupsClaim: file.groupsClaim ?? null,
  };
}

/** Null: it has no document that could be believed, which is reported. */
function discovered(issuer: string, path: ValuePath, completion: Completion): IssuerKeys | null {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  if (!/^https?:\/\/[^/?#]/.test(issuer) || /[?#]/.test(issuer)) {
    completion.report(
      [...path, 'keys'],
      `is missing, and issuer "${issuer}" is no URL that could say where its keys are; expected for example keys: { url: "https://login.example/.well-known/jwks.json" }`,
    );
    return null;
  }
  if (isInTheClear(url))
    completion.report(
      [...path, 'issuer'],
      'where its keys are would come in the clear, and whoever is on the way could sign tokens; write https://, or name keys',
    );
  return { kind: 'url', url, ca: null, discovers: issuer };
}

/** Null: it is not said where they are, which is reported. */
function completeKeys(
  { url, ca, file, secret }: NonNullable<IssuerFile['keys']>,
  path: ValuePath,
  completion: Completion,
): IssuerKeys | null {
  if ([url, file, secret].filter((one) => one !== undefined).length !== 1) {
    completion.report(path, 'expected exactly one of url, file and secret, for example url: "https://login.example/.well-known/jwks.json"');
    return null;
  }
  if (ca !== undefined && url === undefined) completion.report([...path, 'ca'], 'is for keys behind a URL; leave it out');
  if (url !== undefined) {
    if (isInTheClear(url))
      completion.report([...path, 'url'], 'keys would come in the clear, and whoever is on the way could sign tokens; write https://');
    return { kind: 'url', url, ca: ca === undefined ? null : completion.readableFile([...path, 'ca'], ca) };
  }
  if (file !== undefined) return { kind: 'file', file: completion.readableFile([...path, 'file'], file) };
  const reference = completion.secret([...path, 'secret'], secret ?? {});
  return reference === null ? null : { kind: 'secret', secret: reference };
}

/**
 * A public key must never be taken for a shared secret: whoever knows it could sign (RFC 8725 section 2.1). A file may hold either, and says
 * of each key what it is; but not both for one issuer.
 */
function checkAlgorithms({ algorithms }: IssuerFile, keys: IssuerKeys, path: ValuePath, completion: Completion): void {
  const [first = ''] = algorithms;
  algorithms.forEach((algorithm, index) => {
    const symmetric = isSymmetric(algorithm);
    if (symmetric === (keys.kind === 'file' ? isSymmetric(first) : keys.kind === 'secret')) return;
    completion.report([...path, 'algorithms', index], misfit(algorithm, first, keys.kind));
  });
}

function misfit(algorithm: string, first: string, kind: IssuerKeys['kind']): string {
  if (kind === 'file')
    return `${algorithm} and ${first} want keys of two kinds, a secret that is shared and one that is not; expected algorithms of one of them`;
  return isSymmetric(algorithm)
    ? `${algorithm} signs with a shared secret, and the keys are public; expected one such as RS256, or keys: { secret: … }`
    : `${algorithm} needs a public key, and the keys are a shared secret; expected HS256, HS384 or HS512`;
}
