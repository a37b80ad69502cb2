// A change that comes little by little, on the hosts of a fleet: the same everywhere and at every moment without a word between them, also on one that is cut
// off and after the leader is gone; and what it may do of a service that takes two people.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeRequest, ChangeResult } from '../../../balancer/controller/api/views.ts';
import { makeChange } from '../../../balancer/controller/change.ts';
import { Arrivals } from '../../../balancer/controller/driver/arrivals.ts';
import { intentNow } from '../../../balancer/controller/intent-now.ts';
import type { Outcome } from '../../../balancer/controller/appliance.ts';
import { fleetEdges, type EdgeUnderTest, type FleetEdges } from '../../support/fleet-edges.ts';

const ALICE = { author: { name: 'alice', how: 'token alice' }, role: 'operate' } as const;

function ask(fleet: FleetEdges, { edge }: EdgeUnderTest, request: ChangeRequest): Promise<Outcome<ChangeResult>> {
  return fleet.settled(edge.changes.run(() => makeChange(edge, { yes: true, ...request }, ALICE)));
}

const shift = (green: number, overMs?: number): ChangeRequest => ({
  change: { kind: 'shift', service: 'shop', percents: { green }, ...(overMs === undefined ? {} : { overMs }) },
});

/** By intent, and by the plan that workers would be given: millionths. */
const greenOf = ({ edge }: EdgeUnderTest): readonly [number | undefined, number] => {
  edge.loop.recompute();
  const targets = edge.loop.plan.services['shop']?.targets ?? [];
  const desired = targets.filter(({ version }) => version === 'green').reduce((sum, target) => sum + target.desired, 0);
  return [intentNow(edge).services['shop']?.split['green'], desired];
};

test('every host has the same share at every moment, and nothing is written on the way', async (t) => {
  const fleet = fleetEdges(t);
  const hosts = [await fleet.host('edge-1'), await fleet.host('edge-2'), await fleet.host('edge-3')] as const;
  const [one, two, three] = hosts;
  const arrivals = new Arrivals(two.edge);
  await fleet.clock.elapse(3000);
  const made = await ask(fleet, one, shift(50, 100_000));
  assert.ok(made.ok, made.ok ? '' : made.problem.message);
  const sinceMs = Date.parse(one.edge.keeper.intent.glides?.[String(made.value.revision)]?.since ?? '');
  await fleet.clock.elapse(2000);
  three.faults.cut = true;
  for (let second = 0; second < 110; second += 1) {
    await fleet.clock.elapse(1000);
    arrivals.tick();
    if (second === 30) await one.edge.fleet.close();
    const expected = 100_000 + Math.min(400_000, 4 * (fleet.clock.wallMs() - sinceMs));
    for (const host of hosts) assert.deepEqual(greenOf(host), [expected, expected], `second ${second}`);
  }
  assert.deepEqual(
    hosts.map(({ edge }) => edge.keeper.intent.revision),
    [made.value.revision, made.value.revision, made.value.revision],
  );
  assert.deepEqual(greenOf(three), [500_000, 500_000]);
  const told = two.edge.events.newest(50).filter(({ code }) => code === 'revision.arrived');
  assert.deepEqual(
    told.map(({ text }) => text),
    [`revision ${made.value.revision} has arrived: shop.split as asked`],
  );
});

test('one host alone does nothing little by little', async (t) => {
  const fleet = fleetEdges(t);
  const one = await fleet.host('edge-1');
  one.faults.cut = true;
  await fleet.clock.elapse(5000);
  const made = await ask(fleet, one, { ...shift(50, 60_000), local: true });
  assert.ok(!made.ok);
  assert.match(made.problem.message, /--local is there at once, and --over is for what all hosts do alike/);
});

test('to have it there at once takes two people too, although it goes where it went', async (t) => {
  const approval = 'safety: { approval: { services: [shop] } }\n';
  const fleet = fleetEdges(t, { hostPart: approval });
  const one = await fleet.host('edge-1');
  await fleet.clock.elapse(2000);
  const glass = await ask(fleet, one, { ...shift(50, 60_000), breakGlass: true, reason: 'blue loses orders' });
  assert.ok(glass.ok, glass.ok ? '' : glass.problem.message);
  const rushed = await ask(fleet, one, shift(50));
  assert.ok(!rushed.ok);
  assert.equal(rushed.problem.code, 'approval');
  const other = await ask(fleet, one, { change: { kind: 'release', cluster: 'one' } });
  assert.equal(other.ok || other.problem.code, 'approval', 'a cluster that it runs in');
  await fleet.clock.elapse(60_000);
  const arrived = await ask(fleet, one, shift(50));
  assert.ok(arrived.ok && !arrived.value.changed, 'it has arrived: there is nothing to approve');
});
