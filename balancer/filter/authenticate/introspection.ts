// Method introspection: a token that says nothing by itself, of which its authorization server says whether it is good (RFC 7662).
import { Type, type Static } from '../../schema/type.ts';
import { isInTheClear } from '../../config/addresses.ts';
import type { SecretReference } from '../../config/config.ts';
import type { OptionsPlace } from '../../config/extension.ts';
import { durationMs } from '../../config/quantities.ts';
import { choice, duration, listOf, mapping, secretOf, valueOf } from '../../config/schema-parts.ts';
import type { Identity } from '../../message/identity.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { FilterEnvironment } from '../filter.ts';
import { HttpQuestions } from '../http-questions.ts';
import { basicOf } from './client-password.ts';
import { carriedByScheme, removeCarriedField } from './carried.ts';
import { claimAt, claimTexts } from './claims.ts';
import { IntrospectedTokens, type Introspected, type TokenFacts } from './introspected-tokens.ts';
import {
  ambiguousCredentials,
  invalidCredentials,
  type AuthenticationMethod,
  type AuthenticationMethodDefinition,
  type Proof,
} from './method.ts';

const MAX_TOKEN_LENGTH = 4096;
const CHALLENGE = 'Bearer';
const INVALID = 'Bearer error="invalid_token"';
/** Three parts between dots, the first an object in base64: what the method jwt looks at. */
const SIGNED = /^eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*$/;

const text = (description: string, options: object = {}) => Type.String({ minLength: 1, maxLength: 255, description, ...options });

const schema = mapping(
  {
    url: valueOf('gateUrl', 'Where the authorization server answers questions about tokens; https, but on this machine'),
    ca: Type.Optional(valueOf('file', 'PEM file with the authorities that are trusted for it; default: those of the system')),
    client: text('Name by which weir is known there'),
    secret: secretOf('Where the password of weir there is'),
    tokens: choice(
      ['opaque', 'all'],
      'Which tokens are asked about; opaque: those that do not look like signed ones (JWT), which are left to other methods',
      'opaque',
    ),
    audiences: listOf(text('Audience'), '`aud` must hold one of these; absent: any audience will do', { default: [] }),
    timeout: duration('For an answer; without one requests get 503', '2s'),
    remember: duration('The longest that a token is believed in without asking again, at most 10m; never beyond its expiry', '60s'),
    stale: duration(
      'While the server does not answer: how long beyond that a token is believed that it called active, at most 1h; never beyond its expiry. 0s: not at all',
      '0s',
    ),
    consumerClaim: text('What of the answer names the consumer, see `consumers.<name>.subjects`', { default: 'sub' }),
    groupsClaim: Type.Optional(text('What of the answer has groups, as a list; absent: only the consumer has groups')),
    requireConsumer: Type.Boolean({ default: false, description: 'Whether tokens that name no consumer are refused' }),
    forward: Type.Boolean({ default: true, description: 'Whether the cluster gets to see the token' }),
  },
  'Tokens that an authorization server is asked about',
);

type File = Static<typeof schema>;

interface Options extends Pick<File, 'url' | 'client' | 'tokens' | 'audiences' | 'consumerClaim' | 'requireConsumer' | 'forward'> {
  readonly ca: string | null;
  readonly secret: SecretReference;
  readonly timeoutMs: number;
  readonly rememberMs: number;
  readonly staleMs: number;
  readonly groupsClaim: string | null;
}

const MOST_REMEMBER_MS = 600_000;
const MOST_STALE_MS = 3_600_000;

export const introspection: AuthenticationMethodDefinition = {
  name: 'introspection',
  summary: 'Tokens that their authorization server is asked about (RFC 7662).',
  schema,
  complete: (options, place) => (options === undefined ? undefined : completed(options as File, place)),
  create: (options, environment) => new IntrospectionMethod(options as Options, environment),
};

