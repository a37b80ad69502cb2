// A rollout from its begin to each of its ends: the split in every step, what may follow what, and what takes it back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Intent, RolloutAction, RolloutChange } from '../../../balancer/intent/intent.ts';
import { applyChange } from '../../../balancer/intent/apply-change.ts';
import { glidedIntent } from '../../../balancer/intent/glide.ts';
import { holdOf } from '../../../balancer/intent/rollout.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { applyRollout, takeBackRollout } from '../../../balancer/rollout/apply-rollout.ts';
import { decodeIntent } from '../../../balancer/store/decode.ts';
import { fleetConfig } from '../../support/fleet-config.ts';

const versions = { blue: { eu: 1 }, teal: { eu: 1 }, green: { eu: 1 } };
const config = fleetConfig({ services: { shop: { versions, split: { blue: 60, teal: 40, green: 0 } } } });
const seeded = seedIntent(config, null).intent;
const AT = '2026-01-01T00:00:00.000Z';
const START = {
  kind: 'rollout_start',
  service: 'shop',
  to: 'green',
  steps: [10_000, 500_000, 1_000_000],
  holdMs: [60_000],
  minRequests: 100,
  gates: ['errors<1%'],
  onFail: 'rollback',
} as const;

test('each step gives the version its share, the others keep their proportion, and the last one ends it', () => {
  const begun = made(seeded, START);
  assert.deepEqual(split(begun), { blue: 594_000, teal: 396_000, green: 10_000 });
  assert.deepEqual(phase(begun), ['running', 0, 2]);
  const second = moved(begun, 'step');
  assert.deepEqual(split(second), { blue: 300_000, teal: 200_000, green: 500_000 });
  const last = moved(second, 'step');
  assert.deepEqual(split(last), { blue: 0, teal: 0, green: 1_000_000 });
  const done = moved(last, 'end');
  assert.deepEqual([phase(done), split(done)], [['promoted', 2, 2], split(last)]);
});

test('a failed gate rolls back to the split before, steps back to where it passed, or freezes', () => {
  const at50 = (onFail: 'rollback' | 'step-back' | 'freeze') => moved(made(seeded, { ...START, onFail }), 'step');
  const back = moved(at50('rollback'), 'fail', 'gate errors<1%');
  assert.deepEqual([split(back), phase(back)], [split(seeded), ['rolled_back', 1, 2]]);
  assert.equal(back.services['shop']?.rollout?.note, 'gate errors<1%');
  const lower = moved(at50('step-back'), 'fail');
  assert.deepEqual([split(lower)['green'], phase(lower)], [10_000, ['paused', 0, 2]]);
  const frozen = moved(at50('freeze'), 'fail');
  assert.deepEqual([split(frozen)['green'], phase(frozen)], [500_000, ['frozen', 1, 2]]);
  const lowest = moved(made(seeded, { ...START, onFail: 'step-back' }), 'fail');
  assert.deepEqual([split(lowest), phase(lowest)], [split(seeded), ['rolled_back', 0, 2]], 'there is no step to go back to');
});

test('with a time each step comes over it, a pause and a freeze stop it where it is, and a resume goes on from there', () => {
  const [minute, nowMs] = [60_000, Date.parse(AT)];
  const at = (wallMs: number, intent: Intent, action: RolloutAction): Intent =>
    taken(applyRollout(intent, act(action), { ...config, wallMs }, { at: new Date(wallMs).toISOString(), note: '', usualErrorRatio: 0 }));
  const greenAt = (intent: Intent, wallMs: number): unknown => split(glidedIntent(intent, wallMs))['green'];
  const start = { ...START, steps: [500_000, 1_000_000], overMs: minute, onFail: 'freeze' } as const;
  const moment = { at: AT, note: '', usualErrorRatio: 0 };
  const begun = taken(applyRollout(seeded, start, { ...config, wallMs: nowMs }, moment));
  assert.deepEqual([split(begun)['green'], greenAt(begun, nowMs), greenAt(begun, nowMs + minute / 2)], [500_000, 0, 250_000]);
  assert.deepEqual(decodeIntent(JSON.stringify(begun), 'intent'), begun);
  const { rollout } = begun.services['shop'] ?? {};
  assert.equal(rollout === undefined ? null : holdOf(rollout), 2 * minute, 'its hold begins when it has come');
  for (const action of ['pause', 'fail'] as const) {
    const stopped = at(nowMs + minute / 2, begun, action);
    assert.deepEqual([split(stopped)['green'], stopped.glides], [250_000, undefined], action);
    const resumed = at(nowMs + minute, stopped, 'resume');
    assert.deepEqual([split(resumed)['green'], greenAt(resumed, nowMs + 1.5 * minute)], [500_000, 375_000]);
  }
  const second = at(nowMs + 2 * minute, begun, 'step');
  assert.equal(greenAt(second, nowMs + 2.5 * minute), 750_000);
  assert.deepEqual(phase(at(nowMs + 4 * minute, second, 'end')), ['promoted', 1, 2]);
  assert.deepEqual(greenAt(at(nowMs + 2.5 * minute, second, 'abort'), nowMs + 2.5 * minute), 0, 'back at once');
  assert.equal(greenAt(at(nowMs + 2.5 * minute, second, 'promote'), nowMs + 2.5 * minute), 1_000_000);
  const back = taken(takeBackRollout(second, 'shop', { ...config, wallMs: nowMs + 3 * minute }, { ...moment, overMs: minute }));
  assert.equal(greenAt(back, nowMs + 3.5 * minute), 500_000, 'an undo may take its time');
});

