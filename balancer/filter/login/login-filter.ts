// A request of a route with logins: it has a session, or begins a login, ends one, signs out, or is refused.
import type { Clock } from '../../../health/clock.ts';
import { removeField, setField, fieldValue, type Fields } from '../../message/fields.ts';
import type { Identity } from '../../message/identity.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { LocalReply, ResponseHead } from '../../message/response.ts';
import { claimAt, fieldText } from '../authenticate/claims.ts';
import type { ToldCallers } from '../authenticate/told-callers.ts';
import type { ExchangeEnd, Filter, Refusal, RequestVerdict } from '../filter.ts';
import type { BackChannel } from './back-channel.ts';
import type { BegunLogins, Place } from './begun-logins.ts';
import type { Callback } from './callback.ts';
import { isNavigation, isOfOwnPage } from './navigation.ts';
import type { Options } from './options.ts';
import { CookieJar, takeCookies, type OwnCookies } from './own-cookies.ts';
import type { Provider } from './provider.ts';
import type { Refreshing } from './refreshing.ts';
import type { Session } from './session.ts';
import type { KnownSession, Sessions } from './sessions.ts';
import type { SignIns } from './sign-ins.ts';

const MS = 1000;
const RETRY_AFTER_S = '5';
/** There is no registered scheme for it; programs are told what is missing. */
const CHALLENGE: Readonly<Fields> = ['www-authenticate', 'Session'];
/** A longer token would make an address that servers refuse. */
const MOST_HINT_LENGTH = 4096;

const MISSING: Refusal = {
  code: 'credentials_missing',
  detail: 'no session, and no browser that could be sent to sign in',
  fields: CHALLENGE,
};
const TWICE: Refusal = { code: 'credentials_ambiguous', detail: 'more than one cookie of a session', fields: CHALLENGE };

export interface Parts {
  readonly options: Options;
  readonly begun: BegunLogins;
  readonly provider: Provider;
  readonly sessions: Sessions;
  readonly refreshing: Refreshing;
  readonly callback: Callback;
  readonly backChannel: BackChannel;
  readonly identityOf: (session: Session) => Identity;
  readonly signIns: SignIns;
  readonly told: ToldCallers;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly count: (outcome: 'begun' | 'unavailable' | 'session_invalid' | 'session_expired' | 'signed_out') => void;
}

export class LoginFilter implements Filter {
  readonly #parts: Parts;
  readonly #secure: CookieJar;
  readonly #plain: CookieJar;
  /** Set with the answers to requests under way. */
  readonly #cookies = new WeakMap<CanonicalRequest, Fields>();
  readonly #claims: readonly (readonly [field: string, claim: string])[];
  readonly #names: { readonly consumer: string; readonly groups: string; readonly accessToken: string | null };
  readonly ownFields: readonly string[];
  /** Absent where authenticate counts callers. */
  readonly onEnd?: NonNullable<Filter['onEnd']>;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { session, forward } = parts.options;
    this.#secure = new CookieJar(session.cookie, true);
    this.#plain = new CookieJar(session.cookie, false);
    this.#claims = Object.entries(forward.claims).map(([field, claim]) => [field.toLowerCase(), claim]);
    const accessToken = forward.accessToken?.toLowerCase() ?? null;
    this.#names = { consumer: forward.consumer.toLowerCase(), groups: forward.groups.toLowerCase(), accessToken };
    const told = [this.#names.consumer, this.#names.groups, ...this.#claims.map(([field]) => field)];
    this.ownFields = accessToken === null ? told : [...told, accessToken];
    if (!parts.signIns.areDecidedLater)
      this.onEnd = ({ identity }: CanonicalRequest, { status }: ExchangeEnd): void => {
        if (identity !== null) parts.told.answered(identity, status);
      };
  }

  readonly onRequest = (request: CanonicalRequest): RequestVerdict | Promise<RequestVerdict> => {
    const { options, sessions } = this.#parts;
    const jar = this.#isSecure(request) ? this.#secure : this.#plain;
    const cookies = takeCookies(request.fields, options.session.cookie);
    const own = this.#ownPage(request, jar, cookies);
    if (own !== null) return own;
    this.#strip(request);
    const text = jar.readSession(cookies);
    if (text === undefined) return this.#refuse(TWICE);
    const known = text === null ? null : sessions.find(text);
    if (known === null) return this.#without(request, jar, cookies);
    if (!(known instanceof Promise)) return this.#with(request, known, jar, cookies);
    return known.then((later) => {
      if (later !== null) return this.#with(request, later, jar, cookies);
      this.#parts.count('session_invalid');
      return this.#without(request, jar, cookies);
    });
  };

