// What happened, checked over many histories: hosts that are cut off and changed alone, while the others change the same, behind a network that loses questions
// and answers and on a ledger that goes back now and then. What was acknowledged of one host alone is served there until somebody decides, and gets nowhere else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AskedChange, LocalView } from '../../../balancer/controller/api/views.ts';
import { makeChange } from '../../../balancer/controller/change.ts';
import { ExpiryDriver } from '../../../balancer/controller/driver/expiries.ts';
import { LocalChanges } from '../../../balancer/controller/fleet/local-changes.ts';
import { localViews, settleLocal } from '../../../balancer/controller/settle-local.ts';
import { sameJson } from '../../../balancer/config/canonical-json.ts';
import { fieldsOf } from '../../../balancer/intent/diff.ts';
import type { Intent, Revision } from '../../../balancer/intent/intent.ts';
import { verifyChain } from '../../../balancer/intent/revision.ts';
import { fleetEdges, type EdgeUnderTest, type FleetEdges } from '../../support/fleet-edges.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const ALICE = { author: { name: 'alice', how: 'token alice' }, role: 'operate' } as const;
/** Why a change may be refused here: nothing of it is in force then. */
const REFUSALS = ['unreachable', 'conflict', 'unsafe', 'confirm', 'not_found'];
const ROUNDS = 50;

type Random = () => number;

class Host {
  readonly name: string;
  readonly under: EdgeUnderTest;
  readonly expiries: ExpiryDriver;
  /** What it was asked for alone, and said yes to, by its reason. */
  readonly acknowledged: string[] = [];
  /** Numbers of those that it was asked to merge, whatever it answered. */
  readonly askedToMerge = new Set<number>();
  /** What this host has acknowledged for the whole fleet. */
  readonly ofFleet: string[] = [];
  #highest = 0;

  constructor(name: string, under: EdgeUnderTest) {
    this.name = name;
    this.under = under;
    this.expiries = new ExpiryDriver(under.edge);
  }

  async change(change: AskedChange, reason: string, local: boolean): Promise<void> {
    const { edge } = this.under;
    const outcome = await edge.changes.run(() => makeChange(edge, { change, reason, local, yes: true }, ALICE));
    if (!outcome.ok) assert.ok(REFUSALS.includes(outcome.problem.code), outcome.problem.message);
    else if (outcome.value.changed) (local ? this.acknowledged : this.ofFleet).push(reason);
  }

  async settle(act: 'merge' | 'discard'): Promise<void> {
    const { edge } = this.under;
    const held = edge.local.held.map(({ number }) => number);
    if (act === 'merge') for (const number of held) this.askedToMerge.add(number);
    const problem = await edge.changes.run(() => settleLocal(edge, { act, yes: true }, ALICE));
    if (problem !== null) assert.ok(REFUSALS.includes(problem.code), problem.message);
    else assert.deepEqual(edge.local.held, [], `${act} was done, and something is held yet`);
  }

