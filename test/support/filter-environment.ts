// What a filter is made with, of which a test names only what matters to it.
import { systemClock } from '../../health/clock.ts';
import type { Fields } from '../../balancer/message/fields.ts';
import type { IssuerConfig } from '../../balancer/config/issuer-config.ts';
import type { ConsumerConfig } from '../../balancer/config/consumer-config.ts';
import { Consumers } from '../../balancer/filter/authenticate/consumers.ts';
import type { Allowances } from '../../balancer/filter/rate-limit/allowances.ts';
import type { Slots } from '../../balancer/filter/rate-limit/slots.ts';
import { ResponseStore } from '../../balancer/filter/cache/response-store.ts';
import { Issuers } from '../../balancer/filter/authenticate/issuers.ts';
import type { FetchedKeySets } from '../../balancer/filter/authenticate/key-set.ts';
import type { FilterEnvironment } from '../../balancer/filter/filter.ts';
import type { OneTimeUses } from '../../balancer/filter/authenticate/one-time-use.ts';
import { UsedOnce } from '../../balancer/filter/authenticate/used-once.ts';
import type { HostFlights } from '../../balancer/filter/login/host-flights.ts';
import type { SessionEnds } from '../../balancer/filter/login/session-ends.ts';
import { SignIns } from '../../balancer/filter/login/sign-ins.ts';
import type { SharedEnvironment } from '../../balancer/worker/shared-with-host.ts';
import { Meter } from '../../balancer/telemetry/meter.ts';
import { seededRandom } from './seeded-random.ts';

/** Nothing is ever fetched. */
export const NO_KEY_SETS: FetchedKeySets = { get: () => null, renew: () => Promise.resolve() };

/** The issuer of examples. */
const STAFF: IssuerConfig = {
  ...{ name: 'staff', issuer: 'https://login.example', audiences: [], algorithms: ['ES256'], leewayMs: 0, type: null },
  ...{ keys: { kind: 'url', url: 'https://login.example/keys', ca: null }, consumerClaim: 'sub', scopeClaim: 'scope', groupsClaim: null },
};

/** Whatever is asked may pass. */
export const NO_LIMITS: Allowances = { take: () => ({ verdict: 'pass', remaining: 1, resetMs: 1000 }), charge: () => undefined };

/** There is no other worker. */
export const ALONE_IN_FLIGHT: HostFlights = { fly: (_key, work) => work().then(({ text }) => text) };

/** Nobody has ended anything, and nobody could keep it. */
export const NO_ENDS: SessionEnds = { endedMs: () => -Infinity, end: () => Promise.resolve('away') };

/** What this worker knows decides, as if there were no other. */
export function aloneInUse(): OneTimeUses {
  const used = new UsedOnce(systemClock);
  return { use: ({ key, untilMs }) => (used.take(key, untilMs) ? 'first' : 'repeated') };
}

export const NO_SLOTS: Slots = { acquire: () => ({ verdict: 'pass', remaining: 1, resetMs: 0 }), release: () => undefined };

/** A worker without a host around it. */
export const NOTHING_SHARED: SharedEnvironment = {
  keySets: NO_KEY_SETS,
  allowances: NO_LIMITS,
  slots: NO_SLOTS,
  flights: ALONE_IN_FLIGHT,
  sessionEnds: NO_ENDS,
  oneTimeUses: aloneInUse(),
};

export function aFilterEnvironment(facts: Partial<FilterEnvironment> = {}): FilterEnvironment {
  return {
    clock: systemClock,
    random: seededRandom(1),
    consumers: new Consumers([], null),
    issuers: new Issuers([STAFF], { keySets: NO_KEY_SETS, clock: systemClock, readSecret: () => null }, null),
    limits: {},
    placeOf: () => null,
    allowances: NO_LIMITS,
    slots: NO_SLOTS,
    flights: ALONE_IN_FLIGHT,
    sessionEnds: NO_ENDS,
    oneTimeUses: aloneInUse(),
    readSecret: () => null,
    meter: new Meter(),
    stores: { invalidate: () => undefined },
    openStore: (maxBytes) => new ResponseStore(maxBytes),
    signIns: new SignIns([]),
    route: 'shop',
    ...facts,
  };
}

/** A consumer of whom a test names only what matters to it. */
export function aConsumer(name: string, facts: Partial<ConsumerConfig> = {}): ConsumerConfig {
  return {
    name,
    groups: [],
    scopes: [],
    tags: [],
    plan: '',
    keys: [],
    passwords: [],
    signingKeys: [],
    subjects: [],
    certificates: [],
    ...facts,
  };
}

/** A listing of fields as a mapping. */
export const asRecord = (fields: Readonly<Fields>): Readonly<Record<string, string>> =>
  Object.fromEntries(fields.flatMap((name, index) => (index % 2 === 0 ? [[name, fields[index + 1] ?? '']] : [])));
