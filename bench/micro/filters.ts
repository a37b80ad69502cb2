// Micro bench of filters: what each of them costs a request and its response, with the options of its page, beside copying the fields it is given.
import { hash } from 'node:crypto';
import type { ConsumerConfig } from '../../balancer/config/consumer-config.ts';
import { Consumers } from '../../balancer/filter/authenticate/consumers.ts';
import type { IssuerConfig } from '../../balancer/config/issuer-config.ts';
import type { LimitConfig } from '../../balancer/config/limit-config.ts';
import { loadConfig } from '../../balancer/config/load.ts';
import { EXTENSIONS } from '../../balancer/registries.ts';
import { ResponseStore } from '../../balancer/filter/cache/response-store.ts';
import { FILTERS } from '../../balancer/filter/registry.ts';
import { HeldSlots } from '../../balancer/worker/held-slots.ts';
import type { Identity } from '../../balancer/message/identity.ts';
import { HeldAllowances } from '../../balancer/worker/held-allowances.ts';
import { Issuers } from '../../balancer/filter/authenticate/issuers.ts';
import { SignIns } from '../../balancer/filter/login/sign-ins.ts';
import type { Filter, FilterEnvironment } from '../../balancer/filter/filter.ts';
import { systemClock } from '../../health/clock.ts';
import { Meter } from '../../balancer/telemetry/meter.ts';
import type { CanonicalRequest } from '../../balancer/message/request.ts';
import { sessionCookie } from './login-session.ts';
import { hitting, signedToken } from './repeated.ts';
import type { MicroCase, MicroSubject } from './harness.ts';

const FIELDS = ['user-agent', 'curl/8.5.0', 'accept', '*/*', 'accept-encoding', 'gzip', 'cookie', 'session=1', 'x-internal', 'yes'];
const RESPONSE_FIELDS = ['content-type', 'text/plain', 'server', 'origin', 'cache-control', 'no-store'];

const KEY = 'acme_1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
const CALLER: ConsumerConfig = {
  ...{
    name: 'acme',
    groups: ['partners'],
    scopes: ['orders:read'],
    plan: '',
    passwords: [],
    signingKeys: [],
    subjects: [],
    certificates: [],
    tags: [],
  },
  keys: [{ id: 'acme_1', hash: hash('sha256', KEY), expiresMs: null, from: [], scopes: [] }],
};

const LIMIT: LimitConfig = {
  ...{ name: 'by-address', by: [{ kind: 'address' }], algorithm: 'sliding', limit: 1_000_000_000, windowMs: 60_000, burst: 1 },
  ...{ calendar: null, ofPlans: {}, plan: '' },
  ...{ onUnavailable: 'local', shadow: false, fleet: null, exemptConsumers: [], exemptAddresses: [], headers: 'draft-11' },
};

const newRequest = (fields: string[]): CanonicalRequest => ({
  ...{ method: 'GET', scheme: 'http', host: 'shop.example.com', authority: 'shop.example.com', path: '/', query: '', hasQuery: false },
  ...{
    version: '1.1',
    bodyLength: 0,
    pathDoubts: 0,
    otherMethods: [],
    acceptsTrailers: false,
    serverName: '',
    clientCertificate: null,
    clientAddress: '192.0.2.1',
    peerAddress: '192.0.2.1',
    peerTrusted: false,
    listener: 'web',
  },
  requestId: '0123456789abcdef',
  identity: null,
  rewritten: null,
  fields,
});

/** A fresh request each time; the first case does nothing else. */
function filtering(name: string, filter: Filter, more: readonly string[] = [], identity: Identity | null = null): MicroCase {
  const sent = [...FIELDS, ...more];
  return {
    name,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) {
        const request = newRequest(sent.slice());
        request.identity = identity;
        const response = { status: 200, fields: RESPONSE_FIELDS.slice() };
        void filter.onRequest?.(request);
        filter.onResponse?.(request, response);
        filter.onEnd?.(request, { status: 200, durationMs: 1 });
        total += request.fields.length + response.fields.length;
      }
      return total;
    },
  };
}

