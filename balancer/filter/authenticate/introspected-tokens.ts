// What an authorization server says of tokens (RFC 7662): asked once for all that wait, and remembered for a bounded time.
import { hash } from 'node:crypto';
import type { Clock } from '../../../health/clock.ts';
import type { HttpQuestions } from '../http-questions.ts';

/** What it says of a token that is active. One object for one token, as long as it is remembered. */
export type TokenFacts = Readonly<Record<string, unknown>>;

/** Null: the token is not active. Text: why nobody can say. */
export type Introspected = TokenFacts | string | null;

const MAX_REMEMBERED = 10_000;
/** A token that is not active may be by the next moment, if it was asked about too early; a flood of the same one stays cheap. */
const INACTIVE_MS = 5000;
const MS = 1000;

interface Remembered {
  readonly facts: TokenFacts | null;
  /** Of the wall clock, as the expiry of tokens is. */
  readonly untilMs: number;
}

export interface IntrospectionOptions {
  readonly questions: Pick<HttpQuestions, 'post'>;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** The longest that a token is believed in without asking again. */
  readonly rememberMs: number;
  /** How much longer one that was active is, while the server does not answer. */
  readonly staleMs: number;
  /** Name and password of weir there; null: the secret is not where the config says. */
  readonly authorization: () => string | null;
  readonly count: (outcome: 'active' | 'inactive' | 'failed' | 'stale') => void;
}

export class IntrospectedTokens {
  readonly #options: IntrospectionOptions;
  readonly #remembered = new Map<string, Remembered>();
  readonly #running = new Map<string, Promise<Introspected>>();

  constructor(options: IntrospectionOptions) {
    this.#options = options;
  }

  find(token: string): Introspected | Promise<Introspected> {
    const digest = hash('sha256', token, 'base64');
    const known = this.#remembered.get(digest);
    if (known !== undefined && known.untilMs > this.#options.clock.wallMs()) return known.facts;
    const running = this.#running.get(digest);
    if (running !== undefined) return running;
    const asked = this.#ask(token, digest).finally(() => this.#running.delete(digest));
    this.#running.set(digest, asked);
    return asked;
  }

  async #ask(token: string, digest: string): Promise<Introspected> {
    const { questions, authorization, count } = this.#options;
    const credentials = authorization();
    if (credentials === null) return this.#failed(digest, 'the secret is not where the config says');
    const headers = { authorization: credentials, accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
    const outcome = await questions.post(headers, new URLSearchParams({ token, token_type_hint: 'access_token' }).toString());
    if (typeof outcome === 'string') return this.#failed(digest, outcome);
    const said = outcome.status === 200 ? decodeSaid(outcome.body) : null;
    if (said === null) return this.#failed(digest, `the answer is ${outcome.status} and says nothing of a token`);
    const facts = said['active'] === true && isNow(said, this.#options.clock.wallMs()) ? said : null;
    count(facts === null ? 'inactive' : 'active');
    this.#remember(digest, facts);
    return facts;
  }

  /** What the server said before, where that is still to be believed; else why nobody can say. */
  #failed(digest: string, why: string): TokenFacts | string {
    const { clock, staleMs, count } = this.#options;
    const wallMs = clock.wallMs();
    const { facts = null, untilMs = -Infinity } = this.#remembered.get(digest) ?? {};
    const isBelieved = facts !== null && wallMs < untilMs + staleMs && isNow(facts, wallMs);
    count(isBelieved ? 'stale' : 'failed');
    return isBelieved ? facts : why;
  }

  #remember(digest: string, facts: TokenFacts | null): void {
    const { clock, rememberMs } = this.#options;
    const nowMs = clock.wallMs();
    const expiry = facts?.['exp'];
    const untilMs =
      facts === null ? nowMs + INACTIVE_MS : Math.min(nowMs + rememberMs, typeof expiry === 'number' ? expiry * MS : Infinity);
    this.#remembered.delete(digest);
    this.#remembered.set(digest, { facts, untilMs });
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }
}

/** Null: it is no answer of section 2.2. */
function decodeSaid(body: string): TokenFacts | null {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return typeof Reflect.get(value, 'active') === 'boolean' ? (value as TokenFacts) : null;
  } catch {
    return null;
  }
}

/** A server may say active of a token whose time is over, or has not begun: that is not for it to say. */
function isNow({ exp, nbf }: TokenFacts, nowMs: number): boolean {
  if (exp !== undefined && (typeof exp !== 'number' || exp * MS <= nowMs)) return false;
  return nbf === undefined || (typeof nbf === 'number' && nbf * MS <= nowMs);
}
