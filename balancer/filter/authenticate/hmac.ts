// Method hmac: requests signed with a shared secret, in the form `Authorization: hmac username="…", algorithm="…", headers="…", signature="…"`.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../../health/clock.ts';
import { Type, type Static } from '../../schema/type.ts';
import { choice, listOf, mapping } from '../../config/schema-parts.ts';
import type { Identity } from '../../message/identity.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { FilterEnvironment, Refusal } from '../filter.ts';
import { authParameters } from './auth-parameters.ts';
import { carriedByScheme, removeCarriedField } from './carried.ts';
import type { Consumers, KnownSigner } from './consumers.ts';
import {
  ambiguousCredentials,
  invalidCredentials,
  type AuthenticationMethod,
  type AuthenticationMethodDefinition,
  type Proof,
} from './method.ts';
import { partText } from './signed-parts.ts';
import { body, onUnavailable, repeat, SignedRequests, skew, skewMsOf, usesOnce, type SignedOptions } from './signed-requests.ts';
import { SigningSecrets } from './signing-secrets.ts';

const ALGORITHMS = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const;
const MAX_LENGTH = 4096;
const MOST_PARTS = 32;
/** Parts that are no fields: the target, in the two ways that users write it. */
const TARGET = '@request-target';
const LINE = 'request-line';
/** Its dates, the first one that is signed. Programs in browsers cannot set the second. */
const DATES = ['x-date', 'date'] as const;
/** Nobody has it: an unknown user takes as long as a known one. */
const NOBODYS = 'nobody';

const schema = mapping(
  {
    algorithms: listOf(choice(ALGORITHMS, 'Algorithm'), 'Algorithms that may have made a signature', {
      default: [...ALGORITHMS],
      minItems: 1,
    }),
    headers: listOf(
      Type.String({ minLength: 1, maxLength: 64, pattern: "^@?[!#$%&'*+.^_`|~0-9A-Za-z-]+$", description: 'Part' }),
      'What must be signed: fields, and `@request-target` for method, path and query (`request-line` does for it). `date` or `x-date` always must',
      { default: [TARGET, 'host'], maxItems: MOST_PARTS },
    ),
    skew,
    body,
    repeat,
    onUnavailable,
    forward: Type.Boolean({ default: false, description: 'Whether the cluster gets to see the signature' }),
  },
  'Requests signed with a secret of the consumer',
);

type File = Static<typeof schema>;

interface Options extends Pick<File, 'algorithms' | 'headers' | 'forward'>, SignedOptions {
  readonly skewMs: number;
}

export const hmac: AuthenticationMethodDefinition = {
  name: 'hmac',
  summary: 'Requests signed with a secret of the consumer.',
  schema,
  complete(options, place) {
    if (options === undefined) return undefined;
    const { skew: text, ...rest } = options as File;
    return { ...rest, skewMs: skewMsOf(text, place) };
  },
  usesOnce,
  create: (options, environment) => new HmacMethod(options as Options, environment),
};

/** What a request shows, not yet checked. */
interface Shown {
  readonly user: string;
  readonly algorithm: string;
  /** Names in lower case, in the order in which they were signed. */
  readonly parts: readonly string[];
  readonly signature: Buffer;
}

class HmacMethod implements AuthenticationMethod {
  readonly challenge: string;
  readonly onRequestBody?: NonNullable<AuthenticationMethod['onRequestBody']>;
  readonly #options: Options;
  readonly #required: readonly string[];
  readonly #clock: Clock;
  readonly #consumers: Consumers;
  readonly #secrets: SigningSecrets;
  readonly #requests: SignedRequests;
  readonly #identities = new WeakMap<KnownSigner, Identity>();

  constructor(options: Options, { clock, consumers, readSecret, oneTimeUses, meter, route }: FilterEnvironment) {
    this.#options = options;
    this.#required = options.headers.map((name) => name.toLowerCase());
    this.challenge = `hmac headers="${['date', ...this.#required.filter((name) => name !== 'date')].join(' ')}"`;
    this.#clock = clock;
    this.#consumers = consumers;
    this.#secrets = new SigningSecrets(readSecret, clock);
    const refused = (detail: string): Refusal => invalidCredentials(detail, this.challenge);
    this.#requests = new SignedRequests(options, { method: 'hmac', refused, oneTimeUses, meter, route });
    const { onRequestBody } = this.#requests;
    if (onRequestBody !== undefined) this.onRequestBody = onRequestBody;
  }

