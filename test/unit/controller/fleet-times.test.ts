// How long it takes, by the clock of the test: a host that is cut off holds up nobody, is named, and comes after; ten minutes without the store of the fleet
// change nothing of what is served; a fleet that has lost its leader has another one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeResult } from '../../../balancer/controller/api/views.ts';
import { makeChange } from '../../../balancer/controller/change.ts';
import { fleetEdges, type EdgeUnderTest, type FleetEdges } from '../../support/fleet-edges.ts';

const ALICE = { author: { name: 'alice', how: 'token alice' }, role: 'operate' } as const;
/** Time goes on in steps of so much. */
const STEP_MS = 50;

async function shift(fleet: FleetEdges, { edge }: EdgeUnderTest, green: number): Promise<ChangeResult> {
  const change = { kind: 'shift', service: 'shop', percents: { green } } as const;
  const outcome = await fleet.settled(edge.changes.run(() => makeChange(edge, { change, yes: true }, ALICE)));
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.problem.message);
  return outcome.value;
}

/** How long until it is so. */
async function after({ clock }: FleetEdges, isSo: () => boolean, mostMs: number): Promise<number> {
  const startedMs = clock.nowMs();
  while (!isSo() && clock.nowMs() - startedMs <= mostMs) await clock.elapse(STEP_MS);
  return clock.nowMs() - startedMs;
}

const greenOf = ({ edge }: EdgeUnderTest): number => (edge.intent.services['shop']?.split['green'] ?? 0) / 10_000;

for (const beat of [0, 330, 660, 990])
  test(`one of three hosts is cut off, ${beat} ms into its beat: the others serve a shift within 1 s, it is named within 3 s and serves it 2 s after it is back`, async (t) => {
    const fleet = fleetEdges(t);
    const hosts = [await fleet.host('edge-1'), await fleet.host('edge-2'), await fleet.host('edge-3')] as const;
    const [one, two, three] = hosts;
    await fleet.clock.elapse(3000 + beat);
    three.faults.cut = true;
    const change = shift(fleet, one, 40);
    const othersMs = await after(fleet, () => greenOf(one) === 40 && greenOf(two) === 40, 10_000);
    const { applied } = await change;
    assert.ok(othersMs <= 1000 + 2 * STEP_MS, `the others after ${othersMs} ms`);
    assert.match(applied?.fleet?.laggards.join() ?? '', /^edge-3 \(/);
    assert.ok((applied?.tookMs ?? Infinity) <= 3000, `named after ${applied?.tookMs} ms`);
    await fleet.clock.elapse(30_000 + beat);
    assert.equal(greenOf(three), 10, 'and serves on as it is');
    three.faults.cut = false;
    const convergedMs = await after(fleet, () => hosts.every((host) => greenOf(host) === 40), 10_000);
    assert.ok(convergedMs <= 2000, `converged after ${convergedMs} ms`);
    assert.deepEqual((await shift(fleet, three, 41)).applied?.fleet?.laggards, []);
  });

test('ten minutes without the store of the fleet: nothing that is served changes, nobody leads, and all are one again 2 s after', async (t) => {
  const fleet = fleetEdges(t);
  const hosts = [await fleet.host('edge-1'), await fleet.host('edge-2'), await fleet.host('edge-3')] as const;
  await fleet.clock.elapse(3000);
  await shift(fleet, hosts[0], 40);
  assert.equal(hosts.filter(({ edge }) => edge.fleet.leads).length, 1);
  const intents = hosts.map(({ edge }) => edge.intent);
  for (const { faults } of hosts) faults.cut = true;
  for (let second = 0; second < 600; second += 1) {
    await fleet.clock.elapse(1000);
    hosts.forEach(({ edge }, index) => assert.equal(edge.intent, intents[index]));
    if (second > 10) assert.ok(hosts.every(({ edge }) => !edge.fleet.leads && edge.fleet.problem !== null));
  }
  const texts = hosts[0].edge.events
    .newest(500)
    .filter(({ text }) => /^the fleet cannot be reached, this host serves on as it is/.test(text));
  assert.equal(texts.length, 1, 'told once, not each second');
  for (const { faults } of hosts) faults.cut = false;
  const backMs = await after(fleet, () => hosts.every(({ edge }) => edge.fleet.problem === null), 10_000);
  assert.ok(backMs <= 2000, `back after ${backMs} ms`);
  assert.deepEqual((await shift(fleet, hosts[2], 50)).applied?.fleet?.laggards, []);
});

test('a leader that is cut off does not lead any more before another one does, which is within 15 s', async (t) => {
  const fleet = fleetEdges(t);
  const hosts = [await fleet.host('edge-1'), await fleet.host('edge-2'), await fleet.host('edge-3')] as const;
  await fleet.clock.elapse(5000);
  for (let turn = 0; turn < 5; turn += 1) {
    const leader = hosts.find(({ edge }) => edge.fleet.leads) ?? assert.fail('nobody leads');
    leader.faults.cut = true;
    const tookMs = await after(
      fleet,
      () => {
        assert.ok(hosts.filter(({ edge }) => edge.fleet.leads).length <= 1);
        return hosts.some((host) => host !== leader && host.edge.fleet.leads);
      },
      20_000,
    );
    assert.ok(tookMs <= 15_000, `another one after ${tookMs} ms`);
    leader.faults.cut = false;
    await fleet.clock.elapse(3000);
  }
});
