// What hosts of a fleet tell each other each second: who is there, what all are asked for, and that no two of them have one id.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeChange } from '../../../balancer/controller/change.ts';
import { NO_DEMAND } from '../../../balancer/controller/fleet/demand.ts';
import { DemandSum } from '../../../balancer/controller/fleet/demand-sum.ts';
import { DemandTelling } from '../../../balancer/controller/fleet/demand-telling.ts';
import type { FleetDigest, HostDemand } from '../../../balancer/controller/fleet/presence.ts';
import type { MetricsDelta } from '../../../balancer/telemetry/meter.ts';
import { AloneLedger } from '../../../balancer/store/alone-ledger.ts';
import type { Announcement } from '../../../balancer/store/ledger.ts';
import { fleetEdges, type EdgeUnderTest } from '../../support/fleet-edges.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryStore } from '../../support/memory-store.ts';

const ALICE = { author: { name: 'alice', how: 'token alice' }, role: 'operate' } as const;

const demandOf = (shop: number): HostDemand => ({
  ...{ demand: { shop }, assigned: {}, classDemand: { shop: { critical: shop / 2 } }, regionDemand: {} },
});

const told = ({ edge }: EdgeUnderTest, what: RegExp): number => edge.events.newest(500).filter(({ text }) => what.test(text)).length;

/** As one host announces it. */
const announced = (id: string, demand: string | null): Announcement => ({
  ...{ id, text: id, instance: id, served: 1, counts: '{}', demand },
});

test('the leader adds up for all, and each host takes out what of the sum is its own', async (t) => {
  const ledger = new AloneLedger(new MemoryStore(null), new ManualClock());
  const hosts = ['a', 'b', 'c'].map((id) => ({ id, demand: new DemandTelling(id) }));
  for (const [index, { id, demand }] of hosts.entries())
    await ledger.announce(
      announced(
        id,
        demand.next(() => demandOf(10 * (index + 1)), 3, 0),
      ),
      60_000,
      0,
    );
  await ledger.announce(announced('d', 'not of this program'), 60_000, 0);
  const names = new Map(['a', 'b', 'c', 'd'].map((id) => [id, id]));
  const sum = new DemandSum('a');
  await sum.hear(ledger, { fence: 1 }, new Set(names.keys()));
  const made = sum.next(names, 0);
  assert.ok(made !== null);
  assert.deepEqual(sum.others(made).demand, { shop: 50 });
  const digest = { ...made, away: [] };
  const [, other = assert.fail(), third = assert.fail()] = hosts.map(({ demand }) => demand);
  // What it asks for has changed since, and the sum has what it was.
  assert.notEqual(
    other.next(() => demandOf(25), 3, 1000),
    null,
  );
  assert.equal(other.take(digest), true);
  assert.deepEqual([other.others.demand, other.others.classDemand], [{ shop: 40 }, { shop: { critical: 20 } }]);
  assert.equal(third.take(digest), true);
  assert.deepEqual(third.others.demand, { shop: 30 });
  const restarted = new DemandTelling('c');
  assert.equal(restarted.take({ ...digest, hosts: {} }), true);
  assert.deepEqual(restarted.others.demand, { shop: 60 });

  await t.test('what a host told before it was gone is not in the next sum', async () => {
    await ledger.withdraw(announced('c', null));
    const left = new Map([...names].filter(([id]) => id !== 'c'));
    await sum.hear(ledger, { fence: 1 }, new Set(left.keys()));
    assert.deepEqual(sum.next(left, 1)?.demand.demand, { shop: 30 });
  });
});

