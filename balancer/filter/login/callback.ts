// The end of a login: a browser comes back with a code, which is changed for tokens; where all of it is right, a session begins.
import type { Clock } from '../../../health/clock.ts';
import type { Fields } from '../../message/fields.ts';
import type { Identity } from '../../message/identity.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { LocalReply } from '../../message/response.ts';
import type { Refusal } from '../filter.ts';
import type { BegunLogin, BegunLogins, Place } from './begun-logins.ts';
import type { Persons } from './persons.ts';
import { providerError, type Endpoints, type Provider, type Tokens } from './provider.ts';
import { beginSession, type Keeping, type Session } from './session.ts';
import type { Sessions } from './sessions.ts';

const MOST_CODE_LENGTH = 4096;

export type LoginOutcome = 'completed' | 'denied' | 'failed' | 'unavailable';

export interface CallbackOptions {
  readonly issuer: string;
  readonly callback: string;
  readonly begun: BegunLogins;
  readonly provider: Provider;
  readonly persons: Persons;
  readonly sessions: Sessions;
  readonly identityOf: (session: Session) => Identity;
  readonly requireConsumer: boolean;
  readonly keeping: Keeping;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly count: (outcome: LoginOutcome) => void;
}

/** Why there is no session. */
interface Failed {
  readonly code: 'login_failed' | 'access_denied' | 'authentication_unavailable';
  readonly outcome: LoginOutcome;
  readonly detail: string;
}

const failed = (detail: string): Failed => ({ code: 'login_failed', outcome: 'failed', detail });
const unavailable = (detail: string): Failed => ({ code: 'authentication_unavailable', outcome: 'unavailable', detail });

export class Callback {
  readonly #options: CallbackOptions;

  constructor(options: CallbackOptions) {
    this.#options = options;
  }

  async answer({ query }: CanonicalRequest, place: Place): Promise<LocalReply | Refusal> {
    const { begun, count } = this.#options;
    const said = new URLSearchParams(query);
    const state = only(said, 'state') ?? '';
    const login = await begun.end(state, place);
    // Its cookie is of no more use, whatever comes of it.
    const dropped = place.cookies.has(place.jar.login(state)) ? place.jar.drop(place.jar.login(state)) : [];
    if (login === null) return this.#withoutLogin(place, dropped);
    const session = await this.#sessionOf(login, said);
    const written = 'outcome' in session ? session : await this.#written(session, place);
    if ('outcome' in written) {
      count(written.outcome);
      return { code: written.code, detail: written.detail, fields: dropped };
    }
    count('completed');
    const location = ['location', login.origin + login.target, 'cache-control', 'no-store'];
    return { status: 303, fields: [...location, ...dropped, ...written.fields], body: '' };
  }

  /** Somebody went back in the history, or waited too long, or was sent here with the answer of another browser. */
  async #withoutLogin({ origin, jar, cookies }: Place, dropped: Fields): Promise<LocalReply | Refusal> {
    const { sessions, count } = this.#options;
    const text = jar.readSession(cookies) ?? null;
    const known = text === null ? null : await sessions.find(text);
    if (known !== null && !sessions.isOver(known))
      return { status: 303, fields: ['location', `${origin}/`, 'cache-control', 'no-store', ...dropped], body: '' };
    count('failed');
    return { code: 'login_failed', detail: 'this browser has begun no such login, or too long ago, or has ended it', fields: dropped };
  }

  async #sessionOf(login: BegunLogin, said: URLSearchParams): Promise<Session | Failed> {
    const { provider, issuer, persons, keeping, clock } = this.#options;
    const endpoints = await provider.endpoints();
    if (typeof endpoints === 'string') return unavailable(endpoints);
    const named = said.has('iss') ? only(said, 'iss') : null;
    // The answer of another provider that the browser was led to (RFC 9207).
    if (said.has('iss') || endpoints.namesItself ? named !== issuer : false) return failed('the answer is not of the provider');
    if (said.has('error')) return { ...failed(`the provider says ${providerError(said.get('error'))}`), outcome: 'denied' };
    const code = only(said, 'code') ?? '';
    if (code === '' || code.length > MOST_CODE_LENGTH) return failed('the answer has no code');
    const tokens = await this.#exchange(endpoints, login, code);
    if ('outcome' in tokens) return tokens;
    const person = await persons.of(endpoints, tokens, { nonce: login.nonce, before: null });
    if ('kind' in person) return person.kind === 'away' ? unavailable(person.why) : failed(person.why);
    return beginSession(tokens, person, keeping, clock.wallMs());
  }

  async #exchange(endpoints: Endpoints, { verifier, origin }: BegunLogin, code: string): Promise<Tokens | Failed> {
    const { provider, callback } = this.#options;
    const grant = { grant_type: 'authorization_code', code, redirect_uri: origin + callback, code_verifier: verifier };
    const given = await provider.tokens(endpoints, grant);
    if (given.kind === 'away') return unavailable(given.why);
    if (given.kind === 'refused') return failed(given.why);
    return given.tokens.idToken === '' ? failed('the answer of the provider has no ID token') : given.tokens;
  }

  async #written(session: Session, { jar, cookies }: Place): Promise<{ readonly fields: Fields } | Failed> {
    const { sessions, requireConsumer, identityOf } = this.#options;
    if (requireConsumer && identityOf(session).consumer === '')
      return { code: 'access_denied', outcome: 'denied', detail: 'no consumer is declared for who has signed in' };
    const fields = await sessions.write(session, jar, cookies);
    return typeof fields === 'string' ? failed(fields) : { fields: [...fields, ...jar.forgetSignOut(cookies)] };
  }
}

/** Null: it is not there, or more than once. */
function only(said: URLSearchParams, name: string): string | null {
  const values = said.getAll(name);
  return values.length === 1 ? (values[0] ?? null) : null;
}
