// What happened, checked over many histories: hosts that change things at the same time, behind a network that cuts them off and loses answers, on a ledger
// that goes back to an earlier state now and then.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Clock } from '../../../health/clock.ts';
import { Leadership } from '../../../balancer/controller/fleet/leadership.ts';
import { follow } from '../../../balancer/controller/fleet/follow.ts';
import { IntentKeeper } from '../../../balancer/controller/intent-keeper.ts';
import { diffIntent } from '../../../balancer/intent/diff.ts';
import { verifyChain } from '../../../balancer/intent/revision.ts';
import { AloneLedger } from '../../../balancer/store/alone-ledger.ts';
import { LedgerAwayError, sameHead } from '../../../balancer/store/ledger.ts';
import { openSqliteStore } from '../../../balancer/store/sqlite.ts';
import type { Store } from '../../../balancer/store/store.ts';
import { faultyLedger, type Faults } from '../../support/faulty-ledger.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { nextOf } from '../../support/ledger-chain.ts';

function openStore(t: TestContext): Store {
  const directory = mkdtempSync(join(tmpdir(), 'weir-history-'));
  const store = openSqliteStore(directory);
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return store;
}

/** Lets virtual time go on until it settles: what waits to ask again is not kept waiting. */
async function settled<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  const state = { over: false };
  const ended = promise.finally(() => (state.over = true));
  ended.catch(() => undefined);
  while (!state.over) {
    clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return ended;
}

interface Host {
  readonly store: Store;
  readonly keeper: IntentKeeper;
  readonly faults: Faults;
  readonly follow: () => Promise<void>;
  /** The highest revision it ever served. */
  highest: number;
}

// 298: an end is replaced while another host reads it.
for (const seed of [1, 2, 3, 4, 5, 298])
  test(`history ${seed}: what was acknowledged is in force or reported, and nobody goes back`, async (t) => {
    const random = seededRandom(seed);
    const clock = new ManualClock();
    const shared = openStore(t);
    const ledger = new AloneLedger(shared, clock);
    const hosts: readonly Host[] = ['a', 'b', 'c'].map(() => {
      const store = openStore(t);
      const faults = { cut: false, lost: 0.1 };
      const reached = faultyLedger(ledger, faults, random);
      const keeper = new IntentKeeper(store, reached, clock);
      const catchUp = async (): Promise<void> => {
        try {
          for (let step = 0; step < 10; step += 1) {
            const there = await reached.head();
            if (sameHead(there, keeper.head)) return;
            await follow({ keeper, ledger: reached, store }, there);
          }
        } catch (error) {
          if (!(error instanceof LedgerAwayError)) throw error;
        }
      };
      return { store, keeper, faults, follow: catchUp, highest: 0 };
    });
    const acknowledged: string[] = [];
    const change = async (host: Host, name: string): Promise<void> => {
      const { keeper } = host;
      const before = keeper.intent;
      const { intent } = nextOf(keeper.newest === null ? null : { record: keeper.newest, intent: before });
      const cause = { author: { name, how: `token ${name}` }, source: 'operator' as const, reason: name, change: null, undoes: null };
      const outcome = await keeper.commit(intent, diffIntent(before, intent), cause);
      if (outcome.ok) acknowledged.push(name);
    };
    for (let round = 0; round < 60; round += 1) {
      for (const host of hosts) host.faults.cut = random() < 0.2;
      // Redis has failed over to a replica that was behind, or came back with an old file.
      if (random() < 0.1) shared.replaceAfter(Math.max(0, (shared.readIntent()?.revision ?? 0) - 1 - Math.floor(random() * 3)), []);
      const acts = hosts.map((host, index) => (random() < 0.5 ? change(host, `${seed}-${round}-${index}`) : host.follow()));
      await settled(clock, Promise.all(acts));
      for (const host of hosts) {
        const { revision } = host.keeper.intent;
        assert.ok(revision >= host.highest, `a host went back from ${host.highest} to ${revision}`);
        host.highest = revision;
      }
    }
    for (const host of hosts) Object.assign(host.faults, { cut: false, lost: 0 });
    for (let turn = 0; turn < 5; turn += 1) for (const host of hosts) await settled(clock, host.follow());
    const [first] = hosts;
    assert.ok(first !== undefined);
    const reasons = new Set([...first.store.chain()].map(({ reason }) => reason));
    for (const host of hosts) {
      assert.deepEqual(host.keeper.head, first.keeper.head);
      assert.deepEqual(host.store.readIntent(), first.store.readIntent());
      const { store, keeper } = host;
      assert.equal(verifyChain(store.chain(), keeper.intent.revision, (revision) => store.intentAt(revision)).intact, true);
      for (const { reason } of store.conflicts(1000)) reasons.add(reason);
    }
    assert.ok(acknowledged.length > 10, `${acknowledged.length} changes`);
    for (const reason of acknowledged) assert.ok(reasons.has(reason), `${reason} was acknowledged, and is neither in force nor reported`);
  });

/** A clock that runs a little faster or slower than the true one. */
function drifting(clock: Clock, speed: number): Clock {
  return { nowMs: () => clock.nowMs() * speed, wallMs: () => clock.wallMs(), after: (ms, run) => clock.after(ms / speed, run) };
}

test('two hosts never lead at the same time, whatever is lost and however their clocks run, and a lead that is lost is taken', async (t) => {
  const random = seededRandom(7);
  const clock = new ManualClock();
  const ledger = new AloneLedger(openStore(t), clock);
  const hosts = [0.95, 1, 1.05].map((speed, index) => {
    const faults = { cut: false, lost: 0.05 };
    return { faults, leadership: new Leadership(faultyLedger(ledger, faults, random), drifting(clock, speed), `host-${index}`) };
  });
  const fences: number[] = [];
  let leaderless = 0;
  let longest = 0;
  for (let second = 0; second < 5000; second += 1) {
    for (const { faults } of hosts) if (random() < 0.02) faults.cut = !faults.cut;
    for (const { leadership } of hosts) await leadership.look().catch(() => undefined);
    for (let part = 0; part < 4; part += 1) {
      clock.advance(250);
      const leases = hosts.flatMap(({ leadership }) => leadership.lease ?? []);
      assert.ok(leases.length <= 1, `${leases.length} lead in second ${second}`);
      const [lease] = leases;
      if (lease !== undefined && lease.fence !== fences.at(-1)) fences.push(lease.fence);
      leaderless = lease === undefined && hosts.some(({ faults }) => !faults.cut) ? leaderless + 250 : 0;
      longest = Math.max(longest, leaderless);
    }
  }
  assert.deepEqual(
    fences,
    [...fences].sort((a, b) => a - b),
    'whoever leads later has the higher fence',
  );
  assert.ok(fences.length > 20, `the lead went over ${fences.length} times`);
  assert.ok(longest <= 15_000, `nobody led for ${longest} ms`);
});
