// How a host and the ledger of its fleet come together: what others did, what the ledger has lost, and two ends of a chain.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { makeChange } from '../../../balancer/controller/change.ts';
import { follow, UnfitEntryError, type Followed, type Sides } from '../../../balancer/controller/fleet/follow.ts';
import { IntentKeeper } from '../../../balancer/controller/intent-keeper.ts';
import { verifyChain } from '../../../balancer/intent/revision.ts';
import { AloneLedger } from '../../../balancer/store/alone-ledger.ts';
import type { Ledger, LedgerEntry, Snapshot } from '../../../balancer/store/ledger.ts';
import { openSqliteStore } from '../../../balancer/store/sqlite.ts';
import type { Store } from '../../../balancer/store/store.ts';
import { chainOf, entryOf, headOf, nextOf } from '../../support/ledger-chain.ts';
import { fleetEdges } from '../../support/fleet-edges.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function openStore(t: TestContext): Store {
  const directory = mkdtempSync(join(tmpdir(), 'weir-follow-'));
  const store = openSqliteStore(directory);
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return store;
}

interface Two extends Sides {
  readonly store: Store;
}

/** A host that has `here`, and a ledger that has `there`. */
function between(t: TestContext, here: readonly Snapshot[], there: readonly Snapshot[]): Two {
  const clock = new ManualClock();
  const [store, other] = [openStore(t), openStore(t)];
  for (const { record, intent } of here) store.commit(record.revision - 1, intent, record);
  for (const { record, intent } of there) other.commit(record.revision - 1, intent, record);
  const ledger: Ledger = new AloneLedger(other, clock);
  return { ledger, store, keeper: new IntentKeeper(store, ledger, clock) };
}

async function step(sides: Sides): Promise<Followed> {
  return follow(sides, await sides.ledger.head());
}

/** The same ledger, which hands out other entries. */
function withEntries(ledger: Ledger, edit: (entries: readonly LedgerEntry[]) => readonly LedgerEntry[]): Ledger {
  return {
    head: () => ledger.head(),
    append: (change) => ledger.append(change),
    replace: (replacement) => ledger.replace(replacement),
    entriesAfter: async (after, limit) => edit(await ledger.entriesAfter(after, limit)),
    snapshot: () => ledger.snapshot(),
    configText: (fingerprint) => ledger.configText(fingerprint),
    announce: (host, ttlMs, known) => ledger.announce(host, ttlMs, known),
    withdraw: (host) => ledger.withdraw(host),
    hosts: () => ledger.hosts(),
    hostsBehind: (revision) => ledger.hostsBehind(revision),
    counts: () => ledger.counts(),
    demandsAfter: (number, limit) => ledger.demandsAfter(number, limit),
    publishDigest: (lease, text) => ledger.publishDigest(lease, text),
    takeLease: (name, holder, ttlMs) => ledger.takeLease(name, holder, ttlMs),
    renewLease: (lease, ttlMs) => ledger.renewLease(lease, ttlMs),
    releaseLease: (lease) => ledger.releaseLease(lease),
    watch: (onHint) => ledger.watch(onHint),
    close: () => ledger.close(),
  };
}

const revisions = ({ taken }: Followed): readonly number[] => taken.map(({ revision }) => revision);

/** Two chains of one length that differ from `base` on, that with the lower hash at its end first. */
function twins(base: readonly Snapshot[], length: number): readonly [readonly Snapshot[], readonly Snapshot[]] {
  const [one, other] = ['alice', 'bob'].map((author) => chainOf(length, author, base.at(-1) ?? null));
  assert.ok(one !== undefined && other !== undefined);
  return headOf(one.at(-1)).hash < headOf(other.at(-1)).hash ? [one, other] : [other, one];
}

