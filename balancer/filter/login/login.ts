// Filter login: people sign in at a provider of OpenID Connect, and their browsers carry a sealed session.
import type { Config, RouteConfig } from '../../config/config.ts';
import { SigningSecrets } from '../authenticate/signing-secrets.ts';
import { identityOf } from '../authenticate/token-identity.ts';
import { ToldCallers } from '../authenticate/told-callers.ts';
import type { Filter, FilterDefinition, FilterEnvironment } from '../filter.ts';
import { BackChannel } from './back-channel.ts';
import { BegunLogins } from './begun-logins.ts';
import { Callback } from './callback.ts';
import { IdTokens } from './id-tokens.ts';
import { LogoutTokens } from './logout-tokens.ts';
import { LoginFilter } from './login-filter.ts';
import { completeOptions, schema, type Options } from './options.ts';
import { takeCookies } from './own-cookies.ts';
import { Persons } from './persons.ts';
import { Provider } from './provider.ts';
import { Refreshing } from './refreshing.ts';
import { readSealKeys, Seal } from './seal.ts';
import type { Session } from './session.ts';
import { EndKeys } from './session-ends.ts';
import { Sessions } from './sessions.ts';

interface OptionalPaths {
  readonly start?: string | null;
  readonly backChannel?: string | null;
}

export const login: FilterDefinition = {
  name: 'login',
  summary: 'Sends people to sign in at a provider of OpenID Connect, and knows their browsers by a session.',
  schema,
  example: '{ issuer: staff, client: shop-web, secret: { file: client.secret }, session: { keys: { file: session.keys } } }',
  answers: [
    ...(['credentials_missing', 'credentials_ambiguous', 'login_failed', 'logout_failed', 'access_denied', 'cross_origin'] as const),
    ...(['body_too_large', 'authentication_unavailable'] as const),
  ],
  notes: [
    'The way is the authorization code flow with PKCE (S256), `state` and `nonce`. A GET for a page (`accept: text/html`, `sec-fetch-mode: navigate` where it is sent) without a session gets 302 to the provider, and ' +
      'comes back to the page it asked for, of the same origin; anything else gets 401 `credentials_missing` and no redirect. Weir answers the paths `callback`, `logout` and `start` itself; a route with this login must take them.',
    'A session is a cookie, encrypted and authenticated (JWE, `dir` and `A256GCM`) by keys that all hosts have, so every worker of every host knows it and nothing is kept. It is `HttpOnly`, `SameSite=Lax` and, over https, `Secure` ' +
      'with the prefix `__Host-`; a long one is divided among up to four cookies. To change keys put a new one in front, and take the old one out when `lifetime` has passed; files are read again every 5 s. Neither ' +
      'the cluster nor the clusters of other routes of the file get to see these cookies.',
    'With `authenticate` on the same route a session is one more of its methods: with `require: any` it is enough, and who has none may show other credentials; with `all` it must be there too, for the same consumer. ' +
      'A browser that shows nothing at all is sent to sign in, unless there is an `anonymous` consumer; then `start` is the way in.',
    'The caller is known as with `authenticate` by `jwt`: consumer, groups, scopes and claims come from the ID token by the settings of the issuer, whose `audiences` and `type` are not looked at, as the ID token must be for `client`.',
    'A refresh token is used 30 s before the access token ends, once for all requests of all workers of a host, and for a minute those that still bring the one before get what came of it: a provider may ' +
      'give another one each time and take a second use for theft. Hosts of a fleet do not wait for each other, so where the clients of one session come to several of them at once the provider has to bear that. When the provider refuses, the session is over; when it does not answer, the session goes on until the access token ends, and requests ' +
      'get 503 `authentication_unavailable` from then on.',
    'Signing out drops the cookies and sends the browser to the `end_session_endpoint` of the provider. It is asked for by POST or GET, by a page of the own origin: `sec-fetch-site`, else `origin`, else `referer` must say so, as a link of another ' +
      'site carries the session too. A session that somebody has copied lives on until its time is over: what is signed out here is not kept in a list.',
    'Where the provider ends a session it says so at `backChannel` (OpenID Connect Back-Channel Logout 1.0), by a token that is checked like an ID token, holds once, and is at most ten minutes old. The session that it names by `sid`, ' +
      'else all sessions of the person, are over at once for every worker of the host, and within two seconds on all hosts of a fleet; also those that somebody has copied. It is answered when the host has it on disk, and kept for `lifetime`, ' +
      'for up to 100,000 marks, of which a logout takes two or three; hosts that were away hear of it when they are back. Give all routes with the same `client` the same `lifetime`, and the path an `addressAccess` of its own where the provider has fixed addresses.',
    'Pages that change something need [csrf](csrf.md) beside it, as pages of other hosts below the same domain count as the same site.',
  ],
  ownPaths(options) {
    const { callback, logout, start, backChannel } = options as Pick<Options, 'callback' | 'logout'> & OptionalPaths;
    const optional = Object.entries({ start, backChannel }).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    return { callback, logout, ...Object.fromEntries(optional) };
  },
  complete: (options, place) => completeOptions(options as Parameters<typeof completeOptions>[0], place),
  create: (options, environment) => createLogin(options as Options, environment),
};