test('steps that end below 100 % wait there to be promoted', () => {
  const end = moved(made(seeded, { ...START, steps: [100_000] }), 'end');
  assert.deepEqual([split(end)['green'], phase(end)], [100_000, ['paused', 0, 2]]);
  assert.deepEqual(split(moved(end, 'promote')), { blue: 0, teal: 0, green: 1_000_000 });
});

test('what cannot follow is refused with the state that stands in its way', () => {
  const begun = made(seeded, START);
  assert.match(refused(begun, START), /a rollout of "shop" to "green" is running already/);
  assert.match(refused(begun, act('resume')), /is running, so it cannot be told to resume/);
  assert.match(refused(seeded, act('abort')), /there never was a rollout of "shop"; begin one with `weir canary start shop/);
  assert.match(refused(moved(begun, 'abort'), act('promote')), /is aborted, so it cannot be told to promote/);
});

test('a plan that says nothing sensible is refused with what was expected', () => {
  assert.match(refused(seeded, { ...START, steps: [50_000, 50_000] }), /5 % is not more than the step before it, 5 %; steps rise/);
  assert.match(refused(seeded, { ...START, to: 'blue' }), /1 % is not more than the 60 % that "blue" has now/);
  assert.match(refused(seeded, { ...START, steps: [1_000_001] }), /expected percentages above 0 and up to 100/);
  assert.match(refused(seeded, { ...START, steps: [0.5] }), /expected percentages above 0/);
  assert.match(refused(seeded, { ...START, gates: ['good'] }), /gate "good" is no gate; gates look like/);
  assert.match(refused(seeded, { ...START, to: 'grean' }), /no version of service "shop" "grean"; did you mean "green"/);
  assert.match(refused(seeded, { ...START, holdMs: [Number.NaN] }), /hold: expected 0 s to 7 days/);
});

test('a shift by hand ends the rollout; the file cannot change the split meanwhile, nor take a version of it away', () => {
  const begun = made(seeded, START);
  const shifted = applyChange(begun, { kind: 'shift', service: 'shop', percents: { green: 30 } }, config);
  assert.ok(shifted.ok);
  assert.deepEqual(phase(shifted.intent), ['aborted', 0, 2]);
  const other = fleetConfig({ services: { shop: { versions, split: { blue: 50, teal: 50, green: 0 } } } });
  assert.match(seedIntent(other, begun).problems[0]?.message ?? '', /the split changed while a rollout of "shop" to "green" is under way/);
  assert.deepEqual(seedIntent(other, moved(begun, 'abort')).problems, []);
  const without = fleetConfig({ services: { shop: { versions: { blue: { eu: 1 }, teal: { eu: 1 } }, split: { blue: 60, teal: 40 } } } });
  assert.match(seedIntent(without, begun).problems[0]?.message ?? '', /versions\.green: the version left the file while a rollout/);
});

test('a rollout under way or done is taken back to the split before it', () => {
  const begun = made(seeded, START);
  for (const intent of [begun, moved(begun, 'promote')]) {
    const outcome = takeBackRollout(intent, 'shop', config, { at: AT, note: 'taken back by alice', usualErrorRatio: 0 });
    assert.ok(outcome.ok);
    assert.deepEqual([split(outcome.intent), phase(outcome.intent)[0]], [split(seeded), 'aborted']);
  }
});

test('a version that came into the file meanwhile gets 0, and one that left it is forgotten', () => {
  const begun = made(seeded, START);
  const more = fleetConfig({
    services: { shop: { versions: { ...versions, pink: { eu: 1 } }, split: { blue: 60, teal: 40, green: 0, pink: 0 } } },
  });
  const { intent, problems } = seedIntent(more, begun);
  assert.deepEqual(problems, []);
  const outcome = applyRollout(intent, act('abort'), more, { at: AT, note: '', usualErrorRatio: 0 });
  assert.deepEqual(outcome.ok && split(outcome.intent), { blue: 600_000, teal: 400_000, green: 0, pink: 0 });
});

test('a stored rollout is read back as it was', () => {
  const begun = made(seeded, START);
  assert.deepEqual(decodeIntent(JSON.stringify(begun), 'intent'), begun);
});

function act(action: RolloutAction): RolloutChange {
  return { kind: 'rollout', service: 'shop', action };
}

function apply(intent: Intent, change: RolloutChange, note: string): ReturnType<typeof applyRollout> {
  return applyRollout(intent, change, config, { at: AT, note, usualErrorRatio: 0.001 });
}

function made(intent: Intent, change: RolloutChange, note = ''): Intent {
  return taken(apply(intent, change, note));
}

function taken(outcome: ReturnType<typeof applyRollout>): Intent {
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
  return outcome.intent;
}

function moved(intent: Intent, action: RolloutAction, note = ''): Intent {
  return made(intent, act(action), note);
}

function refused(intent: Intent, change: RolloutChange): string {
  const outcome = apply(intent, change, '');
  assert.ok(!outcome.ok);
  return outcome.refusal.message;
}

function split(intent: Intent): Readonly<Record<string, number>> {
  return intent.services['shop']?.split ?? {};
}

/** Phase, step, and the revision that began it. */
function phase(intent: Intent): readonly [string, number, number] {
  const rollout = intent.services['shop']?.rollout;
  assert.ok(rollout !== undefined);
  return [rollout.phase, rollout.step, rollout.id];
}