describe('a host that is behind', () => {
  test('takes over what others did, page after page, in one unbroken chain', async (t) => {
    const chain = chainOf(250);
    const sides = between(t, chain.slice(0, 3), chain);
    assert.deepEqual(
      revisions(await step(sides)),
      Array.from({ length: 100 }, (_, index) => index + 4),
    );
    while (revisions(await step(sides)).length > 0);
    assert.deepEqual(sides.keeper.intent, chain.at(-1)?.intent);
    assert.deepEqual(sides.store.readIntent(), chain.at(-1)?.intent);
    assert.equal(verifyChain(sides.store.chain(), 250, (revision) => sides.store.intentAt(revision)).intact, true);
  });

  test('takes over the whole chain when it has nothing', async (t) => {
    const chain = chainOf(3);
    const sides = between(t, [], chain);
    assert.deepEqual(revisions(await step(sides)), [1, 2, 3]);
    assert.deepEqual(sides.keeper.head, headOf(chain[2]));
  });

  test('takes over nothing that does not follow from what its record says', async (t) => {
    const chain = chainOf(3);
    const sides = between(t, chain.slice(0, 1), chain);
    const lying = withEntries(sides.ledger, (entries) => entries.map((entry) => ({ ...entry, intentHash: '0'.repeat(64) })));
    await assert.rejects(step({ ...sides, ledger: lying }), /the one that its record leads to/);
    // Not where both sides are compared, only where the next ones are asked for.
    const cut = withEntries(sides.ledger, (entries) => (entries.length > 1 ? entries.slice(1) : entries));
    await assert.rejects(step({ ...sides, ledger: cut }), UnfitEntryError);
    assert.equal(sides.keeper.intent.revision, 1);
  });

  test('says so when the ledger names a newest revision that it does not have', async (t) => {
    const chain = chainOf(3);
    const sides = between(t, chain.slice(0, 1), chain);
    const emptied = withEntries(sides.ledger, () => []);
    await assert.rejects(
      step({ ...sides, ledger: emptied }),
      /revision 3 .* the ledger names it as its newest and does not have what leads there/,
    );
    assert.equal(sides.keeper.intent.revision, 1);
  });
});

describe('a ledger that has lost revisions', () => {
  for (const kept of [0, 2])
    test(`that kept ${kept} of 5 has all again`, async (t) => {
      const chain = chainOf(5);
      const sides = between(t, chain, chain.slice(0, kept));
      assert.deepEqual(await step(sides), { taken: [], lost: [], given: 5 - kept });
      assert.deepEqual(await sides.ledger.entriesAfter(0, 10), chain.map(entryOf));
      assert.deepEqual(await step(sides), { taken: [], lost: [], given: 0 });
    });
});

describe('two ends of a chain', () => {
  test('of one length: all hosts keep that with the lower hash, and the other is reported', async (t) => {
    const base = chainOf(2);
    const [kept, lost] = twins(base, 2);
    const loser = between(t, [...base, ...lost], [...base, ...kept]);
    const followed = await step(loser);
    assert.deepEqual(
      followed.lost,
      lost.map(({ record }) => record),
    );
    assert.deepEqual(loser.keeper.head, headOf(kept.at(-1)));
    assert.deepEqual(loser.store.conflicts(10), lost.map(({ record }) => record).toReversed());
    const winner = between(t, [...base, ...kept], [...base, ...lost]);
    assert.equal((await step(winner)).given, 2);
    assert.deepEqual(await winner.ledger.head(), headOf(kept.at(-1)));
  });

  test('of other lengths: the longer one stands, in one step, so that no host goes back', async (t) => {
    const base = chainOf(2);
    const short = chainOf(2, 'alice', base.at(-1));
    const long = chainOf(150, 'bob', base.at(-1));
    const sides = between(t, [...base, ...short], [...base, ...long]);
    const seen: number[] = [sides.keeper.intent.revision];
    for (let followed = await step(sides); followed.taken.length > 0; followed = await step(sides)) seen.push(sides.keeper.intent.revision);
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => a - b),
      'never a lower revision than before',
    );
    assert.deepEqual(sides.keeper.head, headOf(long.at(-1)));
    assert.equal(verifyChain(sides.store.chain(), 152).intact, true);
  });

  test('a page of which does not reach above what is here yet are taken over as a whole', async (t) => {
    const short = chainOf(120, 'alice');
    const long = chainOf(121, 'bob');
    const sides = between(t, short, long);
    assert.equal((await step(sides)).taken.length, 121);
    assert.deepEqual(sides.keeper.head, headOf(long.at(-1)));
    assert.equal(sides.store.conflicts(200).length, 120);
  });
});

describe('what no single revision may do', () => {
  test('leave users nowhere to go, unless the glass was broken for it', async (t) => {
    const [first] = chainOf(1);
    assert.ok(first !== undefined);
    const dark = (overruled?: readonly string[]): Snapshot =>
      nextOf(first, 'mallory', { close: true, ...(overruled === undefined ? {} : { overruled }) });
    const refused = between(t, [first], [first, dark()]);
    await assert.rejects(step(refused), /it would leave no cluster that takes traffic; this host stays at what it serves/);
    assert.equal(refused.keeper.intent.revision, 1);
    const obeyed = between(t, [first], [first, dark(['minActiveClusters'])]);
    assert.deepEqual(revisions(await step(obeyed)), [2]);
  });
});

