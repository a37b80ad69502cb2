// Method signature: HTTP Message Signatures (RFC 9421), by shared secrets and public keys of consumers.
import type { Clock } from '../../../health/clock.ts';
import { Type, type Static } from '../../schema/type.ts';
import { listOf, mapping } from '../../config/schema-parts.ts';
import type { Identity } from '../../message/identity.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import { parseDictionary, type Member, type Parameters } from '../../message/structured-fields.ts';
import type { FilterEnvironment, Refusal } from '../filter.ts';
import { removeCarriedField } from './carried.ts';
import type { Consumers, KnownSigner } from './consumers.ts';
import { coveredText, type Covered } from './covered-text.ts';
import {
  ambiguousCredentials,
  invalidCredentials,
  type AuthenticationMethod,
  type AuthenticationMethodDefinition,
  type Proof,
} from './method.ts';
import { partText } from './signed-parts.ts';
import { body, onUnavailable, repeat, SignedRequests, skew, skewMsOf, usesOnce, type SignedOptions } from './signed-requests.ts';
import { SigningSecrets, VerifyingKeys } from './signing-secrets.ts';

const MAX_LENGTH = 8192;
const MOST_COMPONENTS = 32;
const MS = 1000;
const CHALLENGE = 'Signature';

const schema = mapping(
  {
    components: listOf(
      Type.String({
        minLength: 1,
        maxLength: 64,
        pattern: "^(@(method|authority|path|query|scheme|target-uri|request-target)|[!#$%&'*+.^_`|~0-9a-z-]+)$",
        description: 'Component',
        what: 'a component',
        expected: '@method, @authority, @path, @query, @scheme, @target-uri, @request-target, or a field in lower case',
      }),
      'What must be covered; `@target-uri` does for `@authority`, `@path`, `@query` and `@scheme`, `@request-target` for path and query. `content-digest` must be wherever there is a body (`body`)',
      { default: ['@method', '@authority', '@path', '@query'], maxItems: MOST_COMPONENTS },
    ),
    tag: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        pattern: '^[\\x20-\\x7e]+$',
        description: 'Only signatures with this `tag` are looked at; absent: the one that there is',
      }),
    ),
    skew,
    body,
    repeat,
    onUnavailable,
    forward: Type.Boolean({ default: false, description: 'Whether the cluster gets to see `signature` and `signature-input`' }),
  },
  'Requests with signatures of RFC 9421',
);

type File = Static<typeof schema>;

interface Options extends Pick<File, 'components' | 'forward'>, SignedOptions {
  /** Null: any. */
  readonly tag: string | null;
  readonly skewMs: number;
}

export const signature: AuthenticationMethodDefinition = {
  name: 'signature',
  summary: 'HTTP Message Signatures (RFC 9421).',
  schema,
  complete(options, place) {
    if (options === undefined) return undefined;
    const { skew: text, tag, ...rest } = options as File;
    return { ...rest, tag: tag ?? null, skewMs: skewMsOf(text, place) };
  },
  usesOnce,
  create: (options, environment) => new SignatureMethod(options as Options, environment),
};

/** One signature of a request, not yet checked. */
interface Shown {
  readonly input: Member;
  readonly keyId: string;
  readonly value: Buffer;
}

class SignatureMethod implements AuthenticationMethod {
  readonly challenge = CHALLENGE;
  readonly onRequestBody?: NonNullable<AuthenticationMethod['onRequestBody']>;
  readonly #options: Options;
  readonly #clock: Clock;
  readonly #consumers: Consumers;
  readonly #keys: VerifyingKeys;
  readonly #requests: SignedRequests;
  readonly #identities = new WeakMap<KnownSigner, Identity>();

  constructor(options: Options, { clock, consumers, readSecret, oneTimeUses, meter, route }: FilterEnvironment) {
    this.#options = options;
    this.#clock = clock;
    this.#consumers = consumers;
    this.#keys = new VerifyingKeys(new SigningSecrets(readSecret, clock));
    this.#requests = new SignedRequests(options, { method: 'signature', refused, oneTimeUses, meter, route });
    const { onRequestBody } = this.#requests;
    if (onRequestBody !== undefined) this.onRequestBody = onRequestBody;
  }