  readonly onResponse = (request: CanonicalRequest, { fields }: ResponseHead): void => {
    const cookies = this.#cookies.get(request);
    if (cookies === undefined) return;
    fields.push(...cookies);
    // What tells a browser its session is for nobody else.
    if (/\b(?:public|s-maxage)\b/i.test(fieldValue(fields, 'cache-control') ?? '')) setField(fields, 'cache-control', 'private');
  };

  #isSecure({ scheme }: CanonicalRequest): boolean {
    const { origin } = this.#parts.options;
    return origin === null ? scheme === 'https' : origin.startsWith('https:');
  }

  #placeOf({ scheme, authority }: CanonicalRequest, jar: CookieJar, cookies: OwnCookies): Place {
    const origin = this.#parts.options.origin ?? URL.parse(`${scheme}://${authority}`)?.origin ?? '';
    return { origin, jar, cookies };
  }

  /** Null: it is a page of the service. */
  #ownPage(request: CanonicalRequest, jar: CookieJar, cookies: OwnCookies): RequestVerdict | Promise<LocalReply | Refusal> | null {
    const { callback, logout, start, backChannel } = this.#parts.options;
    const { path, method } = request;
    if (path === backChannel && method === 'POST') return this.#parts.backChannel.answer(request);
    if (path !== callback && path !== logout && path !== start) return null;
    if (method !== 'GET' && (method !== 'POST' || path !== logout)) return null;
    const place = this.#placeOf(request, jar, cookies);
    if (path === callback) return this.#parts.callback.answer(request, place);
    if (path === logout) return this.#signOut(request, place);
    const wanted = new URLSearchParams(request.query).get('to') ?? '/';
    const url = URL.parse(wanted, place.origin);
    return this.#begin(url?.origin === place.origin ? url.pathname + url.search : '/', place);
  }

  #with(request: CanonicalRequest, known: KnownSession, jar: CookieJar, cookies: OwnCookies): RequestVerdict | Promise<RequestVerdict> {
    const { sessions, refreshing } = this.#parts;
    const { session } = known;
    if (sessions.isOver(known) || jar.signedOutMs(cookies) >= session.begunMs) return this.#expired(request, jar, cookies);
    if (refreshing.isDue(session)) return this.#refreshed(request, session, jar, cookies);
    if (this.#hasNoAccess(session)) return this.#expired(request, jar, cookies);
    if (sessions.isOld(known)) return this.#write(request, session, jar, cookies).then(() => this.#admit(request, session, known.identity));
    return this.#admit(request, session, known.identity);
  }

  /** The cluster is to get an access token, and it is good for nothing any more. */
  #hasNoAccess({ accessUntilMs }: Session): boolean {
    const { options, clock } = this.#parts;
    return options.forward.accessToken !== null && accessUntilMs !== null && clock.wallMs() >= accessUntilMs;
  }

  async #refreshed(request: CanonicalRequest, session: Session, jar: CookieJar, cookies: OwnCookies): Promise<RequestVerdict> {
    const { refreshing, identityOf, clock } = this.#parts;
    const refreshed = await refreshing.refresh(session);
    if (refreshed.kind === 'refused') {
      this.#cookies.set(request, jar.dropSession(cookies));
      return this.#without(request, jar, cookies);
    }
    if (refreshed.kind === 'session') {
      await this.#write(request, refreshed.session, jar, cookies);
      return this.#admit(request, refreshed.session, identityOf(refreshed.session));
    }
    // Nobody says that the session is over; it goes on for as long as the provider last said.
    if (session.accessUntilMs !== null && clock.wallMs() < session.accessUntilMs) return this.#admit(request, session, identityOf(session));
    return this.#refuse(unavailable(refreshed.why));
  }

  async #write(request: CanonicalRequest, session: Session, jar: CookieJar, cookies: OwnCookies): Promise<void> {
    const fields = await this.#parts.sessions.write(session, jar, cookies);
    if (typeof fields !== 'string') this.#cookies.set(request, fields);
  }

  #admit(request: CanonicalRequest, session: Session, identity: Identity): RequestVerdict {
    const { options, signIns, told } = this.#parts;
    if (options.requireConsumer && identity.consumer === '')
      return this.#refuse({ code: 'access_denied', detail: 'no consumer is declared for who has signed in', fields: [] });
    const { fields } = request;
    const { consumer, groups, accessToken } = this.#names;
    request.identity = identity;
    if (identity.consumer !== '') fields.push(consumer, identity.consumer);
    if (identity.groups.length > 0) fields.push(groups, identity.groups.join(','));
    for (const [field, claim] of this.#claims) {
      const text = fieldText(claimAt(session.claims, claim));
      if (text !== null) fields.push(field, text);
    }
    if (accessToken !== null && session.accessToken !== '')
      setField(fields, accessToken, accessToken === 'authorization' ? `Bearer ${session.accessToken}` : session.accessToken);
    if (!signIns.areDecidedLater) told.outcome('login');
    return undefined;
  }

  #expired(request: CanonicalRequest, jar: CookieJar, cookies: OwnCookies): RequestVerdict | Promise<RequestVerdict> {
    this.#parts.count('session_expired');
    return this.#without(request, jar, cookies);
  }

  #without(request: CanonicalRequest, jar: CookieJar, cookies: OwnCookies): RequestVerdict | Promise<RequestVerdict> {
    const { signIns } = this.#parts;
    // HTTP/1.0 may name no host, and then there is no place to come back to.
    const canGo = isNavigation(request) && (request.authority !== '' || this.#parts.options.origin !== null);
    const signIn = (): Promise<LocalReply | Refusal> => {
      const target = request.hasQuery ? `${request.path}?${request.query}` : request.path;
      return this.#begin(target, this.#placeOf(request, jar, cookies));
    };
    if (!signIns.areDecidedLater) return canGo ? signIn() : this.#refuse(MISSING);
    if (canGo) signIns.offer(request, signIn);
    return undefined;
  }

  async #begin(target: string, place: Place): Promise<LocalReply | Refusal> {
    const { provider, begun, count } = this.#parts;
    const endpoints = await provider.endpoints();
    const fields = typeof endpoints === 'string' ? endpoints : await begun.begin(target, place, endpoints);
    if (fields === null || typeof fields === 'string') {
      count('unavailable');
      return this.#refuse(unavailable(fields ?? 'there is no key to seal the login by'));
    }
    count('begun');
    return { status: 302, fields: [...fields, 'cache-control', 'no-store'], body: '' };
  }

  async #signOut(request: CanonicalRequest, place: Place): Promise<LocalReply | Refusal> {
    const { options, sessions, provider, clock, count } = this.#parts;
    const { origin, jar, cookies } = place;
    // A link or a picture of another site must not sign anybody out.
    if (!isOfOwnPage(request, origin)) return { code: 'cross_origin', detail: 'no page of the own origin asks to sign out', fields: [] };
    const text = jar.readSession(cookies) ?? null;
    const known = text === null ? null : await sessions.find(text);
    const endpoints = await provider.endpoints();
    const after = origin + options.afterLogout;
    const location =
      typeof endpoints === 'string' || endpoints.endSession === null
        ? after
        : endOfSession(endpoints.endSession, { after, client: options.client, hint: known?.session.idToken ?? '' });
    count('signed_out');
    const ended = jar.signOut(cookies, clock.wallMs(), Math.ceil(options.session.lifetimeMs / MS));
    return { status: 303, fields: ['location', location, 'cache-control', 'no-store', ...ended], body: '' };
  }

  #refuse(refusal: Refusal): Refusal {
    const { signIns, told } = this.#parts;
    if (!signIns.areDecidedLater) told.outcome(refusal.code);
    return refusal;
  }

  /** What clients send under the names of fields that tell who calls. */
  #strip({ fields }: CanonicalRequest): void {
    for (const name of this.ownFields) {
      // Credentials of programs stand there; a session takes their place.
      if (name !== 'authorization') removeField(fields, name);
    }
  }
}

const unavailable = (detail: string): Refusal => ({
  code: 'authentication_unavailable',
  detail: `login: ${detail}`,
  fields: ['retry-after', RETRY_AFTER_S],
});

interface SignedOut {
  readonly after: string;
  readonly client: string;
  /** Empty: it is not known. */
  readonly hint: string;
}

/** OpenID Connect RP-Initiated Logout 1.0 section 2. */
function endOfSession(endpoint: string, { after, client, hint }: SignedOut): string {
  const url = new URL(endpoint);
  if (hint !== '' && hint.length <= MOST_HINT_LENGTH) url.searchParams.set('id_token_hint', hint);
  url.searchParams.set('client_id', client);
  url.searchParams.set('post_logout_redirect_uri', after);
  return url.href;
}
