// Options of the filter login: as the file has them, and as the filter is made with them.
import { Type, type Static } from '../../schema/type.ts';
import { isInTheClear } from '../../config/addresses.ts';
import type { SecretReference } from '../../config/config.ts';
import type { OptionsPlace } from '../../config/extension.ts';
import { durationMs } from '../../config/quantities.ts';
import { choice, duration, listOf, mapping, named, optionalMapping, secretOf, valueOf } from '../../config/schema-parts.ts';
import type { Endpoints } from './provider.ts';

const text = (description: string, options: object = {}) => Type.String({ minLength: 1, maxLength: 255, description, ...options });

const endpoints = mapping(
  {
    authorization: valueOf('gateUrl', 'Where browsers are sent to sign in'),
    token: valueOf('gateUrl', 'Where codes are changed for tokens'),
    userInfo: Type.Optional(valueOf('gateUrl', 'Where it says more of people, for `userInfo: true`')),
    endSession: Type.Optional(valueOf('gateUrl', 'Where browsers are sent to sign out; absent: they stay signed in at the provider')),
  },
  'Where the provider answers; absent: its document says so, at `/.well-known/openid-configuration` behind the issuer',
);

const session = mapping(
  {
    keys: secretOf(
      'Where the keys are that seal cookies: 32 bytes in base64, one a line; the first seals, all open. The same on all hosts',
    ),
    cookie: Type.String({
      pattern: '^[A-Za-z][A-Za-z0-9_]{0,39}$',
      what: 'a name of a cookie',
      expected: 'at most 40 letters, digits and _, a letter first',
      default: 'weir_session',
      description:
        'Name of the cookie; over https it begins with `__Host-` besides. Logins of one host by different clients need different ones',
    }),
    lifetime: duration('The longest that a session lasts, at most 336h', '12h'),
    idle: duration('How long a session lasts without a request', '1h'),
  },
  'The session of a browser',
);

const forward = optionalMapping(
  {
    consumer: valueOf('fieldName', 'Field with the name of the consumer', 'x-consumer'),
    groups: valueOf('fieldName', 'Field with its groups, joined by commas', 'x-consumer-groups'),
    accessToken: Type.Optional(
      valueOf(
        'fieldName',
        'Field with the access token of the provider, in `authorization` behind the word Bearer; absent: it is thrown away. With it a session ends with its access token, unless that is refreshed',
      ),
    ),
    claims: named('fieldName', text('Claim'), {
      description: 'Fields with claims of the ID token, by the name of the field; one that no field can hold is left out',
      default: {},
    }),
  },
  'Fields that tell the cluster who calls; what clients send under these names never arrives',
);

export const schema = mapping(
  {
    issuer: valueOf('name', 'The provider, by its name under `issuers`; its keys, algorithms and claims are those of there'),
    client: text('Name by which weir is known at the provider (`client_id`)'),
    secret: Type.Optional(secretOf('Where the password of weir there is; absent: it has none (a public client)')),
    proof: choice(['basic', 'post'], 'How weir shows the secret: `client_secret_basic` or `client_secret_post`', 'basic'),
    endpoints: Type.Optional(endpoints),
    ca: Type.Optional(valueOf('file', 'PEM file with the authorities that are trusted for the provider; default: those of the system')),
    timeout: duration('For an answer of the provider; without one requests get 503', '5s'),
    scopes: listOf(valueOf('scope', 'Scope'), 'What is asked for; `offline_access` makes most providers give a refresh token', {
      default: ['openid', 'profile'],
      maxItems: 64,
    }),
    parameters: named('queryName', Type.String({ maxLength: 1024, description: 'Value' }), {
      description: 'Parameters besides, such as `prompt` or `acr_values`, with which browsers are sent to sign in',
      default: {},
    }),
    origin: Type.Optional(valueOf('origin', 'Scheme, host and port of the pages as browsers see them; absent: as the request has them')),
    callback: valueOf('path', 'Path that the provider sends browsers back to; a route with this login must take it', '/login/callback'),
    start: Type.Optional(
      valueOf('path', 'Path that begins a login whoever asks, and leads back to the page of the own origin that `to` of its query names'),
    ),
    logout: valueOf('path', 'Path that ends the session, by POST or GET from a page of the own origin', '/logout'),
    backChannel: Type.Optional(
      valueOf(
        'path',
        'Path that the provider tells by POST when a session has ended there (`backchannel_logout_uri`); it needs no session, and a route with this login must take it',
      ),
    ),
    afterLogout: valueOf('path', 'Page that browsers are sent to after that; the provider must know it', '/'),
    refresh: Type.Boolean({
      default: true,
      description:
        'Whether a refresh token is used before the access token ends, so that who is locked out at the provider is locked out here',
    }),
    userInfo: Type.Boolean({
      default: false,
      description:
        'Whether the provider is asked for claims besides those of the ID token, with each login and refresh; some have groups there only',
    }),
    requireConsumer: Type.Boolean({ default: false, description: 'Whether people whom no consumer is declared for are refused' }),
    session,
    forward,
  },
  'Options of login',
);

type File = Static<typeof schema>;

