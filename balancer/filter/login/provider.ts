// The provider that people sign in at (OpenID Connect Discovery 1.0; RFC 6749): where it answers, and the tokens it gives.
import type { Clock } from '../../../health/clock.ts';
import { isInTheClear } from '../../config/addresses.ts';
import { basicOf } from '../authenticate/client-password.ts';
import { HttpQuestions, type Question, type QuestionPlace } from '../http-questions.ts';

/** What is known of it is good for so long; then it is asked again, while what is known goes on to hold. */
const FRESH_MS = 3_600_000;
const RETRY_MS = 30_000;
const MOST_DOCUMENT_BYTES = 65_536;
const MOST_TOKEN_LENGTH = 16_384;
const MOST_SECONDS = 31_536_000;

export interface Endpoints {
  readonly authorization: string;
  readonly token: string;
  /** Null: it has none. */
  readonly endSession: string | null;
  /** Null: it says nothing besides its tokens. */
  readonly userInfo: string | null;
  /** Whether its answers name it (RFC 9207). */
  readonly namesItself: boolean;
}

export interface Tokens {
  /** Empty: it gave none, which only a refresh may. */
  readonly idToken: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Null: it does not say. */
  readonly expiresS: number | null;
  /** Null: those that were asked for (RFC 6749 section 5.1). */
  readonly scopes: readonly string[] | null;
}

/** `refused`: it says no. `away`: it says nothing, so the same question may be asked again. */
export type Given =
  | { readonly kind: 'tokens'; readonly tokens: Tokens }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'away'; readonly why: string };

/** What it says of who has signed in. */
export type ToldOfPerson =
  | { readonly kind: 'told'; readonly claims: Json }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'away'; readonly why: string };

export interface ProviderOptions {
  /** The claim `iss` of its tokens, which is also where its document is. */
  readonly issuer: string;
  /** Null: its document says where they are. */
  readonly endpoints: Endpoints | null;
  readonly ca: string | null;
  readonly timeoutMs: number;
  readonly client: string;
  /** How weir proves itself there; `none`: it has no secret. */
  readonly proof: 'basic' | 'post' | 'none';
  /** Null: it is not where the config says. */
  readonly readSecret: () => string | null;
  readonly clock: Pick<Clock, 'nowMs' | 'after'>;
}

/** Kept, as it keeps connections. */
interface Asked {
  readonly url: string;
  readonly questions: HttpQuestions;
}

interface Known {
  readonly endpoints: Endpoints;
  readonly untilMs: number;
}

export class Provider {
  readonly #options: ProviderOptions;
  #document: HttpQuestions | null;
  #known: Known | null = null;
  #running: Promise<Endpoints | string> | null = null;
  #tokens: Asked | null = null;
  #userInfo: Asked | null = null;

  /** Throws an Error that teaches when it cannot be asked. Asks nobody yet. */
  constructor(options: ProviderOptions) {
    this.#options = options;
    const { endpoints, issuer } = options;
    if (endpoints !== null) this.#known = { endpoints, untilMs: Infinity };
    this.#document = endpoints === null ? this.#questionsTo(documentOf(issuer)) : null;
  }

