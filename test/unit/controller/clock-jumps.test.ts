// Somebody sets the clock of a host of a fleet, by hours and in either direction: it stays in the fleet, leads as before, ends nothing too early or too late, and
// says how far its clock is off.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeChange } from '../../../balancer/controller/change.ts';
import { intentNow } from '../../../balancer/controller/intent-now.ts';
import { ExpiryDriver } from '../../../balancer/controller/driver/expiries.ts';
import { verifyChain } from '../../../balancer/intent/revision.ts';
import { fleetEdges, type EdgeUnderTest, type FleetEdges } from '../../support/fleet-edges.ts';

const HOUR_MS = 3_600_000;
const ALICE = { author: { name: 'alice', how: 'token alice' }, role: 'operate' } as const;

const greenOf = ({ edge }: EdgeUnderTest): number => (edge.intent.services['shop']?.split['green'] ?? 0) / 10_000;

async function shift(fleet: FleetEdges, { edge }: EdgeUnderTest, green: number, forMs?: number): Promise<void> {
  const change = { kind: 'shift', service: 'shop', percents: { green }, ...(forMs === undefined ? {} : { forMs }) } as const;
  const outcome = await fleet.settled(edge.changes.run(() => makeChange(edge, { change, yes: true }, ALICE)));
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.problem.message);
}

/** Time passes, and every host looks once a second at what is over. */
async function pass(fleet: FleetEdges, hosts: readonly EdgeUnderTest[], seconds: number): Promise<void> {
  const drivers = hosts.map(({ edge }) => new ExpiryDriver(edge));
  for (let second = 0; second < seconds; second += 1) {
    await fleet.clock.elapse(1000);
    drivers.forEach((driver) => driver.tick());
  }
  await fleet.clock.elapse(100);
}

for (const [what, byMs] of [
  ['three hours ahead', 3 * HOUR_MS],
  ['three hours back', -3 * HOUR_MS],
] as const)
  test(`the clock of the leader is set ${what}`, async (t) => {
    const fleet = fleetEdges(t);
    const hosts = [await fleet.host('edge-1'), await fleet.host('edge-2')] as const;
    await fleet.clock.elapse(3000);
    const leader = hosts.find(({ edge }) => edge.fleet.leads) ?? assert.fail('nobody leads');
    const other = hosts.find((host) => host !== leader) ?? assert.fail();
    await shift(fleet, other, 40, 60_000);
    leader.setClock(byMs);
    await pass(fleet, hosts, 30);
    assert.deepEqual([leader.edge.fleet.leads, leader.edge.fleet.problem, other.edge.fleet.problem], [true, null, null]);
    assert.deepEqual(hosts.map(greenOf), [40, 40], 'its time is not over');
    assert.ok(Math.abs((leader.edge.fleet.skewMs ?? 0) - byMs) < 1000, String(leader.edge.fleet.skewMs));
    // What that host is asked for lasts as long as it says, too.
    await shift(fleet, leader, 50, 20_000);
    await pass(fleet, hosts, 15);
    assert.deepEqual(hosts.map(greenOf), [50, 50]);
    await pass(fleet, hosts, 40);
    assert.deepEqual(hosts.map(greenOf), [10, 10], 'both have returned');
    for (const { edge, store } of hosts)
      assert.equal(verifyChain(store.chain(), edge.keeper.intent.revision, (revision) => store.intentAt(revision)).intact, true);
  });

test('a change of one host alone is over when its time is, though the clock of the host is set meanwhile', async (t) => {
  const fleet = fleetEdges(t);
  const hosts = [await fleet.host('edge-1'), await fleet.host('edge-2')] as const;
  const [one] = hosts;
  await fleet.clock.elapse(3000);
  one.faults.cut = true;
  await fleet.clock.elapse(3000);
  const change = { kind: 'shift', service: 'shop', percents: { green: 0 }, forMs: 60_000 } as const;
  const made = await fleet.settled(one.edge.changes.run(() => makeChange(one.edge, { change, yes: true, local: true }, ALICE)));
  assert.ok(made.ok, made.ok ? '' : made.problem.message);
  one.setClock(3 * HOUR_MS);
  await pass(fleet, hosts, 50);
  assert.equal(greenOf(one), 0);
  await pass(fleet, hosts, 20);
  assert.equal(greenOf(one), 10);
});

test('what comes little by little is as far on every host, whatever their clocks say', async (t) => {
  const fleet = fleetEdges(t);
  const hosts = [await fleet.host('edge-1'), await fleet.host('edge-2')] as const;
  const [one, two] = hosts;
  await fleet.clock.elapse(3000);
  two.setClock(-3 * HOUR_MS);
  await fleet.clock.elapse(2000);
  const change = { kind: 'shift', service: 'shop', percents: { green: 50 }, overMs: 100_000 } as const;
  const made = await fleet.settled(two.edge.changes.run(() => makeChange(two.edge, { change, yes: true }, ALICE)));
  assert.ok(made.ok, made.ok ? '' : made.problem.message);
  await pass(fleet, hosts, 45);
  one.setClock(3 * HOUR_MS);
  const green = ({ edge }: EdgeUnderTest): number => (intentNow(edge).services['shop']?.split['green'] ?? 0) / 10_000;
  const [here, there] = [green(one), green(two)];
  // From 10 % to 50 %, and what time it takes until both have it.
  assert.ok(here > 25 && here < 35 && Math.abs(here - there) < 1, `${here} and ${there}`);
});