  /** What holds at any moment. */
  check(): void {
    const { edge, store } = this.under;
    const { revision } = edge.keeper.intent;
    assert.ok(revision >= this.#highest, `${this.name} went back from ${this.#highest} to ${revision}`);
    this.#highest = revision;
    assert.deepEqual(new LocalChanges(store).all, edge.local.all, 'a controller that starts now holds the same');
    // Each field that is held is as it was set here last, whatever the fleet did; every other one is the fleet's.
    const served = valuesOf(edge.intent);
    const wanted = new Map(valuesOf(edge.keeper.intent));
    for (const { held } of edge.local.held) for (const { path, after } of held) wanted.set(path.join('.'), after);
    for (const [path, value] of wanted)
      assert.ok(sameJson(served.get(path) ?? null, value ?? null), `${this.name} serves ${path} otherwise than it holds or follows`);
    for (const reason of this.acknowledged)
      assert.ok(this.#viewOf(reason) !== undefined, `${reason} was acknowledged, and is told of nowhere`);
  }

  /** What became of those that were acknowledged, when all hosts are one fleet again. */
  checkEnds(known: ReadonlyMap<string, Revision>): void {
    for (const reason of this.acknowledged) {
      const { state, note, local } = this.#viewOf(reason) ?? assert.fail(`${reason} is gone`);
      if (state !== 'ended') continue;
      const [, revision] = /^merged as revision (\d+) by alice$/.exec(note) ?? [];
      if (revision === undefined) assert.match(note, /^discarded by alice|^the fleet has the same at revision|^its time was over/);
      else
        assert.ok(
          known.has(mergedText(this.name, local)),
          `local change ${local} of ${this.name} is ${note}, and no chain has it or has lost it`,
        );
    }
  }

  #viewOf(reason: string): LocalView | undefined {
    return localViews(this.under.edge).find((view) => view.reason === reason);
  }
}

function valuesOf(intent: Intent): ReadonlyMap<string, unknown> {
  return new Map([...fieldsOf(intent).values()].map(({ path, value }) => [path.join('.'), value]));
}

const mergedText = (host: string, number: number): string => `local change ${number} of ${host}`;

function anyChange(random: Random): AskedChange {
  const dice = random();
  if (dice < 0.4) return { kind: 'dial', cluster: random() < 0.5 ? 'one' : 'two', percent: 1 + Math.floor(random() * 99) };
  if (dice < 0.6)
    return { kind: 'dial', cluster: 'two', percent: 1 + Math.floor(random() * 99), forMs: 5000 + Math.floor(random() * 60_000) };
  return { kind: 'shift', service: 'shop', percents: { green: Math.floor(random() * 100) } };
}

/** One of them, at this moment; the others go on meanwhile. */
function act(host: Host, random: Random, name: string): Promise<void> {
  const dice = random();
  if (dice < 0.08) return host.settle('discard');
  // In the middle of it the way to the fleet may break.
  if (dice < 0.12) host.under.faults.left = 1 + Math.floor(random() * 4);
  if (dice < 0.24) return host.settle('merge');
  return host.change(anyChange(random), name, host.under.faults.cut && random() < 0.8);
}

async function heal(fleet: FleetEdges, hosts: readonly Host[]): Promise<void> {
  for (const { under } of hosts) Object.assign(under.faults, { cut: false, lost: 0, left: Infinity });
  await fleet.clock.elapse(8000);
}

for (const seed of [2, 3, 4])
  test(`history ${seed}: a change of one host alone is held there until somebody decides, and is lost or spread by nothing else`, async (t) => {
    const random = seededRandom(seed);
    const fleet = fleetEdges(t);
    const hosts: Host[] = [];
    for (const name of ['edge-1', 'edge-2', 'edge-3']) hosts.push(new Host(name, await fleet.host(name)));
    for (const { under } of hosts) under.faults.lost = 0.05;
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { under } of hosts) {
        delete under.faults.left;
        if (random() < 0.2) under.faults.cut = !under.faults.cut;
      }
      // Redis has failed over to a replica that was behind, or came back with an old file.
      if (random() < 0.05)
        fleet.shared.replaceAfter(Math.max(1, (fleet.shared.readIntent()?.revision ?? 1) - 1 - Math.floor(random() * 2)), []);
      await fleet.clock.elapse(500 + 2000 * random());
      for (const { expiries } of hosts) expiries.tick();
      const acting = hosts.filter(() => random() < 0.6);
      await fleet.settled(Promise.all(acting.map((host) => act(host, random, `${seed}-${round}-${host.name}`))));
      for (const host of hosts) host.check();
    }
    await heal(fleet, hosts);
    const [first = assert.fail()] = hosts;
    const chain = [...first.under.store.chain()];
    for (const { under } of hosts) {
      const { edge, store } = under;
      assert.deepEqual(edge.keeper.head, first.under.edge.keeper.head);
      assert.equal(verifyChain(store.chain(), edge.keeper.intent.revision, (revision) => store.intentAt(revision)).intact, true);
    }
    const known = [...chain, ...hosts.flatMap(({ under }) => under.store.conflicts(1000))];
    const reasons = new Set(known.map(({ reason }) => reason));
    const merged = new Map(known.flatMap((record) => mergedName(record.reason).map((name): [string, Revision] => [name, record])));
    const local = hosts.flatMap(({ acknowledged }) => acknowledged);
    for (const host of hosts) {
      host.check();
      host.checkEnds(merged);
      for (const reason of host.ofFleet) assert.ok(reasons.has(reason), `${reason} was acknowledged, and is neither in force nor reported`);
    }
    // Nothing of it is in any chain, but what was merged, as that.
    for (const reason of local) assert.ok(!reasons.has(reason), `${reason} was asked of one host alone, and the fleet has it`);
    for (const name of merged.keys()) {
      const host = hosts.find((one) => name.endsWith(` of ${one.name}`));
      assert.ok(host?.askedToMerge.has(Number(name.split(' ')[2])) === true, `nobody has asked to merge ${name}`);
    }
    assert.ok(local.length >= 10, `${local.length} changes of one host alone`);
    assert.ok(merged.size > 0, 'nothing was merged');
  });

function mergedName(reason: string): readonly string[] {
  const [name] = /^local change \d+ of edge-\d/.exec(reason) ?? [];
  return name === undefined ? [] : [name];
}
