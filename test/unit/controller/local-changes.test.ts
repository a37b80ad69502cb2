// What a host is changed by while it is cut off from its fleet: it holds for this host alone, beside whatever the fleet does, until somebody decides.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { AskedChange, ChangeRequest, ChangeResult, LocalRequest } from '../../../balancer/controller/api/views.ts';
import type { Outcome } from '../../../balancer/controller/appliance.ts';
import { makeChange } from '../../../balancer/controller/change.ts';
import { ExpiryDriver } from '../../../balancer/controller/driver/expiries.ts';
import type { Edge } from '../../../balancer/controller/edge.ts';
import { LocalChanges } from '../../../balancer/controller/fleet/local-changes.ts';
import { localViews, settleLocal } from '../../../balancer/controller/settle-local.ts';
import { fleetEdges, type EdgeUnderTest, type FleetEdges } from '../../support/fleet-edges.ts';

const callerOf = (name: string) => ({ author: { name, how: `token ${name}` }, role: 'operate' }) as const;
const shiftTo = (green: number, forMs?: number): AskedChange => ({
  ...{ kind: 'shift', service: 'shop', percents: { green } },
  ...(forMs === undefined ? {} : { forMs }),
});
const dial = (cluster: string, percent: number): AskedChange => ({ kind: 'dial', cluster, percent });

interface Cut {
  readonly fleet: FleetEdges;
  readonly near: EdgeUnderTest;
  /** Cut off. */
  readonly far: EdgeUnderTest;
}

async function cutOff(t: TestContext): Promise<Cut> {
  const fleet = fleetEdges(t);
  const near = await fleet.host('edge-1');
  const far = await fleet.host('edge-2');
  far.faults.cut = true;
  await fleet.clock.elapse(3000);
  return { fleet, near, far };
}

async function asked({ fleet }: Pick<Cut, 'fleet'>, { edge }: EdgeUnderTest, request: ChangeRequest): Promise<Outcome<ChangeResult>> {
  return fleet.settled(edge.changes.run(() => makeChange(edge, { yes: true, ...request }, callerOf('alice'))));
}

async function done(cut: Pick<Cut, 'fleet'>, host: EdgeUnderTest, request: ChangeRequest): Promise<ChangeResult> {
  const outcome = await asked(cut, host, request);
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.problem.message);
  return outcome.value;
}

async function settle({ fleet }: Pick<Cut, 'fleet'>, { edge }: EdgeUnderTest, request: LocalRequest) {
  return fleet.settled(edge.changes.run(() => settleLocal(edge, request, callerOf('bob'))));
}

async function healed({ fleet, far }: Cut): Promise<void> {
  far.faults.cut = false;
  await fleet.clock.elapse(3000);
  assert.equal(far.edge.fleet.problem, null);
}

const greenOf = ({ intent }: Pick<Edge, 'intent'>): number => (intent.services['shop']?.split['green'] ?? 0) / 10_000;
const fleetGreenOf = ({ keeper }: Pick<Edge, 'keeper'>): number => greenOf({ intent: keeper.intent });
const told = ({ edge }: EdgeUnderTest, what: RegExp): boolean => edge.events.newest(500).some(({ text }) => what.test(text));

test('a host that is cut off can be changed alone, and says so wherever one looks', async (t) => {
  const cut = await cutOff(t);
  const { fleet, near, far } = cut;
  const result = await done(cut, far, { change: shiftTo(0), local: true, reason: 'green is broken here' });
  assert.equal(result.local, true);
  assert.match(result.summary, /^local change 1, on edge-2 alone: shop: blue 90 % → 100 %, green 10 % → 0 %$/);
  assert.equal(result.undo, 'weir local discard');
  assert.deepEqual([greenOf(far.edge), fleetGreenOf(far.edge), greenOf(near.edge)], [0, 10, 10]);
  assert.equal((await fleet.ledger.head()).revision, 1);
  assert.ok(told(far, /^LOCAL: local change 1, on edge-2 alone: .* \(by alice: green is broken here\)$/));
  assert.deepEqual(far.edge.local.fields(), ['shop.clusterSplits', 'shop.split']);
  const [view] = localViews(far.edge);
  assert.deepEqual([view?.state, view?.local, view?.fields, view?.revision], ['held', 1, ['shop.split'], 1]);
});