  prove(request: CanonicalRequest): Proof | Promise<Proof> {
    const input = partText(request, 'signature-input');
    const value = partText(request, 'signature');
    if (input === null && value === null) return null;
    if (input === null || value === null) return refused('one of signature and signature-input is missing');
    if (input.length > MAX_LENGTH || value.length > MAX_LENGTH) return refused(`a signature field is longer than ${MAX_LENGTH} characters`);
    const [inputs, values] = [parseDictionary(input), parseDictionary(value)];
    if (inputs === null || values === null) return refused('signature or signature-input is malformed');
    const { tag } = this.#options;
    const [first, ...more] = [...inputs].filter(([, { parameters }]) => tag === null || parameters.get('tag') === tag);
    if (first === undefined) return null;
    if (more.length > 0) return ambiguousCredentials('more than one signature', CHALLENGE);
    const [label, member] = first;
    const shown = values.get(label)?.value;
    const keyId = member.parameters.get('keyid');
    if (!Buffer.isBuffer(shown) || typeof keyId !== 'string') return refused(`there is no signature ${label}, or no keyid`);
    return this.#judge(request, { input: member, keyId, value: shown });
  }

  conceal(request: CanonicalRequest): void {
    if (this.#options.forward) return;
    removeCarriedField(request, 'signature');
    removeCarriedField(request, 'signature-input');
  }

  #judge(request: CanonicalRequest, { input, keyId, value }: Shown): Proof | Promise<Proof> {
    const covered = coveredText(input, request);
    if (typeof covered === 'string') return refused(covered);
    const known = this.#consumers.findSigner(keyId);
    if (known === null) return refused('nobody has this key');
    const key = this.#keys.of(known);
    if (typeof key === 'string') return { code: 'authentication_unavailable', detail: `signature: the key ${keyId}: ${key}`, fields: [] };
    const { parameters } = input;
    const named = parameters.get('alg') ?? key.algorithm;
    if (named !== key.algorithm) return refused(`the key ${keyId} is for ${key.algorithm} only`);
    if (!key.isOf(value, Buffer.from(covered.text, 'latin1'))) return refused(`the signature is not of ${keyId}`);
    const untilMs = this.#untilOf(covered, parameters);
    if (typeof untilMs === 'string') return refused(`of ${keyId}: ${untilMs}`);
    const { names: parts, text } = covered;
    return this.#requests.prove(request, { parts, text, untilMs, id: keyId, identity: this.#identityOf(known) });
  }

  /** Until when it is good, in wall milliseconds, if what is covered is enough and of now; a text: why it is not. */
  #untilOf({ names }: Covered, parameters: Parameters): number | string {
    const { components, skewMs } = this.#options;
    const missing = components.find((name) => !isCovered(name, names));
    if (missing !== undefined) return `"${missing}" is not covered`;
    const [created, expires = Infinity] = [parameters.get('created'), parameters.get('expires')];
    if (typeof created !== 'number' || typeof expires !== 'number') return 'it has no time of its creation, or one that is none';
    const nowMs = this.#clock.wallMs();
    if (Math.abs(nowMs - created * MS) > skewMs) return 'the time of its creation is too far from now';
    if (expires * MS <= nowMs) return 'it has expired';
    return Math.min(created * MS + skewMs + 1, expires * MS);
  }

  #identityOf(known: KnownSigner): Identity {
    let identity = this.#identities.get(known);
    if (identity === undefined) this.#identities.set(known, (identity = { ...known.identity, method: 'signature' }));
    return identity;
  }
}

const refused = (detail: string): Refusal => invalidCredentials(detail, CHALLENGE);

/** What else a name is covered by. */
const COVERED_BY: ReadonlyMap<string, readonly string[]> = new Map([
  ['@authority', ['@target-uri', 'host']],
  ['@scheme', ['@target-uri']],
  ['@path', ['@target-uri', '@request-target']],
  ['@query', ['@target-uri', '@request-target']],
]);

function isCovered(name: string, names: readonly string[]): boolean {
  return names.includes(name) || (COVERED_BY.get(name) ?? []).some((other) => names.includes(other));
}