  prove(request: CanonicalRequest): Proof | Promise<Proof> {
    const carried = carriedByScheme(request, 'hmac');
    if (carried === undefined) return null;
    if (carried === null) return ambiguousCredentials('more than one Authorization field', this.challenge);
    const shown = shownBy(carried);
    if (shown === null) return this.#refused('not username, algorithm, headers and signature, each once and in quotes');
    const signed = signedText(shown.parts, request);
    if (typeof signed === 'string') return this.#judge(request, shown, signed);
    return this.#refused(`"${signed.missing}" is signed and not there`);
  }

  conceal(request: CanonicalRequest): void {
    if (!this.#options.forward) removeCarriedField(request, 'authorization');
  }

  #judge(request: CanonicalRequest, shown: Shown, signed: string): Proof | Promise<Proof> {
    const { user, algorithm, parts, signature } = shown;
    if (!this.#options.algorithms.some((known) => known === algorithm)) return this.#refused('its algorithm is not allowed');
    const known = this.#consumers.findSigner(user);
    const secret = known === null || known.isPublic ? NOBODYS : this.#secrets.get(known.key);
    if (secret === null) return { code: 'authentication_unavailable', detail: `hmac: the secret of ${user} is not there`, fields: [] };
    const expected = createHmac(algorithm.slice('hmac-'.length), secret).update(signed, 'latin1').digest();
    const right = expected.length === signature.length && timingSafeEqual(expected, signature);
    if (!right || known === null || known.isPublic) return this.#refused('nobody has signed this');
    const untilMs = this.#untilOf(request, parts);
    if (typeof untilMs === 'string') return this.#refused(`of ${user}: ${untilMs}`);
    const text = `${user}\n${signed}`;
    return this.#requests.prove(request, { parts, text, untilMs, id: user, identity: this.#identityOf(known) });
  }

  /** Until when it is good, in wall milliseconds, if what is signed is enough and of now; a text: why it is not. */
  #untilOf(request: CanonicalRequest, parts: readonly string[]): number | string {
    const { skewMs } = this.#options;
    const missing = this.#required.find((name) => !isSigned(name, parts));
    if (missing !== undefined) return `"${missing}" is not signed`;
    const sentMs = sentAt(request, parts);
    if (sentMs === null) return 'neither date nor x-date is signed, or it is no date';
    if (Math.abs(this.#clock.wallMs() - sentMs) > skewMs) return 'its date is too far from now';
    return sentMs + skewMs + 1;
  }

  #identityOf(known: KnownSigner): Identity {
    let identity = this.#identities.get(known);
    if (identity === undefined) this.#identities.set(known, (identity = { ...known.identity, method: 'hmac' }));
    return identity;
  }

  #refused(detail: string): Proof {
    return invalidCredentials(detail, this.challenge);
  }
}

function shownBy(text: string): Shown | null {
  const parameters = text.length > MAX_LENGTH ? null : authParameters(text);
  const [user, algorithm, headers, signature] = ['username', 'algorithm', 'headers', 'signature'].map((name) => parameters?.get(name));
  if (user === undefined || algorithm === undefined || headers === undefined || signature === undefined) return null;
  const parts = headers.toLowerCase().split(' ');
  const base64 = /^[A-Za-z0-9+/]+={0,2}$/.test(signature);
  if (!base64 || parts.length > MOST_PARTS || parts.includes('') || new Set(parts).size !== parts.length) return null;
  return { user, algorithm: algorithm.toLowerCase(), parts, signature: Buffer.from(signature, 'base64') };
}

/** One line for each part: `name: value`, and the line of the request as it is. */
function signedText(parts: readonly string[], request: CanonicalRequest): string | { readonly missing: string } {
  const lines: string[] = [];
  for (const name of parts) {
    const target = request.hasQuery ? `${request.path}?${request.query}` : request.path;
    if (name === LINE) lines.push(`${request.method} ${target} HTTP/${request.version === '2' ? '2.0' : request.version}`);
    else if (name === TARGET) lines.push(`${TARGET}: ${request.method.toLowerCase()} ${target}`);
    else {
      const value = partText(request, name);
      if (value === null) return { missing: name };
      lines.push(`${name}: ${value}`);
    }
  }
  return lines.join('\n');
}

function isSigned(name: string, parts: readonly string[]): boolean {
  if (name === 'date') return DATES.some((date) => parts.includes(date));
  return parts.includes(name) || (name === TARGET && parts.includes(LINE));
}

const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/** Milliseconds since 1970; null: no date is signed, or it is none (RFC 9110 section 5.6.7). */
function sentAt(request: CanonicalRequest, parts: readonly string[]): number | null {
  const name = DATES.find((date) => parts.includes(date));
  const text = name === undefined ? null : partText(request, name);
  const ms = text !== null && HTTP_DATE.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? null : ms;
}