test('the more there is to tell, and the more hosts there are, the seldomer it is told; at once after a silence or a failure', () => {
  const many = { ...NO_DEMAND, demand: Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`service-${index}`, 12.3])) };
  const told = (hosts: number, demand: HostDemand): readonly number[] => {
    const telling = new DemandTelling('a');
    return Array.from({ length: 60 }, (_, second) => second).filter((second) => telling.next(() => demand, hosts, second * 1000) !== null);
  };
  assert.equal(told(500, demandOf(1)).length, 60, 'a few bytes');
  assert.equal(told(3, many).length, 60, 'few hosts');
  const seldom = told(500, many);
  assert.ok(seldom.length >= 5 && seldom.length <= 20, `${seldom.length} times a minute`);
  const telling = new DemandTelling('a');
  const next = (atMs: number): boolean => telling.next(() => many, 500, atMs) !== null;
  assert.deepEqual([next(0), next(1000), next(2000)], [true, false, false]);
  telling.tellAgain();
  assert.deepEqual([next(3000), next(4000)], [true, false]);
  assert.equal(next(8000), true, 'a host that was silent for four seconds may be forgotten');
});

test('a leader has heard enough when it has heard as much as there are hosts, however fast they tell', async () => {
  const sum = new DemandSum('a');
  const names = new Map(Array.from({ length: 40 }, (_, index) => [`h${index}`, `h${index}`]));
  let number = 0;
  const told = (): { id: string; number: number; text: string } => {
    number += 1;
    return { id: `h${number % 40}`, number, text: JSON.stringify({ beat: number, demand: demandOf(1) }) };
  };
  const ledger = { demandsAfter: (_after: number, limit: number) => Promise.resolve(Array.from({ length: limit }, told)) };
  await sum.hear(ledger, { fence: 1 }, new Set(names.keys()));
  assert.equal(sum.next(names, 0)?.demand.demand['shop'], 40);
});

test('a leader that was none for a while hears everything anew', async () => {
  const ledger = new AloneLedger(new MemoryStore(null), new ManualClock());
  const sum = new DemandSum('a');
  const names = new Map([['b', 'b']]);
  const shopAt = async (fence: number, atMs: number): Promise<number | undefined> => {
    await sum.hear(ledger, { fence }, new Set(names.keys()));
    return sum.next(names, atMs)?.demand.demand['shop'];
  };
  await ledger.announce(announced('b', JSON.stringify({ beat: 1, demand: demandOf(5) })), 60_000, 0);
  assert.equal(await shopAt(1, 0), 5);
  // Another host with the id: what this one has of it is of no use.
  await ledger.withdraw(announced('b', null));
  assert.equal(await shopAt(3, 60_000), undefined);
});

test('what was told before, by this leader or by one before it, says nothing', () => {
  const host = new DemandTelling('b');
  const digest = (fence: number, sequence: number, shop: number): FleetDigest => ({
    fence,
    sequence,
    demand: demandOf(shop),
    hosts: {},
    away: [],
  });
  assert.equal(host.take(digest(2, 5, 10)), true);
  assert.equal(host.take(digest(2, 5, 99)), false);
  assert.equal(host.take(digest(2, 4, 99)), false);
  assert.equal(host.take(digest(1, 900, 99)), false);
  assert.deepEqual(host.others.demand, { shop: 10 });
  assert.equal(host.take(digest(3, 1, 20)), true);
  assert.deepEqual(host.others.demand, { shop: 20 });
});

test('each host knows what the clients of the others ask for, and goes on with it when it is cut off', async (t) => {
  const fleet = fleetEdges(t);
  const hosts = [await fleet.host('edge-1'), await fleet.host('edge-2'), await fleet.host('edge-3')];
  for (let second = 0; second < 10; second += 1) {
    for (const [index, { edge }] of hosts.entries()) edge.window.add(requests(10 * (index + 1)));
    await fleet.clock.elapse(1000);
  }
  const known = (): readonly number[] => hosts.map(({ edge }) => Math.round(edge.fleet.demandOfPeers().demand['shop'] ?? 0));
  assert.deepEqual(known(), [50, 40, 30]);
  for (const { faults } of hosts) faults.cut = true;
  await fleet.clock.elapse(60_000);
  assert.deepEqual(known(), [50, 40, 30]);
});

