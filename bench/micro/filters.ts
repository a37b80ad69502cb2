// Micro bench of filters: what each of them costs a request and its response, with the options of its page, beside copying the fields it is given.
import { hash } from 'node:crypto';
import type { ConsumerConfig } from '../../balancer/config/consumer-config.ts';
import { Consumers } from '../../balancer/filter/authenticate/consumers.ts';
import type { LimitConfig } from '../../balancer/config/limit-config.ts';
import { loadConfig } from '../../balancer/config/load.ts';
import { EXTENSIONS } from '../../balancer/registries.ts';
import { ResponseStore } from '../../balancer/filter/cache/response-store.ts';
import { FILTERS } from '../../balancer/filter/registry.ts';
import { HeldAllowances } from '../../balancer/worker/held-allowances.ts';
import { Issuers } from '../../balancer/filter/authenticate/issuers.ts';
import { SignIns } from '../../balancer/filter/login/sign-ins.ts';
import type { Filter, FilterEnvironment } from '../../balancer/filter/filter.ts';
import { systemClock } from '../../health/clock.ts';
import { Meter } from '../../balancer/telemetry/meter.ts';
import type { CanonicalRequest } from '../../balancer/message/request.ts';
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
function filtering(name: string, filter: Filter, more: readonly string[] = []): MicroCase {
  const sent = [...FIELDS, ...more];
  return {
    name,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) {
        const request = newRequest(sent.slice());
        const response = { status: 200, fields: RESPONSE_FIELDS.slice() };
        void filter.onRequest?.(request);
        filter.onResponse?.(request, response);
        total += request.fields.length + response.fields.length;
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

const environment: FilterEnvironment = {
  clock: systemClock,
  random: Math.random,
  consumers: new Consumers([CALLER], null),
  issuers: new Issuers(
    [],
    { keySets: { get: () => null, renew: () => Promise.resolve() }, clock: systemClock, readSecret: () => null },
    null,
  ),
  readSecret: () => null,
  meter: new Meter(),
  limits: { 'by-address': LIMIT },
  placeOf: () => ({ country: 'DE', subdivisions: [], continent: 'EU' }),
  allowances: ALLOWANCES,
  slots: { acquire: () => ({ verdict: 'pass', remaining: 1, resetMs: 0 }), release: () => undefined },
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
limits: { by-address: { by: [address], allow: 100 } }
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

const created = (name: string, written: string): Filter => {
  const definition = FILTERS.find((one) => one.name === name);
  if (definition === undefined) throw new Error(`there is no filter ${name}`);
  return definition.create(optionsOf(name, written), environment);
};

export const filters: MicroSubject = {
  name: 'filters',
  summary: 'the filters of a route on one request and its response',
  cases: () => [
    filtering('none', {}),
    ...USUAL.map(([name, written, fields]) => filtering(`${name} ${written}`, created(name, written), fields)),
    ...FILTERS.map(({ name, example }) => filtering(`${name}, as on its page`, created(name, example))),
  ],
};
