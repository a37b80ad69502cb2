// Consumers of the file → consumers of the config; a credential belongs to one of them.
import type { Completion } from './completion.ts';
import type { ConsumerConfig, CredentialsConfig, KeyCredential, SigningKey } from './consumer-config.ts';
import type { ValuePath } from './problems.ts';
import type { ConsumersFile, CredentialsFile } from './schema-consumers.ts';

type ConsumerFile = ConsumersFile[string];

/** By name. */
export function completeConsumers(files: ConsumersFile, completion: Completion): Readonly<Record<string, ConsumerConfig>> {
  const owners = new Owners(completion);
  return Object.fromEntries(
    completion.usable('consumers', files).map(([name, file]) => {
      claimAll(file, name, owners);
      return [name, completeConsumer(name, file, completion)];
    }),
  );
}

export function completeCredentials({ pepper }: CredentialsFile, completion: Completion): CredentialsConfig {
  return { pepper: pepper === undefined ? null : completion.secret(['credentials', 'pepper'], pepper) };
}

function completeConsumer(name: string, file: ConsumerFile, completion: Completion): ConsumerConfig {
  const { plan = '' } = file;
  const { plans } = completion.declared;
  if (plan !== '' && !plans.has(plan))
    completion.report(
      ['consumers', name, 'plan'],
      `plan "${plan}" is not declared; expected one of plans: ${[...plans].join(', ') || 'none yet'}`,
    );
  return {
    name,
    groups: [...new Set(file.groups)],
    scopes: [...new Set(file.scopes)],
    tags: [...new Set(file.tags)],
    plan,
    keys: file.keys.map((key): KeyCredential => ({
      id: key.id,
      hash: key.hash.slice(key.hash.indexOf(':') + 1),
      expiresMs: key.expires === undefined ? null : Date.parse(key.expires),
      from: key.from,
      scopes: key.scopes,
    })),
    passwords: file.passwords,
    signingKeys: file.signingKeys.flatMap((key, index) => {
      const { id } = key;
      const found = completeSigningKey(key, ['consumers', name, 'signingKeys', index], completion);
      return found === null ? [] : [{ id, ...found }];
    }),
    subjects: file.subjects,
    certificates: file.certificates,
  };
}

/** Null: it is not said where the key is, which is reported. */
function completeSigningKey(
  { secret, publicKey }: ConsumerFile['signingKeys'][number],
  path: ValuePath,
  completion: Completion,
): Pick<SigningKey, 'kind' | 'at'> | null {
  if ((secret === undefined) === (publicKey === undefined)) {
    completion.report(path, 'expected either secret, for example secret: { file: secrets/acme }, or publicKey, the file with the key');
    return null;
  }
  if (publicKey !== undefined) return { kind: 'public', at: { file: completion.readableFile([...path, 'publicKey'], publicKey) } };
  const at = completion.secret([...path, 'secret'], secret ?? {});
  return at === null ? null : { kind: 'secret', at };
}

/** What proves two consumers at once proves nobody. */
class Owners {
  readonly #taken = new Map<string, string>();
  readonly #completion: Completion;

  constructor(completion: Completion) {
    this.#completion = completion;
  }

  claim(what: string, consumer: string, path: ValuePath): void {
    const owner = this.#taken.get(what);
    if (owner === undefined) this.#taken.set(what, consumer);
    else
      this.#completion.report(
        path,
        owner === consumer
          ? 'stands twice with this consumer; expected it once'
          : `belongs to consumer "${owner}" already; expected a credential that nobody else has`,
      );
  }
}

function claimAll(file: ConsumerFile, name: string, owners: Owners): void {
  const at = (...rest: readonly (string | number)[]): ValuePath => ['consumers', name, ...rest];
  file.keys.forEach(({ id, hash }, index) => {
    owners.claim(`hash ${hash}`, name, at('keys', index, 'hash'));
    if (id !== '') owners.claim(`id ${id}`, name, at('keys', index, 'id'));
  });
  file.passwords.forEach(({ user }, index) => owners.claim(`user ${user}`, name, at('passwords', index, 'user')));
  file.signingKeys.forEach(({ id }, index) => owners.claim(`signing key ${id}`, name, at('signingKeys', index, 'id')));
  file.subjects.forEach((subject, index) => owners.claim(`subject ${subject}`, name, at('subjects', index)));
  file.certificates.forEach((text, index) => owners.claim(`certificate ${text}`, name, at('certificates', index)));
}