test('without --local a change of a host that is cut off is refused, and told how it can be made', async (t) => {
  const cut = await cutOff(t);
  const outcome = await asked(cut, cut.far, { change: shiftTo(0) });
  assert.ok(!outcome.ok);
  assert.equal(outcome.problem.code, 'unreachable');
  assert.match(outcome.problem.message, /To change this host alone until then: --local$/);
});

test('a change of one host alone is refused while the fleet can be asked, for what needs the fleet, and by the rules of any change', async (t) => {
  const cut = await cutOff(t);
  const refusal = async (host: EdgeUnderTest, change: AskedChange): Promise<string> => {
    const outcome = await asked(cut, host, { change, local: true });
    assert.ok(!outcome.ok);
    return `${outcome.problem.code}: ${outcome.problem.message}`;
  };
  assert.match(await refusal(cut.near, shiftTo(0)), /^unsafe: the fleet can be asked, .* leave --local away/);
  assert.match(await refusal(cut.far, { kind: 'release', cluster: 'one' }), /^usage: --local is for what steers: .* a release waits/);
  assert.match(await refusal(cut.far, { kind: 'shift', service: 'shop', percents: { pink: 1 } }), /^not_found: .*no version "pink"/);
  assert.equal(cut.far.edge.local.all.length, 0);
});

test('the moment it is there again it cannot be changed alone, though it has not noticed yet', async (t) => {
  const cut = await cutOff(t);
  cut.far.faults.cut = false;
  assert.notEqual(cut.far.edge.fleet.problem, null);
  const outcome = await asked(cut, cut.far, { change: shiftTo(0), local: true });
  assert.ok(!outcome.ok);
  assert.equal(outcome.problem.code, 'unsafe');
});

test('back in the fleet it follows everything but what it holds, and tells that somebody has to decide', async (t) => {
  const cut = await cutOff(t);
  const { near, far } = cut;
  await done(cut, far, { change: shiftTo(0), local: true });
  await done(cut, near, { change: shiftTo(40) });
  await done(cut, near, { change: dial('one', 60) });
  await healed(cut);
  assert.deepEqual(far.edge.keeper.head, near.edge.keeper.head);
  assert.deepEqual([greenOf(far.edge), fleetGreenOf(far.edge)], [0, 40]);
  assert.equal(far.edge.intent.clusters['one']?.dialPercent, 60);
  assert.ok(told(far, /LOCAL: this host holds shop\.clusterSplits, shop\.split against its fleet: weir local list/));
  assert.deepEqual(localViews(far.edge)[0]?.conflicts, ['shop.split by revision 2 of alice']);
  const { applied } = await done(cut, near, { change: shiftTo(50) });
  assert.match(applied?.fleet?.laggards.join() ?? '', /edge-2 \(holds shop\.split by a local change\)/);
});

test('what is merged is a change of the whole fleet, by its rules, and asks where the fleet has changed the same', async (t) => {
  const cut = await cutOff(t);
  const { near, far } = cut;
  await done(cut, far, { change: shiftTo(0), local: true, reason: 'green is broken here' });
  await done(cut, far, { change: dial('one', 30), local: true });
  await done(cut, near, { change: shiftTo(40) });
  const early = await settle(cut, far, { act: 'merge' });
  assert.equal(early?.code, 'unreachable');
  await healed(cut);
  const question = await settle(cut, far, { act: 'merge' });
  assert.equal(question?.code, 'confirm');
  assert.match(question.message, /the fleet has changed the same since: shop\.split by revision 2 of alice/);
  assert.equal(fleetGreenOf(far.edge), 40, 'nothing happens before the answer');
  assert.equal(await settle(cut, far, { act: 'merge', yes: true }), null);
  await cut.fleet.clock.elapse(2000);
  assert.deepEqual([fleetGreenOf(near.edge), near.edge.intent.clusters['one']?.dialPercent], [0, 30]);
  assert.deepEqual(far.edge.local.held, []);
  assert.match(near.edge.keeper.newest?.reason ?? '', /^local change 2 of edge-2, made .* UTC by alice$/);
  assert.deepEqual(
    localViews(far.edge).map(({ state, note }) => [state, note]),
    [
      ['ended', 'merged as revision 3 by bob'],
      ['ended', 'merged as revision 4 by bob'],
    ],
  );
});

