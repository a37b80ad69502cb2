// Method jwt: a signed token of an issuer that is believed (RFC 7519, with the cautions of RFC 8725).
import { hash } from 'node:crypto';
import { Type, type Static } from '../../schema/type.ts';
import { listOf, mapping, named, valueOf } from '../../config/schema-parts.ts';
import { removeField } from '../../message/fields.ts';
import type { Identity } from '../../message/identity.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { FilterEnvironment } from '../filter.ts';
import {
  carriedByCookie,
  carriedByField,
  carriedByQuery,
  carriedByScheme,
  removeCarriedCookie,
  removeCarriedField,
  removeCarriedQuery,
  type Carried,
} from './carried.ts';
import { claimAt, fieldText } from './claims.ts';
import type { Checked, Claims, TokenIssuer } from './issuer.ts';
import {
  ambiguousCredentials,
  invalidCredentials,
  type AuthenticationMethod,
  type AuthenticationMethodDefinition,
  type Proof,
} from './method.ts';
import { identityOf } from './token-identity.ts';
import { MAX_TOKEN_LENGTH, readToken } from './unchecked-token.ts';

const CHALLENGE = 'Bearer';
const INVALID = 'Bearer error="invalid_token"';
const RETRY_AFTER_S = '5';

const schema = mapping(
  {
    issuers: listOf(valueOf('name', 'Issuer'), 'Issuers whose tokens are believed, by their names under `issuers`', { minItems: 1 }),
    header: valueOf('fieldName', 'Field that holds the token; `authorization`: behind the word Bearer', 'authorization'),
    cookie: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_.-]+$', description: 'Cookie that may hold it instead' }),
    ),
    query: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: 'Parameter that may hold it instead; what stands in a URL ends up in logs and histories',
      }),
    ),
    forward: Type.Boolean({ default: true, description: 'Whether the cluster gets to see the token' }),
    requireConsumer: Type.Boolean({ default: false, description: 'Whether tokens that name no consumer are refused' }),
    claims: named('fieldName', Type.String({ minLength: 1, maxLength: 255, description: 'Claim' }), {
      description: 'Fields that tell the cluster claims, by the name of the field; what clients send under these names never arrives',
      default: {},
    }),
  },
  'Tokens of issuers',
);

type Options = Static<typeof schema>;

export const jwt: AuthenticationMethodDefinition = {
  name: 'jwt',
  summary: 'Signed tokens of issuers (JWT, RFC 7519).',
  schema,
  complete(options, place) {
    if (options === undefined) return undefined;
    const { issuers } = options as Options;
    issuers.forEach((name, index) => {
      if (!place.issuers.has(name))
        place.report(
          ['issuers', index],
          `issuer "${name}" is not declared; expected one of issuers: ${[...place.issuers].join(', ') || 'none yet'}`,
        );
    });
    return options;
  },
  create: (options, environment) => new TokenMethod(options as Options, environment),
};

class TokenMethod implements AuthenticationMethod {
  readonly challenge = CHALLENGE;
  readonly #options: Options;
  readonly #header: string;
  readonly #environment: FilterEnvironment;
  readonly #issuers: ReadonlyMap<string, TokenIssuer>;
  readonly #told: readonly (readonly [field: string, claim: string])[];
  /** A token that comes again is the same caller. */
  readonly #identities = new WeakMap<Claims, Identity>();

  constructor(options: Options, environment: FilterEnvironment) {
    this.#options = options;
    this.#header = options.header.toLowerCase();
    this.#environment = environment;
    const issuers = options.issuers.map((name) => environment.issuers.get(name)).filter((issuer) => issuer !== null);
    this.#issuers = new Map(issuers.map((issuer) => [issuer.config.issuer, issuer]));
    this.#told = Object.entries(options.claims).map(([field, claim]) => [field.toLowerCase(), claim]);
  }

  get ownFields(): readonly string[] {
    return this.#told.map(([field]) => field);
  }

  prove(request: CanonicalRequest): Proof | Promise<Proof> {
    const token = this.#tokenOf(request);
    if (token === undefined) return null;
    if (token === null) return ambiguousCredentials('more than one token', INVALID);
    const digest = token.length > MAX_TOKEN_LENGTH ? '' : hash('sha256', token, 'base64');
    for (const issuer of this.#issuers.values()) {
      const claims = issuer.recall(digest);
      if (claims !== null) return this.#judge(issuer, claims);
    }
    const read = readToken(token);
    if (typeof read === 'string') return invalidCredentials(read, INVALID);
    const issuer = this.#issuers.get(read.issuer);
    if (issuer === undefined)
      return invalidCredentials(`tokens of the issuer ${JSON.stringify(read.issuer)} are not believed here`, INVALID);
    return issuer.check(token, read.wish, digest).then((checked) => this.#judge(issuer, checked));
  }

  conceal(request: CanonicalRequest): void {
    const claims = request.identity?.claims ?? null;
    for (const [field, claim] of this.#told) {
      removeField(request.fields, field);
      const text = claims === null ? null : fieldText(claimAt(claims, claim));
      if (text !== null) request.fields.push(field, text);
    }
    const { forward, cookie, query } = this.#options;
    if (forward) return;
    removeCarriedField(request, this.#header);
    if (cookie !== undefined) removeCarriedCookie(request, cookie);
    if (query !== undefined && request.query !== '') removeCarriedQuery(request, query);
  }

  #tokenOf(request: CanonicalRequest): Carried {
    const { cookie, query } = this.#options;
    const header = this.#header;
    const places = [
      header === 'authorization' ? carriedByScheme(request, 'bearer') : carriedByField(request, header),
      cookie === undefined ? undefined : carriedByCookie(request, cookie),
      query === undefined ? undefined : carriedByQuery(request, query),
    ].filter((place) => place !== undefined);
    return places.length > 1 ? null : places[0];
  }

  #judge(issuer: TokenIssuer, checked: Checked): Proof {
    if (checked === null) {
      const detail = `the keys of ${issuer.config.name} were never fetched`;
      return { code: 'authentication_unavailable', detail, fields: ['retry-after', RETRY_AFTER_S] };
    }
    if (typeof checked === 'string') return invalidCredentials(`token of ${issuer.config.name}: ${checked}`, INVALID);
    const known = this.#identities.get(checked);
    if (known !== undefined) return known;
    const identity = identityOf({ method: 'jwt', issuer: issuer.config, claims: checked }, this.#environment.consumers);
    if (identity.consumer === '' && this.#options.requireConsumer)
      return invalidCredentials(`token of ${issuer.config.name}: it names no consumer`, INVALID);
    const bad = this.#told.find(([, claim]) => isUnspeakable(claimAt(checked, claim)));
    if (bad !== undefined)
      return invalidCredentials(`token of ${issuer.config.name}: its claim ${bad[1]} cannot stand in a field`, INVALID);
    this.#identities.set(checked, identity);
    return identity;
  }
}

const isUnspeakable = (value: unknown): boolean => value !== undefined && fieldText(value) === null;
