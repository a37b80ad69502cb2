// How a fleet scales: so many hosts with the real link to their fleet, on a ledger in memory behind a network with delays and losses, under a virtual clock.
// `npm run endure -- scale --hosts 500 --services 5000` tells what Redis has to do for each, how soon all serve a shift, and what a reconnect of all costs.
// `--redis` asks a real redis-server in real time in its place, to hold the counts of bytes against what it counts itself.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { parseArgs } from 'node:util';
import { pause, systemClock, type Clock, type Random } from '../../health/clock.ts';
import { toldDemand } from '../../balancer/controller/fleet/demand.ts';
import { FleetLink } from '../../balancer/controller/fleet/fleet-link.ts';
import type { HostDemand, Presence } from '../../balancer/controller/fleet/presence.ts';
import { IntentKeeper } from '../../balancer/controller/intent-keeper.ts';
import { diffIntent } from '../../balancer/intent/diff.ts';
import type { Intent } from '../../balancer/intent/intent.ts';
import { chainRevision } from '../../balancer/intent/revision.ts';
import { AloneLedger } from '../../balancer/store/alone-ledger.ts';
import { EMPTY_HEAD, type Ledger } from '../../balancer/store/ledger.ts';
import { RedisLedger } from '../../balancer/store/redis/redis-ledger.ts';
import { Seal } from '../../balancer/store/seal.ts';
import type { StoredRevision } from '../../balancer/store/store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { meteredLedger, type Network, type Traffic } from '../support/metered-ledger.ts';
import { startRedis } from '../support/redis-server.ts';
import { seededRandom } from '../support/seeded-random.ts';

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    hosts: { type: 'string', default: '500' },
    services: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '30' },
    redis: { type: 'boolean', default: false },
  },
});
const [HOSTS, SERVICES, SECONDS] = [Number(values.hosts), Number(values.services), Number(values.seconds)];
const CLUSTERS = 200;
assert.ok(HOSTS > 1 && SERVICES > 0 && SECONDS > 0, 'expected --hosts N, --services N, --seconds N');

/** Both ways together between continents, at the median; and what of questions and of answers is lost. */
const ROUND_TRIP_MS = 40;
const LOST = 0.002;
/** From the revision to the acknowledgement of the workers: the plan of the largest fleet here, and its way to them. */
const SERVE_MS = 250;

const pad = (number: number): string => String(number).padStart(4, '0');

function beginning(): StoredRevision {
  const weights = { blue: { 'eu-west-1': 70, 'us-east-1': 30 }, green: { 'us-east-1': 100 } };
  const split = { blue: 900_000, green: 100_000 };
  const service = { split, splitSeed: split, clusterWeights: weights, clusterWeightsSeed: weights, routes: ['front'] };
  const intent: Intent = {
    revision: 1,
    services: Object.fromEntries(Array.from({ length: SERVICES }, (_, index) => [`service-${pad(index)}`, service])),
    clusters: Object.fromEntries(Array.from({ length: CLUSTERS }, (_, index) => [`c${pad(index)}`, { admin: 'active', dialPercent: 100 }])),
  };
  const draft = { revision: 1, at: '2026-01-01T00:00:00.000Z', author: { name: 'weir', how: 'config file' }, source: 'config' as const };
  return { intent, record: chainRevision({ ...draft, reason: '', change: null, touched: [], undoes: null }, null) };
}

class Host {
  readonly keeper: IntentKeeper;
  readonly link: FleetLink;
  readonly network: Network;
  readonly #name: string;
  #served = 1;

  constructor(name: string, ledger: Ledger, network: Network, first: StoredRevision) {
    this.#name = name;
    this.network = network;
    const { clock, random } = network;
    const store = new MemoryStore(first);
    const metered = meteredLedger(ledger, network);
    this.keeper = new IntentKeeper(store, metered, clock);
    this.link = new FleetLink({
      ...{ ledger: metered, keeper: this.keeper, store, clock, random, id: `id-of-${name}`, instance: name, fleet: 'weir' },
      describe: () => this.#describe(),
      demand: () => demandOf(random),
      count: () => ({}),
      onCounted: () => undefined,
      onFollowed: async () => {
        await pause(clock, SERVE_MS);
        this.#served = this.keeper.intent.revision;
      },
      tell: () => undefined,
      onReached: () => undefined,
    });
  }