const ORDER = Buffer.from(
  JSON.stringify({ id: 4711, customer: { name: 'Anna', card: '4111111111111111' }, items: [{ sku: 'a', cost: 3 }] }),
);

/** The body of a response, in one piece; its bytes are copied by the first case too. */
function changing(name: string, filter: Filter): MicroCase {
  return {
    name,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) {
        const request = newRequest(FIELDS.slice());
        const response = { status: 200, fields: ['content-type', 'application/json'], bodyLength: ORDER.length };
        void filter.onRequest?.(request);
        filter.onResponse?.(request, response);
        const body = filter.onResponseBody?.(request, response) ?? null;
        total += body === null ? 0 : body.push(ORDER).length + body.end([]).bytes.length;
        filter.onEnd?.(request, { status: 200, durationMs: 1 });
      }
      return total;
    },
  };
}

/** Always with plenty in hand. */
const ALLOWANCES = new HeldAllowances({ clock: systemClock, isUp: () => true, ask: () => undefined, workers: () => 1 });
void ALLOWANCES.take(LIMIT, '192.0.2.1');
ALLOWANCES.receive([
  { limit: 'by-address', key: '192.0.2.1', granted: 2e9, remaining: 1e9, resetMs: 3_600_000, validMs: 3_600_000, isAway: false },
]);

const AT_ONCE: LimitConfig = { ...LIMIT, name: 'at-once', by: [{ kind: 'consumer' }], algorithm: 'concurrency', windowMs: 0 };

/** With slots in hand. */
const SLOTS = new HeldSlots({ clock: systemClock, isUp: () => true, tell: () => undefined, workers: () => 1 });
void SLOTS.acquire(AT_ONCE, '=acme');
SLOTS.receive([{ limit: 'at-once', key: '=acme', granted: 1000, remaining: 1000 }]);

const IDENTITY: Identity = {
  ...{ consumer: 'acme', method: 'jwt', credential: '', groups: ['partners'], scopes: ['orders:read'] },
  claims: { sub: 'acme', tier: 'gold', realm: { roles: ['clerk', 'boss'] } },
};

const STAFF: IssuerConfig = {
  ...{ name: 'staff', issuer: 'https://login.example', audiences: [], algorithms: ['ES256'], leewayMs: 0, type: null },
  ...{ keys: { kind: 'url', url: 'https://login.example/keys', ca: null }, consumerClaim: 'sub', scopeClaim: 'scope', groupsClaim: null },
};

const environment: FilterEnvironment = {
  clock: systemClock,
  random: Math.random,
  consumers: new Consumers([CALLER], null),
  issuers: new Issuers(
    [STAFF],
    { keySets: { get: () => null, renew: () => Promise.resolve() }, clock: systemClock, readSecret: () => null },
    null,
  ),
  readSecret: () => Buffer.alloc(32, 7).toString('base64'),
  meter: new Meter(),
  limits: { 'by-address': LIMIT, 'at-once': AT_ONCE },
  placeOf: () => ({ country: 'DE', subdivisions: [], continent: 'EU' }),
  allowances: ALLOWANCES,
  slots: SLOTS,
  oneTimeUses: { use: () => 'first' },
  sessionEnds: { endedMs: () => -Infinity, end: () => Promise.resolve('away') },
  flights: { fly: (_key, work) => work().then(({ text }) => text) },
  stores: { invalidate: () => undefined },
  openStore: (maxBytes) => new ResponseStore(maxBytes),
  signIns: new SignIns([]),
  route: 'shop',
};

const CONFIG = `version: 1
listeners: { web: { bind: "127.0.0.1:8080" } }
clusters: { one: { endpoints: ["http://127.0.0.1:9001"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
consumers: { acme: {} }
limits: { by-address: { by: [address], allow: 100 }, at-once: { by: [consumer], allow: 100, algorithm: concurrency } }
issuers: { staff: { issuer: "https://login.example", keys: { url: "https://login.example/keys" } } }
clientLocations: { database: locations.mmdb }
routes:
  - { service: shop, filters: [FILTER] }
`;

