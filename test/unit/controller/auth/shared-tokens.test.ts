// Tokens of hosts that are a fleet: made on one they are good on all, revoked on one on none; what a host has of its own stays its own.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { createToken, revokeToken, shareToken } from '../../../../balancer/controller/auth/change-tokens.ts';
import { HostTokens } from '../../../../balancer/controller/auth/host-tokens.ts';
import { mintToken } from '../../../../balancer/controller/auth/tokens.ts';
import type { MadeToken, RevokedToken, TokenRequest } from '../../../../balancer/controller/api/views.ts';
import type { Outcome } from '../../../../balancer/controller/appliance.ts';
import { fleetEdges, type EdgeUnderTest, type FleetEdges } from '../../../support/fleet-edges.ts';

const ADMIN = { author: { name: 'alice', how: 'token alice' }, role: 'admin' } as const;
const CI: TokenRequest = { name: 'ci', role: 'operate', cluster: null };
const AGENT: TokenRequest = { name: 'agent-one', role: 'agent', cluster: 'one' };

interface Hosts {
  readonly fleet: FleetEdges;
  readonly one: EdgeUnderTest;
  readonly two: EdgeUnderTest;
  readonly three: EdgeUnderTest;
}

async function threeHosts(t: TestContext): Promise<Hosts> {
  const fleet = fleetEdges(t);
  const hosts = { fleet, one: await fleet.host('edge-1'), two: await fleet.host('edge-2'), three: await fleet.host('edge-3') };
  await fleet.clock.elapse(3000);
  return hosts;
}

function value<T>(outcome: Outcome<T>): T {
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.problem.message);
  return outcome.value;
}

function problem(outcome: Outcome<unknown>): string {
  assert.ok(!outcome.ok);
  return `${outcome.problem.code}: ${outcome.problem.message}`;
}

const made = ({ fleet }: Hosts, { edge }: EdgeUnderTest, request: TokenRequest): Promise<Outcome<MadeToken>> =>
  fleet.settled(edge.changes.run(() => createToken(edge, request, ADMIN)));
const revoked = ({ fleet }: Hosts, { edge }: EdgeUnderTest, name: string, local = false): Promise<Outcome<RevokedToken>> =>
  fleet.settled(edge.changes.run(() => revokeToken(edge, { name, local, caller: ADMIN })));
const shared = ({ fleet }: Hosts, { edge }: EdgeUnderTest, name: string): Promise<Outcome<MadeToken>> =>
  fleet.settled(edge.changes.run(() => shareToken(edge, name, ADMIN)));
const secretOf = async (hosts: Hosts, host: EdgeUnderTest, request: TokenRequest): Promise<string> =>
  value(await made(hosts, host, request)).secret ?? assert.fail('it was made elsewhere');
const names = ({ edge }: EdgeUnderTest): readonly string[] => edge.tokens.views().map(({ name, scope }) => `${name} ${scope}`);

test('a token that was made on one host is good on all, and the audit of all names who made it; revoked, it is good on none', async (t) => {
  const hosts = await threeHosts(t);
  const { fleet, one, two, three } = hosts;
  const secret = await secretOf(hosts, one, CI);
  await fleet.clock.elapse(1500);
  for (const { edge, store } of [one, two, three]) {
    assert.deepEqual(edge.tokens.caller(secret), { author: { name: 'ci', how: 'token ci' }, role: 'operate', person: 'ci' });
    const [newest] = store.revisions(1);
    assert.deepEqual([newest?.author.name, newest?.change?.kind], ['alice', 'token_make']);
    assert.ok(!JSON.stringify(store.readIntent()).includes(secret.slice(-43)), 'the secret is stored nowhere');
  }
  assert.deepEqual(
    [two, three].map(({ edge }) => edge.tokens.views()[0]?.lastUsedAt !== null),
    [true, true],
  );
  value(await revoked(hosts, three, 'ci'));
  await fleet.clock.elapse(1500);
  for (const { edge } of [one, two, three]) assert.equal(edge.tokens.caller(secret), null);
});