  get served(): number {
    return this.#served;
  }

  /** For the host that makes the change itself. */
  serveAll(): void {
    this.#served = this.keeper.intent.revision;
  }

  #describe(): Omit<Presence, 'leads' | 'skewMs'> {
    const { revision } = this.keeper.intent;
    return {
      name: this.#name,
      place: `${this.#name}.example:/var/lib/weir`,
      version: '0.1.0',
      startedAt: '2026-01-01T00:00:00.000Z',
      revision,
      servedRevision: this.#served,
      problem: null,
      configHash: 'f'.repeat(64),
      generation: 12,
      plan: 34_567,
      workers: 8,
      workersReady: 8,
      laggards: [],
      localFields: [],
    };
  }
}

function demandOf(random: Random): HostDemand {
  const demand = Object.fromEntries(Array.from({ length: SERVICES }, (_, index) => [`service-${pad(index)}`, random() * 100]));
  return toldDemand({ demand, assigned: {}, classDemand: {}, regionDemand: {} });
}

interface Fleet {
  readonly clock: Clock;
  readonly hosts: readonly Host[];
  readonly traffic: Traffic;
  readonly elapse: (ms: number) => Promise<void>;
}

async function startFleet(t: TestContext, first: StoredRevision): Promise<Fleet> {
  const manual = values.redis ? null : new ManualClock();
  const clock = manual ?? systemClock;
  const random = seededRandom(1);
  const traffic: Traffic = { operations: 0, bytesIn: 0, bytesOut: 0 };
  const open = values.redis ? await redisLedgers(t, clock, first) : inMemory(first, clock);
  // Log-normal, as round trips between places are.
  const delayMs = (): number => (values.redis ? 0 : (ROUND_TRIP_MS / 2) * Math.exp(0.4 * normal(random)));
  const hosts = Array.from({ length: HOSTS }, (_, index) => {
    const network = { clock, random, delayMs, lost: values.redis ? 0 : LOST, cut: false, traffic };
    return new Host(`edge-${pad(index)}`, open(), network, first);
  });
  const elapse = (ms: number): Promise<void> => manual?.elapse(ms) ?? pause(clock, ms);
  const started = Promise.all(hosts.map(({ link }) => link.start()));
  await elapse(3000);
  await started;
  t.after(() => Promise.all([...hosts.map(({ link }) => link.close()), elapse(3000)]));
  return { clock, hosts, traffic, elapse };
}

function inMemory(first: StoredRevision, clock: Clock): () => Ledger {
  const ledger = new AloneLedger(new MemoryStore(first), clock);
  return () => ledger;
}

async function redisLedgers(t: TestContext, clock: Clock, { record, intent }: StoredRevision): Promise<() => Ledger> {
  const { port } = await startRedis(t);
  const seal = new Seal([randomBytes(32)]);
  const access = {
    place: { kind: 'single' as const, node: { host: '127.0.0.1', port } },
    username: null,
    password: null,
    database: 0,
    tls: null,
  };
  const open = (): Ledger => new RedisLedger({ ...access, timeoutMs: 5000, connectMs: 5000, fleet: 'scale', seal, clock });
  const one = open();
  await one.append({ expected: EMPTY_HEAD, record, intent, lease: null, configText: null });
  await one.close();
  redisPort = port;
  return open;
}

let redisPort: number | null = null;

/** Bytes and commands as Redis counts them. */
function redisTraffic(): Traffic {
  const said = execFileSync('redis-cli', ['-p', String(redisPort), 'info', 'stats'], { encoding: 'utf8' });
  const figure = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(said)?.[1] ?? 0);
  return {
    operations: figure('total_commands_processed'),
    bytesIn: figure('total_net_input_bytes'),
    bytesOut: figure('total_net_output_bytes'),
  };
}

