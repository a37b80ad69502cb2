// Controllers of hosts that are one fleet, in this process and without workers: their ledger is shared in memory, and time is that of the test.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Clock } from '../../health/clock.ts';
import { ConfigSource } from '../../balancer/controller/config-source.ts';
import { Edge } from '../../balancer/controller/edge.ts';
import { recordBeginning } from '../../balancer/controller/fleet/join.ts';
import { silentLog } from '../../balancer/log.ts';
import { AloneLedger } from '../../balancer/store/alone-ledger.ts';
import type { Ledger } from '../../balancer/store/ledger.ts';
import { openSqliteStore } from '../../balancer/store/sqlite.ts';
import type { Store } from '../../balancer/store/store.ts';
import { TEST_ENVIRONMENT, TEST_EXTENSIONS } from './config-text.ts';
import { faultyLedger, type Faults } from './faulty-ledger.ts';
import { ManualClock } from './manual-clock.ts';
import { seededRandom } from './seeded-random.ts';

/** A service `shop` of two versions in two clusters. */
export const TWO_CLUSTERS = `
clusters:
  one: { endpoints: ["http://127.0.0.1:9001"] }
  two: { endpoints: ["http://127.0.0.1:9002"] }
services:
  shop:
    versions:
      blue: { clusters: { one: { weight: 70 }, two: { weight: 30 } } }
      green: { clusters: { two: {} } }
    split: { blue: 90, green: 10 }
routes:
  - { name: shop, match: { path: / }, service: shop }
`;

export interface EdgeUnderTest {
  readonly edge: Edge;
  readonly store: Store;
  /** Of its way to the ledger. */
  readonly faults: Faults;
  /** Somebody sets the clock of this host: that on its wall, not the monotonic one. */
  readonly setClock: (byMs: number) => void;
}

export interface FleetEdges {
  readonly clock: ManualClock;
  readonly ledger: Ledger;
  /**
   * Another host, which has begun: it knows the fleet, and the fleet knows it. `id`: that of another name. `before`: what its store went through before it
   * was one of the fleet.
   */
  host(name: string, id?: string, before?: (store: Store) => void): Promise<EdgeUnderTest>;
  /** What the ledger of the fleet has. */
  readonly shared: Store;
  /** Lets time go on until it settles. */
  settled<T>(promise: Promise<T>): Promise<T>;
}

export interface FleetEdgesOptions {
  /** What all of them share. */
  readonly fleetPart?: string;
  /** What each has in its own part, beside its name. */
  readonly hostPart?: string;
}

export function fleetEdges(t: TestContext, { fleetPart = TWO_CLUSTERS, hostPart = '' }: FleetEdgesOptions = {}): FleetEdges {
  const clock = new ManualClock();
  const random = seededRandom(1);
  const directory = mkdtempSync(join(tmpdir(), 'weir-fleet-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const keyFile = join(directory, 'fleet.keys');
  writeFileSync(keyFile, `${randomBytes(32).toString('base64')}\n`);
  const openStore = (name: string): Store => {
    const store = openSqliteStore(join(directory, name));
    t.after(() => store.close());
    return store;
  };
  const shared = openStore('ledger');
  const ledger = new AloneLedger(shared, clock);
  const settled = async <T>(promise: Promise<T>): Promise<T> => {
    const state = { over: false };
    promise.then(
      () => (state.over = true),
      () => (state.over = true),
    );
    while (!state.over) await clock.elapse(50);
    return promise;
  };
  const host = async (name: string, id?: string, before: (store: Store) => void = () => undefined): Promise<EdgeUnderTest> => {
    const store = openStore(name);
    before(store);
    const faults = { cut: false, lost: 0 };
    let aheadMs = 0;
    const ownClock: Clock = {
      nowMs: () => clock.nowMs(),
      wallMs: () => clock.wallMs() + aheadMs,
      after: (delayMs, run) => clock.after(delayMs, run),
    };
    const configFile = join(directory, `${name}.yaml`);
    const redis = `{ url: "redis://127.0.0.1:1", keyFile: ${JSON.stringify(keyFile)} }`;
    const own = `version: 1\nhost: { name: ${name} }\nstate: { dir: /nowhere, redis: ${redis} }\nlisteners: { web: { bind: "127.0.0.1:8080" } }\n${hostPart}`;
    writeFileSync(configFile, `${own}${fleetPart}`);
    const source = new ConfigSource({ configFile, extensions: TEST_EXTENSIONS, environment: TEST_ENVIRONMENT, store });
    const read = source.read();
    if (!read.ok) throw new Error(read.problems.join('\n'));
    const edge = new Edge({
      ...{ clock: ownClock, random, store, source, served: read.value, version: '0.0.0', log: silentLog },
      machine: { openFiles: null, memory: null, backlog: null },
      fleet: {
        ledger: faultyLedger(ledger, faults, random),
        openUses: () => assert.fail('nothing is signed'),
        openMarks: () => assert.fail('no provider ends a session'),
        openCounter: () => assert.fail('there is no limit of the fleet'),
        fleet: 'weir',
        id: `id-of-${id ?? name}`,
        instance: name,
        place: `the place of ${name}`,
      },
      onMetrics: () => undefined,
      onPeriod: () => undefined,
      onPlanned: () => undefined,
      onFleetConfig: () => undefined,
      onFleetReached: () => undefined,
      onGenerationFailed: () => undefined,
    });
    t.after(() => edge.fleet.close());
    await settled(edge.fleet.start());
    const problem = await settled(
      edge.changes.run(() => recordBeginning(edge, { author: { name: 'weir', how: 'config file' }, reason: '' })),
    );
    if (problem !== null) throw new Error(problem);
    return { edge, store, faults, setClock: (byMs) => void (aheadMs += byMs) };
  };
  return { clock, ledger, host, settled, shared };
}