/** Options as a worker gets them, from what stands in a file. */
function optionsOf(name: string, written: string): unknown {
  const source = { file: 'bench.yaml', text: CONFIG.replace('FILTER', `{ ${name}: ${written} }`) };
  const loaded = loadConfig(source, EXTENSIONS, { cores: 1, hostName: 'bench', readable: () => true });
  if (!loaded.ok) throw new Error(`the options of ${name} are wrong: ${loaded.problems[0]?.message ?? ''}`);
  return loaded.config.routes[0]?.filters[0]?.options;
}

/** What one filter alone is asked most, beside its example: a key that fits, a limit with something left, four edits. */
const USUAL: readonly (readonly [name: string, written: string, fields: readonly string[]])[] = [
  ['authenticate', '{ key: {} }', ['x-api-key', KEY]],
  ['addressLimit', '{ limits: [by-address] }', []],
  [
    'headers',
    '{ request: { set: { x-edge: bench }, remove: [x-internal] }, response: { add: { x-served-by: bench }, remove: [server] } }',
    [],
  ],
];

const CONDITION = 'claims.tier == "gold" && request.method == "GET" && "boss" in claims.realm.roles';

const created = (name: string, written: string, facts: Partial<FilterEnvironment> = {}): Filter => {
  const definition = FILTERS.find((one) => one.name === name);
  if (definition === undefined) throw new Error(`there is no filter ${name}`);
  return definition.create(optionsOf(name, written), { ...environment, ...facts });
};

/** Somebody who has signed in: the session was opened with the request before. */
async function signedIn(): Promise<MicroCase> {
  const login = created('login', '{ issuer: staff, client: shop-web, session: { keys: { env: SESSION_KEYS } } }');
  const cookie = await sessionCookie('shop-web', STAFF.issuer, environment);
  const opened = newRequest(['cookie', cookie]);
  await login.onRequest?.(opened);
  if (opened.identity === null) throw new Error('the session of the bench is none');
  return filtering(`login, a session in a cookie of ${cookie.length} bytes`, login, ['cookie', cookie]);
}

/** Somebody whose token was checked with the request before. */
async function checkedBefore(): Promise<MicroCase> {
  const { issuers, token } = signedToken(STAFF, environment);
  const jwt = created('authenticate', '{ jwt: { issuers: [staff] } }', { issuers });
  const first = newRequest(['authorization', `Bearer ${token}`]);
  if ((await jwt.onRequest?.(first)) !== undefined || first.identity === null) throw new Error('the token of the bench is none');
  return filtering(`authenticate, a JWT of ${token.length} bytes that was checked before`, jwt, ['authorization', `Bearer ${token}`]);
}

const aHit = (bytes: number): MicroCase => hitting(created('cache', '{}'), bytes, () => newRequest(FIELDS.slice()));

export const filters: MicroSubject = {
  name: 'filters',
  summary: 'the filters of a route on one request and its response',
  cases: () => [
    filtering('none', {}),
    ...USUAL.map(([name, written, fields]) => filtering(`${name} ${written}`, created(name, written), fields)),
    filtering(`authorize, ${CONDITION}`, created('authorize', `{ rules: [{ when: '${CONDITION}' }] }`), [], IDENTITY),
    filtering(
      'authorize, groups and scopes',
      created('authorize', '{ rules: [{ groups: [partners], scopes: [orders:read] }] }'),
      [],
      IDENTITY,
    ),
    filtering('rateLimit, requests at once', created('rateLimit', '{ limits: [at-once] }'), [], IDENTITY),
    changing(`jsonBody, a mask in a response of ${ORDER.length} bytes`, created('jsonBody', '{ response: { mask: [/customer/card] } }')),
    ...FILTERS.map(({ name, example }) => filtering(`${name}, as on its page`, created(name, example))),
  ],
  laterCases: async () => [await signedIn(), await checkedBefore(), aHit(100), aHit(100_000)],
};
