// The part of the file's schema that says who may call.
import { Type, type Static } from '../schema/type.ts';
import { listOf, mapping, named, NOT_REPEATED, optionalMapping, secretOf, valueOf } from './schema-parts.ts';

const key = mapping(
  {
    id: Type.String({
      default: '',
      pattern: '^([A-Za-z0-9]+_[A-Za-z0-9]+)?$',
      description: 'The part of the key before the dot, which may be seen; absent: the key has no such part',
      ...NOT_REPEATED,
    }),
    hash: valueOf('keyHash', 'Hash of the whole key; `weir consumer key` makes both'),
    expires: Type.Optional(valueOf('instant', 'Not taken any more from then on; absent: never')),
    from: listOf(valueOf('addressBlock', 'Block'), 'Blocks the client must be in; absent: anywhere', { default: [] }),
    scopes: listOf(valueOf('scope', 'Scope'), 'Scopes the key gives, besides those of the consumer', { default: [] }),
  },
  'A key of the consumer',
);

const password = mapping(
  {
    user: Type.String({
      minLength: 1,
      maxLength: 255,
      pattern: '^[^:\\x00-\\x1f\\x7f]+$',
      description: 'User name, without a colon',
      ...NOT_REPEATED,
    }),
    hash: valueOf('passwordHash', 'Hash of the password; `weir consumer password` makes it'),
  },
  'A user name with its password',
);

const signingKey = mapping(
  {
    id: Type.String({
      minLength: 1,
      maxLength: 255,
      pattern: '^[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]+$',
      description: 'Name by which requests tell that it has signed them',
      expected: 'visible characters of ASCII without quotes and backslashes',
    }),
    secret: Type.Optional(secretOf('Where the secret is that it signs with')),
    publicKey: Type.Optional(
      valueOf('file', 'PEM file with the public part of the key that it signs with: Ed25519, ECDSA on P-256, or RSA of at least 2048 bits'),
    ),
  },
  'A key that requests are signed with: exactly one of secret and publicKey',
);

const consumer = mapping(
  {
    groups: listOf(valueOf('name', 'Group'), 'Groups the consumer is in', { default: [] }),
    scopes: listOf(valueOf('scope', 'Scope'), 'Scopes all its credentials give', { default: [] }),
    tags: listOf(valueOf('name', 'Tag'), 'Words that conditions may ask for; they give nothing by themselves', { default: [] }),
    plan: Type.Optional(valueOf('name', 'Its plan, under `plans`; absent: limits hold for it as they are declared')),
    keys: listOf(key, 'Keys it may use; two at a time let it change from one to the other', { default: [] }),
    passwords: listOf(password, 'User names and passwords it may use', { default: [] }),
    signingKeys: listOf(signingKey, 'Keys it may sign requests with; two at a time let it change from one to the other', {
      default: [],
    }),
    subjects: listOf(
      Type.String({ minLength: 1, maxLength: 255, description: 'Value' }),
      'Values of the claim by which a token names this consumer',
      { default: [] },
    ),
    certificates: listOf(
      Type.String({ minLength: 1, maxLength: 1024, description: 'Certificate' }),
      'Certificates it may use: `sha256:` with the fingerprint in hex, `subject:` with the subject as OpenSSL tells it, or an alternative name such as `DNS:shop.example`',
      { default: [] },
    ),
  },
  'One who calls, with what it is known by',
);

export const consumers = named('name', consumer, { description: 'Who may call, by name', default: {} });

export const credentials = optionalMapping(
  {
    pepper: Type.Optional(
      secretOf('Where the text is that is keyed into the hashes of keys; without it a copy of the file is of no use to guess short keys'),
    ),
  },
  'What holds for the credentials of all consumers',
);

export type ConsumersFile = Static<typeof consumers>;
export type CredentialsFile = Static<typeof credentials>;
