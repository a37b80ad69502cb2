// The part of the file's schema that says whose tokens are believed.
import { Type, type Static } from '../schema/type.ts';
import { ASYMMETRIC_ALGORITHMS, SYMMETRIC_ALGORITHMS } from './issuer-config.ts';
import { choice, duration, listOf, mapping, named, secretOf, valueOf } from './schema-parts.ts';

const keys = mapping(
  {
    url: Type.Optional(
      valueOf(
        'gateUrl',
        'Where the JSON Web Key Set is (RFC 7517); fetched by weir, again every 5 minutes and when a token names a key that is not in it',
      ),
    ),
    ca: Type.Optional(valueOf('file', 'PEM file with the authorities that are trusted for the URL; default: those of the system')),
    file: Type.Optional(
      valueOf(
        'file',
        'File that holds the JSON Web Key Set; read with each config. With `algorithms: [HS256]` its keys are shared secrets (`kty: oct`), of any bytes and as many as there are',
      ),
    ),
    secret: Type.Optional(secretOf('Where the shared secret is, as text, for HS256, HS384 and HS512: at least 32, 48 or 64 bytes of it')),
  },
  'Where the keys come from: exactly one of url, file and secret; absent: the document of the issuer says it (OpenID Connect Discovery), at `/.well-known/openid-configuration` below `issuer`',
);

const text = (description: string, options: object = {}) => Type.String({ minLength: 1, maxLength: 512, description, ...options });

const issuer = mapping(
  {
    issuer: text('The claim `iss` of its tokens, exactly'),
    audiences: listOf(text('Audience'), 'The claim `aud` must hold one of these; absent: any audience will do', { default: [] }),
    keys: Type.Optional(keys),
    algorithms: listOf(
      choice([...ASYMMETRIC_ALGORITHMS, ...SYMMETRIC_ALGORITHMS], 'Algorithm'),
      'What tokens may be signed with, whatever they say themselves; absent: RS256, PS256, ES256 and EdDSA, with a secret HS256',
      { default: [] },
    ),
    leeway: duration('How far the clock of the issuer may be away, at most 5m', '60s'),
    type: Type.Optional(text('The header `typ` of its tokens, such as at+jwt (RFC 9068); absent: any')),
    consumerClaim: text('Claim that names the consumer, see `consumers.<name>.subjects`', { default: 'sub' }),
    scopeClaim: text('Claim with the scopes, as a list or with spaces between', { default: 'scope' }),
    groupsClaim: Type.Optional(text('Claim with groups, as a list; absent: only the consumer has groups')),
  },
  'One whose tokens are believed',
);

export const issuers = named('name', issuer, { description: 'Whose tokens (JWT) are believed, by name', default: {} });

export type IssuersFile = Static<typeof issuers>;