/** Box and Muller (1958). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function perSecond(before: Traffic, after: Traffic, seconds: number): string {
  const rate = (key: keyof Traffic): number => (after[key] - before[key]) / seconds;
  const mega = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB/s`;
  const each = (bytes: number): string => `${(bytes / HOSTS / 1000).toFixed(2)} KB`;
  return `${rate('operations').toFixed(0)} operations/s, in ${mega(rate('bytesIn'))} (${each(rate('bytesIn'))} a host), out ${mega(rate('bytesOut'))} (${each(rate('bytesOut'))} a host)`;
}

const quantile = (sorted: readonly number[], of: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(of * sorted.length))] ?? 0;

async function calm(t: TestContext, fleet: Fleet): Promise<void> {
  const [before, redisBefore] = [{ ...fleet.traffic }, values.redis ? redisTraffic() : null];
  await fleet.elapse(SECONDS * 1000);
  t.diagnostic(`calm: ${perSecond(before, fleet.traffic, SECONDS)}`);
  if (redisBefore !== null) t.diagnostic(`calm, as Redis counts: ${perSecond(redisBefore, redisTraffic(), SECONDS)}`);
}

/** An operator at one host sets a dial: from the question to the last host that serves it. */
async function shift(t: TestContext, { clock, hosts, elapse }: Fleet): Promise<void> {
  const [one = assert.fail()] = hosts;
  const { intent } = one.keeper;
  const revision = intent.revision + 1;
  const next: Intent = { ...intent, revision, clusters: { ...intent.clusters, c0000: { admin: 'active', dialPercent: 50 } } };
  const startedMs = clock.nowMs();
  const cause = { author: { name: 'alice', how: 'token' }, source: 'operator' as const, reason: '', change: null, undoes: null };
  const done = one.keeper.commit(next, diffIntent(intent, next), cause).then(() => one.serveAll());
  const tookMs: number[] = [];
  while (tookMs.length < HOSTS && clock.nowMs() < startedMs + 60_000) {
    await elapse(10);
    const serving = hosts.filter(({ served }) => served >= revision).length;
    while (tookMs.length < serving) tookMs.push(clock.nowMs() - startedMs);
  }
  await done;
  t.diagnostic(
    `a shift: half of the hosts serve it after ${quantile(tookMs, 0.5)} ms, 99 of 100 after ${quantile(tookMs, 0.99)}, all ${tookMs.length} after ${tookMs.at(-1) ?? 0}`,
  );
  assert.equal(tookMs.length, HOSTS);
}

/** The ledger is away for half a minute, and there for all at once. */
async function reconnect(t: TestContext, { clock, hosts, traffic, elapse }: Fleet): Promise<void> {
  for (const { network } of hosts) network.cut = true;
  await elapse(30_000);
  for (const { network } of hosts) network.cut = false;
  const backMs = clock.nowMs();
  // Each for itself: of hundreds there is always one whose last question was lost.
  let away = hosts;
  const isOver = (): boolean => {
    away = away.filter(({ link }) => link.problem !== null);
    return away.length === 0 && hosts.some(({ link }) => link.leads);
  };
  let [most, mostBytes] = [0, 0];
  while (!isOver() && clock.nowMs() < backMs + 60_000) {
    const before = { ...traffic };
    await elapse(100);
    most = Math.max(most, traffic.operations - before.operations);
    mostBytes = Math.max(mostBytes, traffic.bytesIn + traffic.bytesOut - before.bytesIn - before.bytesOut);
  }
  t.diagnostic(
    `away for 30 s: all hosts are back and one leads after ${Math.round(clock.nowMs() - backMs)} ms; at most ${most} operations and ${(mostBytes / 1e6).toFixed(1)} MB in 100 ms`,
  );
  assert.ok(isOver());
}

test(`a fleet of ${HOSTS} hosts, ${CLUSTERS} clusters and ${SERVICES} services`, async (t) => {
  const fleet = await startFleet(t, beginning());
  await calm(t, fleet);
  await shift(t, fleet);
  if (!values.redis) await reconnect(t, fleet);
});