function createLogin(options: Options, environment: FilterEnvironment): Filter {
  const { clock, meter, route, issuers, consumers, readSecret, signIns, flights, sessionEnds: ends } = environment;
  const issuer = issuers.get(options.issuer);
  if (issuer === null) throw new Error(`login: issuer "${options.issuer}" is not declared`);
  const { config } = issuer;
  const provider = new Provider({
    ...{ issuer: config.issuer, endpoints: options.endpoints, ca: options.ca, timeoutMs: options.timeoutMs },
    ...{ client: options.client, proof: options.proof, clock },
    readSecret: () => (options.secret === null ? null : readSecret(options.secret)),
  });
  const sealFor = sealsOf(options, config.issuer, environment);
  const knownAs = (session: Session) =>
    identityOf({ method: 'login', issuer: config, claims: session.claims, scopes: session.scopes }, consumers);
  const { lifetimeMs, idleMs } = options.session;
  const keys = new EndKeys(config.issuer, options.client);
  const sessions = new Sessions({ seal: sealFor('session'), clock, lifetimeMs, idleMs, identityOf: knownAs, ends, keys });
  const begun = new BegunLogins(sealFor('begun'), clock, options);
  const persons = new Persons(new IdTokens(issuer, options.client, clock), provider, options.userInfo);
  const count = (outcome: string): void => meter.counter('weir_logins_total', [route, outcome]).add(1);
  const { callback, requireConsumer, scopes } = options;
  const keeping = { accessToken: options.forward.accessToken !== null, refreshToken: options.refresh, scopes };
  return new LoginFilter({
    ...{ options, begun, provider, sessions, signIns, clock, count, identityOf: knownAs },
    refreshing: new Refreshing({
      provider,
      persons,
      clock,
      count,
      flights,
      seal: sealFor('refreshed'),
      scope: JSON.stringify([config.issuer, options.client]),
    }),
    backChannel: new BackChannel({ tokens: new LogoutTokens(issuer, options.client, clock), ends, keys, lifetimeMs, clock, count }),
    callback: new Callback({
      ...{ issuer: config.issuer, callback, begun, provider, persons, sessions, requireConsumer, keeping, clock, count },
      identityOf: knownAs,
    }),
    told: new ToldCallers(meter, route, consumers),
  });
}

/** Sessions of one client are nothing for another. Throws an Error that teaches when there are keys and they are none. */
function sealsOf({ session, client }: Options, issuer: string, { readSecret, clock }: FilterEnvironment): (purpose: string) => Seal {
  const secrets = new SigningSecrets(readSecret, clock);
  const text = secrets.get(session.keys);
  const keys = text === null ? [] : readSealKeys(text);
  if (typeof keys === 'string') throw new Error(`login.session.keys: ${JSON.stringify(session.keys)} cannot be used: ${keys}`);
  return (purpose) => new Seal(() => secrets.get(session.keys), JSON.stringify([purpose, issuer, client]));
}

/** Whether a provider tells a route of sessions that ended. */
export const hearsOfEnds = ({ routes }: Pick<Config, 'routes'>): boolean =>
  routes.some(({ filters }) => filters.some(({ name, options }) => name === login.name && (options as Options).backChannel !== null));

/** For all routes of a file that has logins: clusters do not get to see the sessions of other routes either. Null: there are none. */
export function concealingSessions({ routes }: Pick<Config, 'routes'>): (route: Pick<RouteConfig, 'filters'>) => Filter | null {
  const all = new Set(routes.flatMap(sessionsOf));
  if (all.size === 0) return () => null;
  return (route) => {
    const own = sessionsOf(route);
    const others = [...all].filter((name) => !own.includes(name));
    return others.length === 0 ? null : concealing(others);
  };
}

const sessionsOf = ({ filters }: Pick<RouteConfig, 'filters'>): readonly string[] =>
  filters.flatMap(({ name, options }) => (name === login.name ? [(options as Options).session.cookie] : []));

function concealing(names: readonly string[]): Filter {
  return {
    onRequest({ fields }) {
      for (const name of names) takeCookies(fields, name);
      return undefined;
    },
  };
}
