// A host of a fleet whose disk is full: it serves what the fleet has agreed on, takes part in everything, says so wherever one looks, and stores all of it in its
// order when it can.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeChange } from '../../../balancer/controller/change.ts';
import { createToken, revokeToken } from '../../../balancer/controller/auth/change-tokens.ts';
import { verifyChain } from '../../../balancer/intent/revision.ts';
import { StoreTakesNothingError, type Store } from '../../../balancer/store/store.ts';
import { fleetEdges, type EdgeUnderTest, type FleetEdges } from '../../support/fleet-edges.ts';

const ALICE = { author: { name: 'alice', how: 'token alice' }, role: 'admin' } as const;
const WRITES = ['commit', 'replaceAfter', 'putTokens', 'putServed', 'deleteToken', 'putValue', 'putDurably'] as const;

/** Every write fails, until the returned function is called. */
function fill(store: Store): () => void {
  const full = (): never => {
    throw new StoreTakesNothingError('database or disk is full');
  };
  for (const name of WRITES) Object.defineProperty(store, name, { value: full, configurable: true });
  return () => {
    for (const name of WRITES) Reflect.deleteProperty(store, name);
  };
}

async function shift(fleet: FleetEdges, { edge }: EdgeUnderTest, green: number): Promise<number> {
  const change = { kind: 'shift', service: 'shop', percents: { green } } as const;
  const outcome = await fleet.settled(edge.changes.run(() => makeChange(edge, { change, yes: true }, ALICE)));
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.problem.message);
  return outcome.value.revision;
}

/** Two hosts that know the token `ci` of the first. */
async function twoWithToken(
  fleet: FleetEdges,
): Promise<{ readonly one: EdgeUnderTest; readonly two: EdgeUnderTest; readonly secret: string }> {
  const one = await fleet.host('edge-1');
  const two = await fleet.host('edge-2');
  await fleet.clock.elapse(3000);
  const made = await fleet.settled(one.edge.changes.run(() => createToken(one.edge, { name: 'ci', role: 'read', cluster: null }, ALICE)));
  assert.ok(made.ok);
  await fleet.clock.elapse(1500);
  return { one, two, secret: made.value.secret ?? '' };
}

const greenOf = ({ edge }: EdgeUnderTest): number => (edge.intent.services['shop']?.split['green'] ?? 0) / 10_000;

test('a host whose disk is full serves what the fleet agrees on, and has it all when there is room again', async (t) => {
  const fleet = fleetEdges(t);
  const { one, two, secret } = await twoWithToken(fleet);
  assert.equal(two.edge.tokens.caller(secret)?.role, 'read');
  const makeRoom = fill(two.store);

  await shift(fleet, one, 40);
  await fleet.clock.elapse(2000);
  assert.equal(greenOf(two), 40);
  assert.match(two.edge.fleet.problem ?? '', /^the store of this host takes nothing: database or disk is full$/);
  assert.match(one.edge.fleet.peers()[0]?.presence.problem ?? '', /takes nothing: database or disk is full$/, 'the others are told');
  // What it is asked for itself is the fleet's too: that is where it is kept first.
  await shift(fleet, two, 45);
  assert.deepEqual([greenOf(one), greenOf(two)], [45, 45]);
  const revoked = await fleet.settled(one.edge.changes.run(() => revokeToken(one.edge, { name: 'ci', local: false, caller: ALICE })));
  assert.ok(revoked.ok);
  await fleet.clock.elapse(2000);
  assert.equal(two.edge.tokens.caller(secret), null, 'what was revoked is refused, stored or not');
  assert.equal(two.edge.events.newest(200).filter(({ text }) => /cannot be stored here/.test(text)).length, 1, 'told once');
  assert.ok((two.store.readIntent()?.revision ?? 0) < two.edge.keeper.intent.revision);

  makeRoom();
  await fleet.clock.elapse(2000);
  assert.equal(two.edge.fleet.problem, null);
  const { store, edge } = two;
  assert.deepEqual(store.readIntent(), one.store.readIntent());
  assert.equal(verifyChain(store.chain(), edge.keeper.intent.revision, (revision) => store.intentAt(revision)).intact, true);
});

test('what the fleet would take, and this host would have to store of its own too, is refused before the fleet is asked', async (t) => {
  const fleet = fleetEdges(t);
  const ofBefore = {
    owner: null,
    role: 'agent',
    cluster: 'one',
    secretHash: 'ab',
    createdAt: '2026-01-01T00:00:00Z',
    expiresAt: null,
  } as const;
  const one = await fleet.host('edge-1', 'edge-1', (store) => store.putTokens([{ name: 'agent-one', ...ofBefore }]));
  await fleet.clock.elapse(3000);
  const { edge, store } = one;
  const shared = await fleet.settled(
    edge.changes.run(() => createToken(edge, { name: 'agent-two', role: 'agent', cluster: 'two', secretHash: 'cd'.repeat(32) }, ALICE)),
  );
  assert.ok(shared.ok);
  // Copied by hand from another host before it was the fleet's.
  store.putTokens([{ ...ofBefore, name: 'agent-two', cluster: 'two' }]);
  edge.tokens.changed();
  const { revision } = edge.keeper.intent;
  const before = edge.tokens.views();
  const makeRoom = fill(store);

  const rotate = { keepMs: 60_000 };
  const rotation = { name: 'agent-one', role: 'agent', cluster: 'one', rotate } as const;
  await assert.rejects(fleet.settled(edge.changes.run(() => createToken(edge, rotation, ALICE))), StoreTakesNothingError);
  const revoking = { name: 'agent-two', local: false, caller: ALICE };
  await assert.rejects(fleet.settled(edge.changes.run(() => revokeToken(edge, revoking))), StoreTakesNothingError);
  assert.deepEqual([edge.keeper.intent.revision, edge.tokens.views()], [revision, before]);
  // Of this host alone, while it is cut off: not refused until it would last.
  one.faults.cut = true;
  await fleet.clock.elapse(4000);
  const ci = fleet.settled(edge.changes.run(() => revokeToken(edge, { ...revoking, name: 'agent-one', local: true })));
  await assert.rejects(ci, StoreTakesNothingError);
  assert.deepEqual(edge.tokens.views(), before);

  makeRoom();
  one.faults.cut = false;
  await fleet.clock.elapse(4000);
  assert.ok((await fleet.settled(edge.changes.run(() => revokeToken(edge, revoking)))).ok);
  assert.deepEqual(
    edge.tokens.views().map(({ name }) => name),
    ['agent-one'],
  );
  assert.deepEqual(
    store.tokens().map(({ name }) => name),
    ['agent-one'],
  );
});

test('what was revoked while the disk was full is refused after a restart too, as soon as there was room for it', async (t) => {
  const fleet = fleetEdges(t);
  const { one, two } = await twoWithToken(fleet);
  const makeRoom = fill(two.store);
  assert.ok((await fleet.settled(one.edge.changes.run(() => revokeToken(one.edge, { name: 'ci', local: false, caller: ALICE })))).ok);
  await fleet.clock.elapse(2000);
  const kept = (): string => two.store.getValue('tokens.refused') ?? '[]';
  assert.equal(kept(), '[]');
  assert.throws(() => two.edge.tokens.write(), StoreTakesNothingError);
  makeRoom();
  two.edge.tokens.write();
  assert.notEqual(kept(), '[]');
});
