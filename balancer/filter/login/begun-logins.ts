// Logins under way: each in a sealed cookie of its own, so that the browser that began one is the only one that can end it, several at a time.
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../../health/clock.ts';
import type { Fields } from '../../message/fields.ts';
import { UsedOnce } from '../authenticate/used-once.ts';
import type { CookieJar, OwnCookies } from './own-cookies.ts';
import type { Endpoints } from './provider.ts';
import type { Seal } from './seal.ts';

/** How long a person may take to sign in. */
const PATIENCE_MS = 900_000;
/** Tabs that sign in at once; of more than that those that began first are forgotten, or the request head would grow without end. */
const MOST_AT_ONCE = 4;
/** A longer page is not what anybody comes back to. */
const MOST_TARGET_LENGTH = 2048;
/** The time in seconds, in base 36, and 128 bits: states of one browser sort by when they began. */
const STATE = /^[0-9a-z]{6,8}[A-Za-z0-9_-]{22}$/;
const MS = 1000;

export interface BegunLogin {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE (RFC 7636). */
  readonly verifier: string;
  /** Path and query of the page that was asked for. */
  readonly target: string;
  readonly origin: string;
  readonly untilMs: number;
}

export interface Place {
  readonly origin: string;
  readonly jar: CookieJar;
  /** Own cookies of the request. */
  readonly cookies: OwnCookies;
}

export interface AuthorizationQuestion {
  readonly client: string;
  readonly scopes: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly callback: string;
}

export class BegunLogins {
  readonly #seal: Seal;
  readonly #clock: Pick<Clock, 'wallMs'>;
  readonly #question: AuthorizationQuestion;
  readonly #ended: UsedOnce;

  constructor(seal: Seal, clock: Pick<Clock, 'wallMs'>, question: AuthorizationQuestion) {
    this.#seal = seal;
    this.#clock = clock;
    this.#question = question;
    this.#ended = new UsedOnce(clock);
  }

  /** Where the browser is sent, and the cookie it brings back. Null: there is no key to seal it by. */
  async begin(target: string, { origin, jar, cookies }: Place, { authorization }: Endpoints): Promise<Fields | null> {
    const nowMs = this.#clock.wallMs();
    const login: BegunLogin = {
      state: `${Math.floor(nowMs / MS).toString(36)}${random(16)}`,
      nonce: random(16),
      verifier: random(32),
      target: target.length > MOST_TARGET_LENGTH ? '/' : target,
      origin,
      untilMs: nowMs + PATIENCE_MS,
    };
    const sealed = await this.#seal.seal(login);
    if (sealed === null) return null;
    const { client, scopes, parameters, callback } = this.#question;
    const url = new URL(authorization);
    const asked = {
      ...parameters,
      ...{ response_type: 'code', client_id: client, redirect_uri: origin + callback, scope: scopes.join(' ') },
      ...{ state: login.state, nonce: login.nonce },
      ...{ code_challenge: createHash('sha256').update(login.verifier).digest('base64url'), code_challenge_method: 'S256' },
    };
    for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
    const states = jar.states(cookies);
    const old = states.slice(0, Math.max(0, states.length - MOST_AT_ONCE + 1));
    return [
      ...['location', url.href],
      ...jar.set(jar.login(login.state), sealed, PATIENCE_MS / MS),
      ...old.flatMap((state) => jar.drop(jar.login(state))),
    ];
  }

  /** Once. Null: this browser has begun no such login, or too long ago, or has ended it. */
  async end(state: string, { origin, jar, cookies }: Place): Promise<BegunLogin | null> {
    const sealed = STATE.test(state) ? (cookies.get(jar.login(state)) ?? null) : null;
    const login = sealed === null ? null : decodeLogin((await this.#seal.open(sealed))?.value);
    if (login?.state !== state || login.origin !== origin || login.untilMs <= this.#clock.wallMs()) return null;
    return this.#ended.take(state, login.untilMs) ? login : null;
  }
}

const random = (bytes: number): string => randomBytes(bytes).toString('base64url');

function decodeLogin(value: unknown): BegunLogin | null {
  const { state, nonce, verifier, target, origin, untilMs } = { ...Object(value) } as Partial<BegunLogin>;
  if (typeof state !== 'string' || typeof nonce !== 'string' || typeof verifier !== 'string') return null;
  if (typeof target !== 'string' || typeof origin !== 'string' || typeof untilMs !== 'number') return null;
  return { state, nonce, verifier, target, origin, untilMs };
}