test('of an agent one token is good on all hosts, two while it is changed, and the old one ends on all', async (t) => {
  const hosts = await threeHosts(t);
  const { fleet, one, two, three } = hosts;
  const first = await secretOf(hosts, one, AGENT);
  await fleet.clock.elapse(1500);
  const next = value(await made(hosts, two, { ...AGENT, rotate: { keepMs: 60_000 } }));
  assert.deepEqual([next.token.name, next.ending.map(({ name }) => name)], ['agent-one-2', ['agent-one']]);
  await fleet.clock.elapse(1500);
  for (const { edge } of [one, two, three])
    assert.deepEqual([edge.tokens.agent(first)?.cluster, edge.tokens.agent(next.secret ?? '')?.cluster], ['one', 'one']);
  assert.match(problem(await made(hosts, three, { ...AGENT, rotate: { keepMs: 0 } })), /^conflict: .* no more than 2/);
  await fleet.clock.elapse(60_000);
  for (const { edge } of [one, two, three])
    assert.deepEqual([edge.tokens.agent(first), edge.tokens.agent(next.secret ?? '')?.cluster], [null, 'one']);
  assert.equal(one.edge.tokens.caller(next.secret ?? ''), null, 'and opens nothing but the hub');
});

test('two hosts that are asked for the same name make one token, and other changes meanwhile hold nobody up', async (t) => {
  const hosts = await threeHosts(t);
  const outcomes = await Promise.all([
    made(hosts, hosts.one, CI),
    made(hosts, hosts.two, CI),
    made(hosts, hosts.three, { ...CI, name: 'cd' }),
  ]);
  assert.deepEqual(outcomes.map(({ ok }) => ok).sort(), [false, true, true]);
  assert.match(problem(outcomes.find(({ ok }) => !ok) ?? outcomes[0]), /^conflict: a token named ci exists/);
});

test('what a host had before it was one of the fleet is its own until it is shared; copies of it are those of the fleet then', async (t) => {
  const hosts = await threeHosts(t);
  const { fleet, one, two } = hosts;
  const before = mintToken(AGENT, fleet.clock.wallMs(), (size) => new Uint8Array(size).fill(7));
  for (const { edge, store } of [one, two]) {
    store.putTokens([before.stored]);
    edge.tokens.changed();
  }
  assert.deepEqual([names(one), hosts.three.edge.tokens.agent(before.secret)], [['agent-one host'], null]);
  assert.match(
    problem(await made(hosts, one, AGENT)),
    /^conflict: this host alone has a token named agent-one; .*weir token share agent-one/,
  );
  assert.equal(value(await shared(hosts, one, 'agent-one')).token.scope, 'fleet');
  await fleet.clock.elapse(1500);
  for (const host of [one, two, hosts.three]) {
    assert.deepEqual(names(host), ['agent-one fleet']);
    assert.equal(host.edge.tokens.agent(before.secret)?.cluster, 'one');
    assert.deepEqual(host.store.tokens(), []);
  }
  assert.match(problem(await shared(hosts, one, 'agent-one')), /^not_found: this host has no token agent-one of its own/);
  value(await revoked(hosts, hosts.three, 'agent-one'));
  await fleet.clock.elapse(1500);
  for (const { edge } of [one, two, hosts.three]) assert.equal(edge.tokens.agent(before.secret), null);
});