function completed({ timeout, remember, stale, ca, groupsClaim, secret, ...rest }: File, place: OptionsPlace): Options | undefined {
  const rememberMs = durationMs(remember);
  if (rememberMs > MOST_REMEMBER_MS) place.report(['remember'], 'is more than 10m; a token that was revoked would be good for so long');
  const staleMs = durationMs(stale);
  if (staleMs > MOST_STALE_MS) place.report(['stale'], 'is more than 1h; who takes the server away could use a revoked token for so long');
  if (isInTheClear(rest.url))
    place.report(['url'], 'tokens would go there in the clear, and whoever is on the way could use them; write https://');
  const reference = place.secret(['secret'], secret);
  if (reference === null) return undefined;
  return {
    ...rest,
    secret: reference,
    ca: ca === undefined ? null : place.readableFile(['ca'], ca),
    timeoutMs: durationMs(timeout),
    rememberMs,
    staleMs,
    groupsClaim: groupsClaim ?? null,
  };
}

class IntrospectionMethod implements AuthenticationMethod {
  readonly challenge = CHALLENGE;
  readonly #options: Options;
  readonly #consumers: FilterEnvironment['consumers'];
  readonly #tokens: IntrospectedTokens;
  /** A token that comes again is the same caller. */
  readonly #identities = new WeakMap<TokenFacts, Identity>();

  constructor(options: Options, { clock, consumers, meter, readSecret, route }: FilterEnvironment) {
    this.#options = options;
    this.#consumers = consumers;
    const { client, secret, rememberMs, staleMs } = options;
    this.#tokens = new IntrospectedTokens({
      questions: new HttpQuestions(options, clock),
      ...{ clock, rememberMs, staleMs },
      authorization: () => {
        const password = readSecret(secret);
        return password === null ? null : basicOf(client, password);
      },
      count: (outcome) => meter.counter('weir_introspections_total', [route, outcome]).add(1),
    });
  }

  prove(request: CanonicalRequest): Proof | Promise<Proof> {
    const token = carriedByScheme(request, 'bearer');
    if (token === undefined) return null;
    if (token === null) return ambiguousCredentials('more than one Authorization field', INVALID);
    if (this.#options.tokens === 'opaque' && SIGNED.test(token)) return null;
    if (token.length > MAX_TOKEN_LENGTH) return invalidCredentials(`the token is longer than ${MAX_TOKEN_LENGTH} characters`, INVALID);
    const found = this.#tokens.find(token);
    return found instanceof Promise ? found.then((later) => this.#judge(later)) : this.#judge(found);
  }

  conceal(request: CanonicalRequest): void {
    if (!this.#options.forward) removeCarriedField(request, 'authorization');
  }

  #judge(found: Introspected): Proof {
    if (typeof found === 'string') return { code: 'authentication_unavailable', detail: `introspection: ${found}`, fields: [] };
    if (found === null) return invalidCredentials('the authorization server says that the token is not active', INVALID);
    const known = this.#identities.get(found);
    if (known !== undefined) return known;
    const { audiences, requireConsumer } = this.#options;
    if (audiences.length > 0 && !claimTexts(found['aud']).some((one) => audiences.includes(one)))
      return invalidCredentials('the token is for another audience', INVALID);
    const identity = this.#identityOf(found);
    if (identity.consumer === '' && requireConsumer) return invalidCredentials('the token names no consumer', INVALID);
    this.#identities.set(found, identity);
    return identity;
  }

  #identityOf(facts: TokenFacts): Identity {
    const { client, consumerClaim, groupsClaim } = this.#options;
    const subject = claimTexts(claimAt(facts, consumerClaim))[0];
    const consumer = subject === undefined ? null : this.#consumers.findSubject(subject);
    const groups = groupsClaim === null ? [] : claimTexts(claimAt(facts, groupsClaim));
    const scopes = claimTexts(facts['scope']).flatMap((scope) => scope.split(' ').filter((one) => one !== ''));
    return {
      consumer: consumer?.name ?? '',
      method: 'introspection',
      credential: client,
      groups: [...new Set([...(consumer?.groups ?? []), ...groups])],
      scopes: [...new Set([...(consumer?.scopes ?? []), ...scopes])],
      claims: facts,
    };
  }
}
