// A rollout in waves: whose traffic moves in each step, what stays, what follows what, and that all of it goes back together.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChange } from '../../../balancer/intent/apply-change.ts';
import { clusterTotals, versionTotals } from '../../../balancer/intent/cluster-totals.ts';
import type { Intent, RolloutAction, RolloutChange } from '../../../balancer/intent/intent.ts';
import type { Facts } from '../../../balancer/intent/safety.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { undo } from '../../../balancer/intent/undo.ts';
import { applyRollout, takeBackRollout } from '../../../balancer/rollout/apply-rollout.ts';
import { Trial } from '../../../balancer/rollout/trial.ts';
import { plan } from '../../../balancer/steer/plan.ts';
import { decodeIntent } from '../../../balancer/store/decode.ts';
import { fleetConfig, healthView, type ServiceSketch } from '../../support/fleet-config.ts';

const versions = { blue: { eu: 60, us: 30, asia: 10 }, green: { eu: 1, us: 1, asia: 1 } };
const shop = { versions, split: { blue: 100, green: 0 } };
const config = fleetConfig({ services: { shop } });
const seeded = seedIntent(config, null).intent;
const MOMENT = { at: '2026-01-01T00:00:00.000Z', note: '', usualErrorRatio: 0 };
const START = {
  ...({ kind: 'rollout_start', service: 'shop', to: 'green' } as const),
  ...({ steps: [100_000, 1_000_000], holdMs: [0], minRequests: 0, gates: [], onFail: 'rollback' } as const),
  waves: [['eu'], ['us', 'asia']],
};

test('in a wave only its clusters move, by their own requests; the next one begins at the first step, and what passed stays', () => {
  const begun = made(seeded, START);
  assert.deepEqual(shares(begun), { 'blue/eu': 540_000, 'green/eu': 60_000, 'blue/us': 300_000, 'blue/asia': 100_000 });
  const eu = moved(begun, 'step');
  assert.deepEqual(shares(eu), { 'green/eu': 600_000, 'blue/us': 300_000, 'blue/asia': 100_000 });
  const second = moved(eu, 'step');
  assert.deepEqual(at(second), ['running', 1, 0]);
  assert.deepEqual(shares(second), {
    'green/eu': 600_000,
    ...{ 'blue/us': 270_000, 'green/us': 30_000, 'blue/asia': 90_000, 'green/asia': 10_000 },
  });
  const all = moved(second, 'step');
  assert.deepEqual(shares(all), { 'green/eu': 600_000, 'green/us': 300_000, 'green/asia': 100_000 });
});

test('at the end the version has all, and no cluster has more or less than before', () => {
  const done = moved(moved(moved(moved(made(seeded, START), 'step'), 'step'), 'step'), 'end');
  assert.deepEqual(at(done), ['promoted', 1, 1]);
  assert.deepEqual(done.services['shop']?.split, { blue: 0, green: 1_000_000 });
  assert.equal(done.services['shop'].clusterSplits, undefined);
  assert.deepEqual(shares(done), { 'green/eu': 600_000, 'green/us': 300_000, 'green/asia': 100_000 });
  const back = takeBackRollout(done, 'shop', config, MOMENT);
  assert.ok(back.ok);
  const { split, clusterWeights } = { ...back.intent.services['shop'] };
  assert.deepEqual([split, clusterWeights], [seeded.services['shop']?.split, seeded.services['shop']?.clusterWeights]);
});

test('waves that leave clusters out wait at their end to be promoted', () => {
  const end = moved(moved(made(seeded, { ...START, waves: [['eu']] }), 'step'), 'end');
  assert.deepEqual(at(end), ['paused', 0, 1]);
  assert.deepEqual(shares(end), { 'green/eu': 600_000, 'blue/us': 300_000, 'blue/asia': 100_000 });
  assert.deepEqual(shares(moved(end, 'promote')), { 'green/eu': 600_000, 'green/us': 300_000, 'green/asia': 100_000 });
});

test('a failed gate takes all waves back; step-back returns to the wave before, whole', () => {
  const second = (onFail: 'rollback' | 'step-back') => moved(moved(made(seeded, { ...START, onFail }), 'step'), 'step');
  const back = moved(second('rollback'), 'fail');
  assert.deepEqual([shares(back), at(back)], [shares(seeded), ['rolled_back', 1, 0]]);
  const lower = moved(second('step-back'), 'fail');
  assert.deepEqual(at(lower), ['paused', 0, 1]);
  assert.deepEqual(shares(lower), { 'green/eu': 600_000, 'blue/us': 300_000, 'blue/asia': 100_000 });
});

test('abort, a shift and an undo of everything leave no cluster with a split of its own', () => {
  const second = moved(moved(made(seeded, START), 'step'), 'step');
  const shifted = applyChange(second, { kind: 'shift', service: 'shop', percents: { green: 20 } }, config);
  const restored = undo(second, { to: 1 }, { revisions: [], intentAt: () => seeded }, config);
  assert.ok(shifted.ok && restored.ok);
  for (const intent of [moved(second, 'abort'), shifted.intent, restored.intent]) {
    assert.equal(intent.services['shop']?.clusterSplits, undefined);
    assert.equal(intent.services['shop']?.rollout?.phase, 'aborted');
  }
  assert.deepEqual(shares(restored.intent), shares(seeded));
});