test('a host that is cut off takes a token until it hears that it was revoked, and is named; it can be told itself', async (t) => {
  const hosts = await threeHosts(t);
  const { fleet, one, two } = hosts;
  const secret = await secretOf(hosts, one, CI);
  await fleet.clock.elapse(1500);
  assert.match(problem(await revoked(hosts, two, 'ci', true)), /^unsafe: the fleet can be asked/);
  two.faults.cut = true;
  const done = value(await revoked(hosts, one, 'ci'));
  assert.match(done.fleet?.laggards.join() ?? '', /edge-2/);
  assert.deepEqual([one.edge.tokens.caller(secret), two.edge.tokens.caller(secret)?.role], [null, 'operate']);
  assert.match(problem(await revoked(hosts, two, 'ci')), /^unreachable: .* To refuse it on this host until then: --local$/);
  assert.equal(value(await revoked(hosts, two, 'ci', true)).elsewhere, true);
  assert.equal(two.edge.tokens.caller(secret), null);
  const again = new HostTokens({ store: two.store, clock: fleet.clock, shared: () => two.edge.keeper.intent.tokens });
  assert.equal(again.caller(secret), null, 'after a restart too');
  assert.equal(again.views()[0]?.refused, true);
  assert.match(problem(await made(hosts, two, { ...CI, name: 'here' })), /^unreachable: .* To make one of this host alone: --local$/);
  const own = await secretOf(hosts, two, { ...CI, name: 'here', local: true });
  assert.equal(two.edge.tokens.caller(own)?.role, 'operate');
  two.faults.cut = false;
  await fleet.clock.elapse(3000);
  assert.deepEqual(names(two), ['here host']);
  assert.equal(one.edge.tokens.caller(own), null);
});

test('what was revoked does not come back, not even when the ledger has lost that it was', async (t) => {
  const hosts = await threeHosts(t);
  const { fleet, one, two } = hosts;
  const secret = await secretOf(hosts, one, CI);
  await fleet.clock.elapse(1500);
  const { keeper } = two.edge;
  const kept = { record: keeper.newest ?? assert.fail(), intent: keeper.intent };
  value(await revoked(hosts, one, 'ci'));
  await fleet.clock.elapse(1500);
  // Another end of the chain, without the revocation, stands in its place.
  keeper.takeInstead(kept.record.revision - 1, [kept]);
  assert.ok(two.edge.keeper.intent.tokens?.['ci'] !== undefined);
  assert.equal(two.edge.tokens.caller(secret), null);
  const secretHash = hash('sha256', secret);
  assert.match(problem(await made(hosts, one, { ...AGENT, secretHash })), /^conflict: .* what was revoked does not come back/);
});

test('a token is looked up once for each connection that is looked over, and the store only when something changed', () => {
  const nowMs = Date.parse('2026-11-26T10:00:00Z');
  const mint = (name: string, wish: object = {}) =>
    mintToken({ name, role: 'agent', cluster: 'eu', ...wish }, nowMs, (size) => Buffer.alloc(size, name));
  const [one, timed, person] = [mint('one'), mint('timed', { ttlMs: 1000 }), mint('alice', { role: 'admin', cluster: null })];
  let stored = [one.stored, timed.stored, person.stored];
  let reads = 0;
  let wallMs = nowMs;
  const tokens = new HostTokens({
    store: {
      tokens: () => ((reads += 1), stored),
      deleteToken: () => false,
      getValue: () => null,
      putValue: () => undefined,
      putDurably: () => undefined,
    },
    clock: { wallMs: () => wallMs, nowMs: () => wallMs },
    shared: () => undefined,
  });
  assert.deepEqual([tokens.agent(one.secret)?.cluster, tokens.agent(timed.secret)?.cluster], ['eu', 'eu']);
  const wrongs = [person.secret, `${one.secret}x`, one.secret.replace('_one_', '_timed_'), 'weir_one_', 'weir_', '', 'weir___proto__'];
  for (const wrong of [...wrongs, 'x'.repeat(10_000)]) assert.equal(tokens.agent(wrong), null, wrong.slice(0, 40));
  wallMs += 1000;
  assert.equal(tokens.agent(timed.secret), null);
  assert.equal(reads, 1);
  stored = [];
  tokens.changed();
  assert.equal(tokens.agent(one.secret), null);
});
