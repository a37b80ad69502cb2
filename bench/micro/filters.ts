// Micro bench of filters: what each of them costs a request and its response, beside copying the fields it is given.
import { headers } from '../../balancer/filter/headers.ts';
import { hash } from 'node:crypto';
import type { ConsumerConfig } from '../../balancer/config/consumer-config.ts';
import { authenticate } from '../../balancer/filter/authenticate/authenticate.ts';
import { Consumers } from '../../balancer/filter/authenticate/consumers.ts';
import type { LimitConfig } from '../../balancer/config/limit-config.ts';
import { rateLimit } from '../../balancer/filter/rate-limit/rate-limit.ts';
import { HeldAllowances } from '../../balancer/worker/held-allowances.ts';
import { Issuers } from '../../balancer/filter/authenticate/issuers.ts';
import type { Filter, FilterEnvironment } from '../../balancer/filter/filter.ts';
import { systemClock } from '../../health/clock.ts';
import { Meter } from '../../balancer/telemetry/meter.ts';
import { requestId } from '../../balancer/filter/request-id.ts';
import type { CanonicalRequest } from '../../balancer/message/request.ts';
import type { MicroCase, MicroSubject } from './harness.ts';

const FIELDS = ['user-agent', 'curl/8.5.0', 'accept', '*/*', 'accept-encoding', 'gzip', 'cookie', 'session=1', 'x-internal', 'yes'];
const RESPONSE_FIELDS = ['content-type', 'text/plain', 'server', 'origin', 'cache-control', 'no-store'];

const KEY = 'acme_1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
const CALLER: ConsumerConfig = {
  ...{ name: 'acme', groups: ['partners'], scopes: ['orders:read'], passwords: [], subjects: [], certificates: [] },
  keys: [{ id: 'acme_1', hash: hash('sha256', KEY), expiresMs: null, from: [], scopes: [] }],
};

const LIMIT: LimitConfig = {
  ...{ name: 'all', by: [{ kind: 'address' }], algorithm: 'sliding', limit: 1_000_000_000, windowMs: 60_000, burst: 1 },
  ...{ onUnavailable: 'local', shadow: false, fleet: null, exemptConsumers: [], exemptAddresses: [], headers: 'draft-11' },
};

const newRequest = (): CanonicalRequest => ({
  ...{ method: 'GET', scheme: 'http', host: 'shop.example.com', authority: 'shop.example.com', path: '/', query: '', hasQuery: false },
  ...{
    version: '1.1',
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
  fields: [],
});

/** Fresh fields each time, as every request has its own; the first case does nothing else. */
function filtering(name: string, filter: Filter, more: readonly string[] = []): MicroCase {
  const sent = [...FIELDS, ...more];
  const request = newRequest();
  const response = { status: 200, fields: new Array<string>() };
  return {
    name,
    run: (iterations) => {
      let total = 0;
      for (let turn = 0; turn < iterations; turn += 1) {
        request.fields = sent.slice();
        response.fields = RESPONSE_FIELDS.slice();
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
  { limit: 'all', key: '192.0.2.1', granted: 2e9, remaining: 1e9, resetMs: 3_600_000, validMs: 3_600_000, isAway: false },
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
  limits: { all: LIMIT },
  allowances: ALLOWANCES,
  route: 'shop',
};

const byKey = {
  require: 'any',
  forward: { consumer: 'x-consumer', groups: 'x-consumer-groups' },
  key: { header: 'x-api-key', forward: false },
};

const edits = {
  request: { set: { 'x-edge': 'bench' }, add: {}, remove: ['x-internal'] },
  response: { set: {}, add: { 'x-served-by': 'bench' }, remove: ['server'] },
};

export const filters: MicroSubject = {
  name: 'filters',
  summary: 'the filters of a route on one request and its response',
  cases: () => [
    filtering('none', {}),
    filtering('requestId', requestId.create({ header: 'x-request-id' }, environment)),
    filtering('authenticate, key', authenticate.create(byKey, environment), ['x-api-key', KEY]),
    filtering('rateLimit, by address', rateLimit.create({ limits: ['all'] }, environment)),
    filtering('headers, 4 edits', headers.create(edits, environment)),
  ],
};