test('dials, drains and tiers act on a wave as on everything', () => {
  const eu = moved(made(seeded, START), 'step');
  const dialled = applyChange(eu, { kind: 'dial', cluster: 'eu', percent: 50 }, config);
  assert.ok(dialled.ok);
  assert.deepEqual(shares(dialled.intent), { 'green/eu': 428_572, 'blue/us': 428_571, 'blue/asia': 142_857 });
  const drained = applyChange(eu, { kind: 'admin', cluster: 'eu', state: 'drain' }, config);
  assert.ok(drained.ok);
  assert.deepEqual(shares(drained.intent), { 'blue/us': 750_000, 'blue/asia': 250_000 });

  const places = { eu: { priority: 0 }, us: { priority: 1 } };
  const tiered: ServiceSketch = { versions: { blue: places, green: places }, split: { blue: 100, green: 0 }, policy: 'priority' };
  const other = fleetConfig({ services: { shop: tiered } });
  const begun = made(seedIntent(other, null).intent, { ...START, waves: [['eu'], ['us']] }, other);
  assert.deepEqual(shares(begun, other), { 'blue/eu': 900_000, 'green/eu': 100_000 });
});

test('a cluster of a wave that fails hands its requests to versions by what they have elsewhere', () => {
  const eu = moved(made(seeded, START), 'step');
  assert.deepEqual(shares(eu, config, ['eu']), { 'blue/us': 750_000, 'blue/asia': 250_000 });
  assert.deepEqual(shares(eu, config, ['us']), { 'blue/asia': 400_000, 'green/eu': 600_000 });
});

test('the sums by version and by cluster are those of the plan', () => {
  const begun = made(seeded, START);
  const service = config.services['shop'];
  assert.ok(service !== undefined);
  assert.deepEqual(versionTotals(begun, service), { blue: 940_000, green: 60_000 });
  assert.deepEqual(clusterTotals(begun, service), { eu: 600_000, us: 300_000, asia: 100_000 });
});

test('a step that moves too much of the service is refused when it begins, and counts by the size of its wave', () => {
  const safety = {
    requireExpiry: [],
    minActiveClusters: 1,
    maxShift: 300_000,
    maxCapacityOut: 1,
    freeze: [],
    approval: { services: [], waitMs: 3_600_000 },
  };
  const facts = { ...config, safety };
  assert.match(refused({ ...START, steps: [200_000, 1_000_000] }, facts), /the step from 20 % to 100 % moves more than the 30 %/);
  made(seeded, { ...START, steps: [200_000, 600_000, 1_000_000] }, facts);
  made(seeded, { ...START, steps: [400_000, 800_000, 1_000_000] }, facts);
});

test('waves that make no sense are refused with what is wrong', () => {
  assert.match(refused({ ...START, waves: [['eu'], ['us', 'eu']] }), /waves eu,us\+eu: "eu" is named twice/);
  assert.match(refused({ ...START, waves: [['eu'], ['mars']] }), /"green" does not run in "mars".* it runs in eu, us, asia/);
  assert.match(refused({ ...START, waves: [['eu'], []] }), /a wave is empty/);
  const apart = fleetConfig({ services: { shop: { versions: { blue: { eu: 1 }, green: { eu: 1, us: 1 } } } } });
  assert.match(refused({ ...START, waves: [['us']] }, apart, seedIntent(apart, null).intent), /"us" has no share of "shop"/);
  const ahead = applyChange(seeded, { kind: 'shift', service: 'shop', percents: { green: 20 } }, config);
  assert.ok(ahead.ok);
  assert.match(refused(START, config, ahead.intent), /"green" has 12\.195[12] % of "eu" already, and the first step, 10 %, is not more/);
});

test('a trial goes on to the next wave, and ends with the last', () => {
  const decide = (wave: number): string | undefined => {
    const begun = made(seeded, { ...START, steps: [1_000_000] }).services['shop']?.rollout;
    assert.ok(begun !== undefined);
    const trial = new Trial({ ...begun, wave, gates: [] });
    trial.add({ trial: { requests: 2000, errors: 0, latency: [] }, baseline: null, usualErrorRatio: 0 });
    return trial.decide('running', 1000)?.action;
  };
  assert.deepEqual([decide(0), decide(1)], ['step', 'end']);
});

test('a rollout in waves is read back as it was stored', () => {
  const second = moved(moved(made(seeded, START), 'step'), 'step');
  assert.deepEqual(decodeIntent(JSON.stringify(second), 'intent'), second);
  const done = moved(moved(second, 'step'), 'end');
  assert.deepEqual(decodeIntent(JSON.stringify(done), 'intent'), done);
});

function made(intent: Intent, change: RolloutChange, facts: Facts = config): Intent {
  const outcome = applyRollout(intent, change, facts, MOMENT);
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
  return outcome.intent;
}

function moved(intent: Intent, action: RolloutAction): Intent {
  return made(intent, { kind: 'rollout', service: 'shop', action });
}

function refused(change: RolloutChange, facts: Facts = config, intent = seeded): string {
  const outcome = applyRollout(intent, change, facts, MOMENT);
  assert.ok(!outcome.ok);
  return outcome.refusal.message;
}

/** Phase, wave, step. */
function at(intent: Intent): readonly unknown[] {
  const rollout = intent.services['shop']?.rollout;
  return [rollout?.phase, rollout?.wave, rollout?.step];
}

/** What the plan makes of it, without what has nothing. */
function shares(intent: Intent, of = config, down: readonly string[] = []): Readonly<Record<string, number>> {
  const health = healthView(Object.fromEntries(Object.keys(of.clusters).map((name) => [name, down.includes(name) ? 'down' : 'up'])));
  const made = plan({ ...of, intent, health, capacity: {}, demand: {}, observed: { clusters: {}, targets: {} }, nowMs: 0, previous: null });
  const targets = made.plan.services['shop']?.targets ?? [];
  return Object.fromEntries(
    targets.flatMap(({ version, cluster, effective }) => (effective === 0 ? [] : [[`${version}/${cluster}`, effective]])),
  );
}