test('one that the rules refuse stays, those before it are merged', async (t) => {
  const cut = await cutOff(t);
  const { near, far } = cut;
  await done(cut, far, { change: shiftTo(20), local: true });
  await done(cut, far, { change: { kind: 'admin', cluster: 'one', state: 'drain' }, local: true });
  await done(cut, near, { change: { kind: 'admin', cluster: 'two', state: 'drain' } });
  await healed(cut);
  const problem = await settle(cut, far, { act: 'merge', yes: true });
  assert.equal(problem?.code, 'unsafe');
  assert.match(problem.message, /^local change 2: /);
  assert.deepEqual(
    localViews(far.edge).map(({ state }) => state),
    ['ended', 'held'],
  );
  assert.equal(fleetGreenOf(far.edge), 20);
});

test("what is discarded leaves the fleet's, also while it is cut off", async (t) => {
  const cut = await cutOff(t);
  const { far } = cut;
  await done(cut, far, { change: shiftTo(0), local: true });
  await done(cut, far, { change: dial('one', 30), local: true });
  assert.equal(await settle(cut, far, { act: 'discard', number: 1 }), null);
  assert.deepEqual([greenOf(far.edge), far.edge.intent.clusters['one']?.dialPercent], [10, 30]);
  assert.equal((await settle(cut, far, { act: 'discard', number: 1 }))?.code, 'not_found');
  assert.equal(await settle(cut, far, { act: 'discard', reason: 'it was the network' }), null);
  assert.deepEqual(far.edge.intent, far.edge.keeper.intent);
  assert.equal(localViews(far.edge)[1]?.note, 'discarded by bob (it was the network)');
});

test('one for a time is over by itself, and merged it returns at the same time', async (t) => {
  const cut = await cutOff(t);
  const { near, far } = cut;
  await done(cut, far, { change: shiftTo(0, 60_000), local: true });
  await cut.fleet.clock.elapse(20_000);
  new ExpiryDriver(far.edge).tick();
  assert.equal(greenOf(far.edge), 0);
  await healed(cut);
  const [view] = localViews(far.edge);
  assert.equal(await settle(cut, far, { act: 'merge', number: view?.local ?? 0 }), null);
  assert.deepEqual(
    Object.values(near.edge.keeper.intent.overrides ?? {}).map(({ until }) => until),
    [view?.until],
  );
  far.faults.cut = true;
  await cut.fleet.clock.elapse(3000);
  await done(cut, far, { change: dial('one', 10), local: true, permanent: false });
  await done(cut, far, { change: shiftTo(5, 10_000), local: true });
  await cut.fleet.clock.elapse(11_000);
  new ExpiryDriver(far.edge).tick();
  assert.deepEqual([greenOf(far.edge), far.edge.intent.clusters['one']?.dialPercent], [0, 10]);
});

test('a controller that is started anew holds what the one before held', async (t) => {
  const cut = await cutOff(t);
  await done(cut, cut.far, { change: shiftTo(0), local: true });
  const again = new LocalChanges(cut.far.store);
  assert.deepEqual(again.all, cut.far.edge.local.all);
  assert.equal(greenOf({ intent: again.over(cut.far.edge.keeper.intent) }), 0);
});