export interface Options extends Pick<File, 'issuer' | 'client' | 'scopes' | 'parameters' | 'callback' | 'logout' | 'afterLogout'> {
  readonly refresh: boolean;
  readonly userInfo: boolean;
  readonly requireConsumer: boolean;
  /** Null: a public client. */
  readonly secret: SecretReference | null;
  readonly proof: 'basic' | 'post' | 'none';
  readonly endpoints: Endpoints | null;
  readonly ca: string | null;
  readonly timeoutMs: number;
  /** Null: that of the request. */
  readonly origin: string | null;
  /** Null: there is none. */
  readonly start: string | null;
  /** Null: the provider cannot tell. */
  readonly backChannel: string | null;
  readonly session: { readonly keys: SecretReference; readonly cookie: string; readonly lifetimeMs: number; readonly idleMs: number };
  readonly forward: {
    readonly consumer: string;
    readonly groups: string;
    /** Null: nobody gets it. */
    readonly accessToken: string | null;
    readonly claims: Readonly<Record<string, string>>;
  };
}

const MOST_LIFETIME_MS = 14 * 86_400_000;
/** What weir writes itself; another value would undo a check. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['response_type', 'response_mode', 'client_id', 'client_secret', 'redirect_uri', 'scope', 'state', 'nonce'],
  ...['code_challenge', 'code_challenge_method', 'request', 'request_uri', 'id_token_hint'],
]);

/** Undefined: not all of it is said, which is reported. */
export function completeOptions(file: File, place: OptionsPlace): Options | undefined {
  reportProblems(file, place);
  const { issuer, client, scopes, parameters, callback, logout, afterLogout, refresh, userInfo, requireConsumer, forward: told } = file;
  const keys = place.secret(['session', 'keys'], file.session.keys);
  const secret = file.secret === undefined ? null : place.secret(['secret'], file.secret);
  if (keys === null || (file.secret !== undefined && secret === null)) return undefined;
  const { cookie, lifetime, idle } = file.session;
  return {
    ...{ issuer, client, scopes, parameters, callback, logout, afterLogout, refresh, userInfo, requireConsumer, secret },
    proof: secret === null ? 'none' : file.proof,
    endpoints: file.endpoints === undefined ? null : endpointsOf(file.endpoints),
    ca: file.ca === undefined ? null : place.readableFile(['ca'], file.ca),
    timeoutMs: durationMs(file.timeout),
    origin: URL.parse(file.origin ?? '')?.origin ?? null,
    start: file.start ?? null,
    backChannel: file.backChannel ?? null,
    session: { keys, cookie, lifetimeMs: durationMs(lifetime), idleMs: durationMs(idle) },
    forward: { consumer: told.consumer, groups: told.groups, accessToken: told.accessToken ?? null, claims: told.claims },
  };
}

function endpointsOf({ authorization, token, endSession, userInfo }: NonNullable<File['endpoints']>): Endpoints {
  return { authorization, token, endSession: endSession ?? null, userInfo: userInfo ?? null, namesItself: false };
}

function reportProblems(file: File, place: OptionsPlace): void {
  const { issuer, scopes, parameters, origin } = file;
  if (!place.issuers.has(issuer))
    place.report(['issuer'], `issuer "${issuer}" is not declared; expected one of issuers: ${[...place.issuers].join(', ') || 'none yet'}`);
  if (!scopes.includes('openid'))
    place.report(['scopes'], 'openid is not among them, and without it the provider does not say who signs in');
  for (const name of Object.keys(parameters))
    if (RESERVED.has(name)) place.report(['parameters', name], `${name} is what weir writes itself; leave it out`);
  if (origin !== undefined && (origin.includes('*') || !/^https?:\/\//.test(origin)))
    place.report(['origin'], `"${origin}" is not one place; expected such as https://shop.example.com`);
  for (const [name, url] of Object.entries(file.endpoints ?? {}))
    if (isInTheClear(url))
      place.report(
        ['endpoints', name],
        'codes and tokens would go there in the clear, and whoever is on the way could use them; write https://',
      );
  if (file.userInfo && file.endpoints !== undefined && file.endpoints.userInfo === undefined)
    place.report(['userInfo'], 'endpoints do not say where the provider is asked for it; expected endpoints: { userInfo: … } too');
  reportPaths(file, place);
  const { lifetime, idle } = file.session;
  if (durationMs(lifetime) > MOST_LIFETIME_MS)
    place.report(['session', 'lifetime'], 'is more than 336h; a browser that was lost would be signed in for so long');
  if (durationMs(idle) > durationMs(lifetime))
    place.report(['session', 'idle'], 'is longer than lifetime, so it would never end a session');
}

function reportPaths({ callback, start, logout, backChannel, afterLogout }: File, place: OptionsPlace): void {
  const taken = new Map([[callback, 'callback']]);
  for (const [key, path] of [
    ['start', start],
    ['logout', logout],
    ['backChannel', backChannel],
  ] as const) {
    if (path === undefined) continue;
    const other = taken.get(path);
    if (other !== undefined) place.report([key], `is the path of ${other} too; expected one of its own`);
    taken.set(path, key);
  }
  const answered = taken.get(afterLogout);
  if (answered !== undefined) place.report(['afterLogout'], `is the path of ${answered}, which would answer it; expected a page`);
}