test('a host that is gone is told of by each, once, and named by a change until it is back', async (t) => {
  const fleet = fleetEdges(t);
  const [first, second, third] = [await fleet.host('edge-1'), await fleet.host('edge-2'), await fleet.host('edge-3')];
  await fleet.clock.elapse(3000);
  for (const host of [first, second]) assert.equal(told(host, /host edge-3 is in the fleet/), 1);
  third.faults.cut = true;
  await fleet.clock.elapse(10_000);
  for (const host of [first, second]) assert.equal(told(host, /host edge-3 is not heard of any more/), 1);
  const change = { change: { kind: 'dial', cluster: 'one', percent: 50 } } as const;
  const made = await fleet.settled(second.edge.changes.run(() => makeChange(second.edge, change, ALICE)));
  assert.ok(made.ok);
  const { laggards, hosts } = made.value.applied?.fleet ?? { laggards: [], hosts: 0 };
  assert.equal(hosts, 3);
  assert.ok(
    laggards.some((text) => /^edge-3 \(not heard of for \d+ s\)$/.test(text)),
    laggards.join(),
  );
  third.faults.cut = false;
  await fleet.clock.elapse(3000);
  assert.equal(told(second, /host edge-3 is in the fleet/), 2);
});

test('a host that is forgotten while a change waits for it has not served the change, and is named', async (t) => {
  const fleet = fleetEdges(t);
  const [, second, third] = [await fleet.host('edge-1'), await fleet.host('edge-2'), await fleet.host('edge-3')];
  await fleet.clock.elapse(3000);
  // It is remembered for five seconds after its last word: before, at and after the end of the wait.
  for (let cutMs = 2000; cutMs <= 5000; cutMs += 250) {
    third.faults.cut = true;
    await fleet.clock.elapse(cutMs);
    const change = { change: { kind: 'dial', cluster: 'one', percent: cutMs / 100 } } as const;
    const made = await fleet.settled(second.edge.changes.run(() => makeChange(second.edge, change, ALICE)));
    assert.ok(made.ok);
    const { laggards } = made.value.applied?.fleet ?? { laggards: [] };
    assert.ok(
      laggards.some((text) => text.startsWith('edge-3 (')),
      `cut off ${cutMs} ms before: ${laggards.join()}`,
    );
    third.faults.cut = false;
    await fleet.clock.elapse(3000);
  }
});

test('a second host with the id of one that lives is kept out, serves what it knows, and both are told where the other is', async (t) => {
  const fleet = fleetEdges(t);
  const first = await fleet.host('edge-1');
  const copy = await fleet.host('copy', 'edge-1');
  await fleet.clock.elapse(3000);
  const problem =
    /^two hosts have the same id, and the other one is in the fleet: edge-1 \(the place of edge-1\)\. This one is copy \(the place of copy\); .* Stop one/;
  assert.match(copy.edge.fleet.problem ?? '', problem);
  assert.equal(told(copy, /^ALERT: two hosts have the same id/), 1);
  assert.equal(told(first, /^ALERT: another host with the id of this one .* is kept out: copy \(the place of copy\)$/), 1);
  assert.equal(first.edge.fleet.problem, null);
  const change = { change: { kind: 'dial', cluster: 'one', percent: 50 } } as const;
  const refused = await fleet.settled(copy.edge.changes.run(() => makeChange(copy.edge, change, ALICE)));
  assert.ok(!refused.ok);
  assert.match(refused.problem.message, /^two hosts have the same id.*nothing was changed/);
  const made = await fleet.settled(first.edge.changes.run(() => makeChange(first.edge, change, ALICE)));
  assert.ok(made.ok);
  assert.equal(made.value.applied?.fleet, null, 'the copy is no host of the fleet');
  await fleet.settled(first.edge.fleet.close());
  await fleet.clock.elapse(3000);
  assert.equal(copy.edge.fleet.problem, null);
  assert.equal(copy.edge.keeper.intent.clusters['one']?.dialPercent, 50);
});

/** So many of a second, as workers count them. */
function requests(count: number): MetricsDelta {
  return [{ name: 'weir_requests_total', labels: ['shop', 'shop', 'blue', 'one', '2xx', 'ok'], value: count }];
}