test('a host follows what others do from what it began with itself', async (t) => {
  const fleet = fleetEdges(t);
  // The first one has recorded what the file says, and has its clusters as one object in memory.
  const first = await fleet.host('edge-1');
  const second = await fleet.host('edge-2');
  const dial = { change: { kind: 'dial', cluster: 'one', percent: 40 } } as const;
  const caller = { author: { name: 'alice', how: 'token alice' }, role: 'operate' } as const;
  const made = await fleet.settled(second.edge.changes.run(() => makeChange(second.edge, dial, caller)));
  assert.ok(made.ok);
  await fleet.clock.elapse(2000);
  assert.equal(first.edge.fleet.problem, null);
  assert.deepEqual(first.edge.intent, second.edge.intent);
  assert.deepEqual(
    Object.values(first.edge.intent.clusters).map(({ dialPercent }) => dialPercent),
    [40, 100],
  );
});

test('a change is told of by its own revision, though another host has changed something before all serve it', async (t) => {
  const fleet = fleetEdges(t);
  const first = await fleet.host('edge-1');
  const second = await fleet.host('edge-2');
  await fleet.clock.elapse(2000);
  const caller = { author: { name: 'alice', how: 'token alice' }, role: 'operate' } as const;
  const dial = (percent: number) => ({ change: { kind: 'dial', cluster: 'one', percent } }) as const;
  const { revision } = first.edge.keeper.intent;
  const one = first.edge.changes.run(() => makeChange(first.edge, dial(40), caller));
  // Both wait for workers that are not there.
  await fleet.clock.elapse(1500);
  const two = second.edge.changes.run(() => makeChange(second.edge, dial(50), caller));
  const [made, later] = await Promise.all([fleet.settled(one), fleet.settled(two)]);
  assert.ok(made.ok && later.ok);
  assert.deepEqual([made.value.revision, later.value.revision], [revision + 1, revision + 2]);
  assert.equal(first.edge.keeper.intent.revision, revision + 2);
});

describe('a host that was alone', () => {
  /** More revisions than the fleet has. */
  const longWhileAlone = (store: Store): void => {
    for (const { record, intent } of chainOf(120, 'carol')) store.commit(record.revision - 1, intent, record);
  };

  test('follows the fleet that it joins, however long its own chain is, and keeps that aside', async (t) => {
    const fleet = fleetEdges(t);
    const one = await fleet.host('edge-1');
    const before = await fleet.ledger.head();
    const late = await fleet.host('edge-2', 'edge-2', longWhileAlone);
    await fleet.clock.elapse(3000);
    assert.deepEqual(await fleet.ledger.head(), before);
    for (const { edge, store } of [one, late]) {
      assert.deepEqual(edge.keeper.head, before);
      assert.equal(verifyChain(store.chain(), before.revision, (revision) => store.intentAt(revision)).intact, true);
    }
    assert.equal(late.store.conflicts(1000).length, 120);
    assert.ok(late.edge.events.newest(100).some(({ text }) => /joined the fleet .* before, 120 revisions, is in force no more/.test(text)));
  });

  test('gives its chain to a fleet that has none yet, and the next one that was alone follows it', async (t) => {
    const fleet = fleetEdges(t);
    const first = await fleet.host('edge-1', 'edge-1', (store) => {
      for (const { record, intent } of chainOf(3, 'dave')) store.commit(record.revision - 1, intent, record);
    });
    await fleet.clock.elapse(3000);
    const mine = first.store.revision(3)?.hash;
    const second = await fleet.host('edge-2', 'edge-2', longWhileAlone);
    await fleet.clock.elapse(3000);
    assert.ok(mine !== undefined);
    assert.equal(second.store.revision(3)?.hash, mine);
    assert.deepEqual(second.edge.keeper.head, first.edge.keeper.head);
  });

  test('is of the fleet from then on: what it knows is given back to a ledger that has lost it, though another host has begun anew', async (t) => {
    const fleet = fleetEdges(t);
    const one = await fleet.host('edge-1');
    await fleet.clock.elapse(3000);
    const shift = { kind: 'shift', service: 'shop', percents: { green: 30 } } as const;
    const by = { author: { name: 'alice', how: 'token alice' }, role: 'operate' } as const;
    assert.ok((await fleet.settled(makeChange(one.edge, { change: shift, yes: true }, by))).ok);
    const known = one.edge.keeper.head;
    one.faults.cut = true;
    fleet.shared.replaceAfter(0, []);
    const fresh = await fleet.host('edge-2');
    assert.notDeepEqual(fresh.edge.keeper.head, known);
    one.faults.cut = false;
    await fleet.clock.elapse(3000);
    assert.deepEqual(await fleet.ledger.head(), known);
    assert.deepEqual(fresh.edge.keeper.head, known);
  });
});