  /** A text: why they are not known. */
  endpoints(): Endpoints | string | Promise<Endpoints | string> {
    const known = this.#known;
    if (known !== null && known.untilMs > this.#options.clock.nowMs()) return known.endpoints;
    this.#running ??= this.#discover().finally(() => (this.#running = null));
    return known?.endpoints ?? this.#running;
  }

  /** Of a grant: a code or a refresh token, with what belongs to it. */
  async tokens(endpoints: Endpoints, grant: Readonly<Record<string, string>>): Promise<Given> {
    const { client, proof, readSecret } = this.#options;
    const secret = proof === 'none' ? '' : readSecret();
    if (secret === null) return { kind: 'away', why: 'the secret of the client is not where the config says' };
    const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
    const proved = proof === 'basic' ? { ...headers, authorization: basicOf(client, secret) } : headers;
    const form = proof === 'basic' ? grant : { ...grant, client_id: client, ...(proof === 'post' ? { client_secret: secret } : {}) };
    const asked = (this.#tokens = this.#asked(this.#tokens, endpoints.token));
    const outcome = await asked.questions.post(proved, new URLSearchParams(form).toString());
    if (typeof outcome === 'string') return { kind: 'away', why: outcome };
    return readGiven(outcome.status, outcome.body);
  }

  async userInfo({ userInfo: url }: Endpoints, accessToken: string): Promise<ToldOfPerson> {
    if (url === null) return { kind: 'refused', why: 'the provider has no place for user info' };
    const asked = (this.#userInfo = this.#asked(this.#userInfo, url));
    const fields = ['authorization', `Bearer ${accessToken}`, 'accept', 'application/json'];
    const answered = await asked.questions.ask({ method: 'GET', fields, body: null, mostBytes: MOST_TOKEN_LENGTH });
    if (typeof answered === 'string') return { kind: 'away', why: answered };
    const { status, body } = answered;
    const claims = status === 200 ? readJson(body) : null;
    if (claims !== null) return { kind: 'told', claims };
    return { kind: isNo(status) || status === 200 ? 'refused' : 'away', why: `the answer about user info is ${status} and no claims` };
  }

  #asked(kept: Asked | null, url: string): Asked {
    return kept?.url === url ? kept : { url, questions: this.#questionsTo(url) };
  }

  #questionsTo(url: string): HttpQuestions {
    const { ca, timeoutMs, clock } = this.#options;
    const place: QuestionPlace = { url, ca, timeoutMs };
    return new HttpQuestions(place, clock);
  }

  async #discover(): Promise<Endpoints | string> {
    const { clock, issuer } = this.#options;
    const question: Question = { method: 'GET', fields: ['accept', 'application/json'], body: null, mostBytes: MOST_DOCUMENT_BYTES };
    const answered = (await this.#document?.ask(question)) ?? 'it has no document';
    const read = typeof answered === 'string' ? answered : readDocument(answered.status, answered.body, issuer);
    const nowMs = clock.nowMs();
    if (typeof read !== 'string') this.#known = { endpoints: read, untilMs: nowMs + FRESH_MS };
    // What is known holds until the provider can be asked again.
    else if (this.#known !== null) this.#known = { endpoints: this.#known.endpoints, untilMs: nowMs + RETRY_MS };
    return typeof read === 'string' ? `the document of the provider: ${read}` : read;
  }
}

/** OpenID Connect Discovery section 4. Throws an Error that teaches when the issuer is no URL. */
function documentOf(issuer: string): string {
  const url = URL.parse(issuer);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || isInTheClear(issuer))
    throw new Error(
      `login: the issuer ${JSON.stringify(issuer)} is not where a document of the provider can be fetched; expected an https URL, or endpoints: { authorization: …, token: … }`,
    );
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

type Json = Readonly<Record<string, unknown>>;

/** Null: it is no object of JSON. */
function readJson(text: string | null): Json | null {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
  } catch {
    return null;
  }
}

/** Where a browser, or weir with its secret, may be sent. */
const isPlace = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 2048 && /^https?:\/\//.test(value) && URL.canParse(value) && !isInTheClear(value);

/** A text: why it is none. */
function readDocument(status: number, text: string | null, issuer: string): Endpoints | string {
  const said = status === 200 ? readJson(text) : null;
  if (said === null) return `the answer is ${status} and no document`;
  // Section 4.3: who answers for another issuer must not be believed.
  if (said['issuer'] !== issuer) return 'it is that of another issuer';
  const { authorization_endpoint: authorization, token_endpoint: token } = said;
  const { end_session_endpoint: endSession, userinfo_endpoint: userInfo } = said;
  if (!isPlace(authorization) || !isPlace(token)) return 'it names no place to sign in at, or one that is not https';
  const namesItself = said['authorization_response_iss_parameter_supported'] === true;
  const others = { endSession: isPlace(endSession) ? endSession : null, userInfo: isPlace(userInfo) ? userInfo : null };
  return { authorization, token, ...others, namesItself };
}

const TOO_MANY_REQUESTS = 429;
const REQUEST_TIMEOUT = 408;
/** RFC 6749 section 5.2. */
const ERROR = /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,64}$/;

/** An error as the provider words it, as long as it is one. */
export const providerError = (text: unknown): string => (typeof text === 'string' && ERROR.test(text) ? text : 'an error without a name');

/** Of others nobody knows what the provider would say. */
const isNo = (status: number): boolean => status >= 400 && status < 500 && status !== TOO_MANY_REQUESTS && status !== REQUEST_TIMEOUT;

function readGiven(status: number, text: string): Given {
  const said = readJson(text);
  if (isNo(status)) return { kind: 'refused', why: `the provider answers ${status}: ${providerError(said?.['error'])}` };
  if (status !== 200) return { kind: 'away', why: `the provider answers ${status}` };
  const tokens = said === null ? null : readTokens(said);
  return tokens === null ? { kind: 'refused', why: 'the answer of the provider has no tokens' } : { kind: 'tokens', tokens };
}

function readTokens(said: Json): Tokens | null {
  const { id_token: idToken = '', access_token: accessToken = '', refresh_token: refreshToken = '', scope, expires_in: expiresIn } = said;
  if (!isToken(idToken) || !isToken(accessToken) || !isToken(refreshToken)) return null;
  if (scope !== undefined && typeof scope !== 'string') return null;
  const seconds = Number(expiresIn);
  return {
    ...{ idToken, accessToken, refreshToken },
    expiresS: expiresIn !== undefined && Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, MOST_SECONDS) : null,
    scopes: scope === undefined ? null : scope.split(' ').filter((one) => one !== ''),
  };
}

/** Visible characters only: one may go into a field of the request. */
const isToken = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= MOST_TOKEN_LENGTH && /^[\x21-\x7e]*$/.test(value);
