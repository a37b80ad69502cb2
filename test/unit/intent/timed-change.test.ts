// Changes that return by themselves: what they hold, what they go back to, and who ends them before.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DirectChange } from '../../../balancer/intent/apply-change.ts';
import { diffIntent } from '../../../balancer/intent/diff.ts';
import type { Intent, TimedChange } from '../../../balancer/intent/intent.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { applyTimed, endOverride, overdue } from '../../../balancer/intent/timed-change.ts';
import { undo } from '../../../balancer/intent/undo.ts';
import { applyRollout } from '../../../balancer/rollout/apply-rollout.ts';
import { decodeIntent } from '../../../balancer/store/decode.ts';
import { fleetConfig, type ServiceSketch } from '../../support/fleet-config.ts';

const SHOP: ServiceSketch = {
  versions: { blue: { eu: 70, us: 30 }, green: { eu: 1, us: 1 } },
  split: { blue: 90, green: 10 },
};
const config = fleetConfig({ services: { shop: SHOP } });
const seeded = seedIntent(config, null).intent;
const NOW = Date.parse('2026-01-01T00:00:00.000Z');
const HOUR = 3_600_000;

const drain = (forMs?: number): TimedChange => ({
  kind: 'admin',
  cluster: 'eu',
  state: 'drain',
  ...(forMs === undefined ? {} : { forMs }),
});
const dial = (percent: number, forMs?: number): TimedChange => ({
  kind: 'dial',
  cluster: 'eu',
  percent,
  ...(forMs === undefined ? {} : { forMs }),
});
const shift = (green: number, forMs?: number): TimedChange => ({
  ...{ kind: 'shift', service: 'shop', percents: { green } },
  ...(forMs === undefined ? {} : { forMs }),
});

describe('a change with a time', () => {
  test('says until when, and its end brings back what was there before, and nothing else', () => {
    for (const change of [
      drain(2 * HOUR),
      dial(30, 2 * HOUR),
      shift(50, 2 * HOUR),
      { kind: 'shift_clusters', service: 'shop', percents: { eu: 10 }, forMs: 2 * HOUR } as const,
    ]) {
      const outcome = applyTimed(seeded, change, config, { wallMs: NOW, permanent: false });
      assert.ok(outcome.ok);
      assert.match(outcome.summary, /, until 2026-01-01 02:00:00 UTC$/);
      assert.deepEqual(overdue(outcome.intent, NOW + 2 * HOUR - 1), []);
      assert.deepEqual(overdue(outcome.intent, NOW + 2 * HOUR), [2]);
      const elsewhere = made(outcome.intent, { kind: 'dial', cluster: 'us', percent: 80 });
      const back = ended(elsewhere, 2);
      const left = diffIntent(seeded, back).map(({ path }) => path.join('.'));
      assert.deepEqual(
        left.filter((path) => path !== 'clusters.eu.returned'),
        ['clusters.us.dialPercent'],
        change.kind,
      );
    }
  });

  test('is stored and read as it was', () => {
    const intent = made(made(seeded, drain(HOUR)), { kind: 'shift_clusters', service: 'shop', percents: { eu: 10 }, forMs: HOUR });
    assert.deepEqual(decodeIntent(JSON.stringify(intent), 'intent'), intent);
    const back = ended(intent, 2);
    assert.deepEqual(decodeIntent(JSON.stringify(back), 'intent'), back);
  });

  test('that is asked for again lasts from then, and goes back to what was there before the first', () => {
    const again = made(made(seeded, drain(HOUR)), drain(3 * HOUR));
    assert.deepEqual(
      Object.entries(again.overrides ?? {}).map(([id, { until }]) => [id, until]),
      [['3', '2026-01-01T03:00:00.000Z']],
    );
    const lower = made(made(seeded, dial(50, HOUR)), dial(30, HOUR));
    assert.equal(ended(lower, 3).clusters['eu']?.dialPercent, 100);
  });

  test('that is repeated without one stays', () => {
    const outcome = applyTimed(made(seeded, drain(HOUR)), drain(), config, { wallMs: NOW, permanent: false });
    assert.ok(outcome.ok);
    assert.equal(outcome.summary, 'eu: draining, for good');
    assert.deepEqual([outcome.intent.overrides, outcome.intent.clusters['eu']?.admin, outcome.intent.revision], [undefined, 'drain', 3]);
  });

  test('that sets what is there already has nothing to return from', () => {
    const outcome = applyTimed(seeded, dial(100, HOUR), config, { wallMs: NOW, permanent: false });
    assert.ok(outcome.ok);
    assert.deepEqual([outcome.touched, outcome.intent], [[], seeded]);
  });

  test('is refused beyond 30 days, below a second, and in the midst of a rollout', () => {
    assert.match(refused(seeded, drain(31 * 24 * HOUR)), /expected a time from 1 s to 30 days/);
    assert.match(refused(seeded, drain(10)), /expected a time from 1 s to 30 days/);
    const plan = { to: 'green', steps: [500_000], holdMs: [HOUR], minRequests: 0, gates: [], onFail: 'rollback' } as const;
    const moment = { at: '2026-01-01T00:00:00.000Z', note: '', usualErrorRatio: 0 };
    const begun = applyRollout(seeded, { kind: 'rollout_start', service: 'shop', ...plan }, config, moment);
    assert.ok(begun.ok);
    assert.match(refused(begun.intent, shift(20, HOUR)), /a rollout of "shop" to "green" is running, and a shift that returns/);
  });
});

describe('the time of a change ends', () => {
  test('when somebody sets the same field, whoever it is, and their value stays', () => {
    const timed = made(seeded, shift(50, HOUR));
    assert.equal(made(timed, shift(20)).overrides, undefined);
    const file = fleetConfig({ services: { shop: { ...SHOP, split: { blue: 60, green: 40 } } } });
    const reloaded = seedIntent(file, timed).intent;
    assert.deepEqual([reloaded.overrides, reloaded.services['shop']?.split], [undefined, { blue: 600_000, green: 400_000 }]);
  });

  test('not when the config adds a version at 0, which then has 0 after it too', () => {
    const versions = { ...SHOP.versions, red: { eu: 1 } };
    const file = fleetConfig({ services: { shop: { ...SHOP, versions } } });
    const reloaded = seedIntent(file, made(seeded, shift(50, HOUR))).intent;
    const outcome = endOverride(reloaded, 2, file);
    assert.ok(outcome.ok);
    assert.deepEqual(outcome.intent.services['shop']?.split, { blue: 900_000, green: 100_000, red: 0 });
  });

  test('when it is undone, and is there again when the undo is', () => {
    const timed = made(seeded, drain(HOUR));
    const intentAt = (revision: number): Intent => (revision === 1 ? seeded : timed);
    const record = {
      at: '',
      author: { name: 'alice', how: '' },
      reason: '',
      change: drain(HOUR),
      undoes: null,
      previousHash: '',
      hash: '',
    };
    const revision = { ...record, revision: 2, source: 'operator' as const, touched: diffIntent(seeded, timed) };
    const undone = undo(timed, { to: null }, { revisions: [revision], intentAt }, config);
    assert.ok(undone.ok);
    assert.deepEqual([undone.intent.overrides, undone.intent.clusters], [undefined, seeded.clusters]);
    const back = undo(undone.intent, { to: 2 }, { revisions: [revision], intentAt }, config);
    assert.ok(back.ok);
    assert.deepEqual({ ...back.intent, revision: 2 }, timed);
  });
});

test('a cluster that comes back tells from which part of it its ramp begins', () => {
  assert.deepEqual(ended(made(seeded, drain(HOUR)), 2).clusters['eu']?.returned, { revision: 3, from: 0 });
  assert.deepEqual(ended(made(seeded, dial(40, HOUR)), 2).clusters['eu']?.returned, { revision: 3, from: 0.4 });
  const lowered = made(seeded, dial(40));
  assert.equal(ended(made(lowered, dial(100, HOUR)), 3).clusters['eu']?.returned, undefined, 'it gets less');
});

test('what can take no requests does not get them because a time is over', () => {
  const timed = made(seeded, shift(100, HOUR));
  const usable = (_service: string, version: string): boolean => version === 'green';
  const shifted = fleetConfig({ services: { shop: { ...SHOP, split: { blue: 100 } } } });
  const alone = seedIntent(shifted, null).intent;
  const outcome = endOverride(made(alone, shift(100, HOUR)), 2, { ...shifted, usable });
  assert.ok(!outcome.ok);
  assert.match(outcome.refusal.message, /would send its requests only to what cannot take them now/);
  assert.ok(endOverride(timed, 2, { ...config, usable }).ok, 'a part of it is up');
});

function made(intent: Intent, change: DirectChange): Intent {
  const outcome = applyTimed(intent, change, config, { wallMs: NOW, permanent: false });
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
  return outcome.intent;
}

function refused(intent: Intent, change: DirectChange): string {
  const outcome = applyTimed(intent, change, config, { wallMs: NOW, permanent: false });
  assert.ok(!outcome.ok);
  return outcome.refusal.message;
}

function ended(intent: Intent, id: number): Intent {
  const outcome = endOverride(intent, id, config);
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
  assert.equal(outcome.intent.revision, intent.revision + 1);
  return outcome.intent;
}
