// What a revision changed, in words that an operator would use.
import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import type { TouchedField } from '../../../balancer/intent/intent.ts';
import { toldChanges } from '../../../balancer/intent/told.ts';

const touched = (path: string, before: unknown, after: unknown): TouchedField => ({ path: path.split('/'), before, after });
const rollout = { id: 7, to: 'green', steps: [1, 2, 3], step: 0, phase: 'running' };

test('each field that means something is told with what it was and what it is', () => {
  const fields: readonly (readonly [TouchedField, string])[] = [
    [
      touched('services/shop/split', { blue: 900_000, green: 100_000, red: 0 }, { blue: 700_000, green: 300_000, red: 0 }),
      'shop: blue 90 % → 70 %, green 10 % → 30 %',
    ],
    [touched('services/shop/split', null, { blue: 1_000_000 }), 'shop: blue 100 %'],
    [touched('services/shop/split', { blue: 1_000_000 }, null), 'shop: blue 100 % → gone'],
    [touched('services/shop/clusterWeights/blue', { eu: 70, us: 30 }, { eu: 50, us: 30 }), 'shop/blue: weights eu 70 → 50'],
    [touched('clusters/eu/admin', 'active', 'drain'), 'eu: active → drain'],
    [touched('clusters/eu/dialPercent', 100, 62.5), 'eu: dial 100 % → 62.5 %'],
    [touched('services/shop/rollout', null, rollout), 'shop: rollout to green begins, 3 steps'],
    [touched('services/shop/rollout', rollout, { ...rollout, step: 1 }), 'shop: rollout to green, step 2 of 3'],
    [touched('services/shop/rollout', rollout, { ...rollout, wave: 1, step: 1 }), 'shop: rollout to green, wave 2, step 2 of 3'],
    [touched('services/shop/rollout', rollout, { ...rollout, phase: 'rolled_back' }), 'shop: rollout to green running → rolled back'],
    [touched('services/shop/rollout', rollout, null), 'shop: rollout as it was before there was one'],
    [touched('services/shop/pinEpoch', 3, 9), 'shop: pins given before are void'],
    [touched('callers/keys/k1', null, { hash: 'of a secret' }), 'keys.k1'],
    [touched('config', 'a', 'b'), 'config'],
    [touched('glides/4', null, { overMs: 600_000 }), 'over 10m'],
  ];
  for (const [field, text] of fields) deepEqual(toldChanges([field]), [text]);
});

test('what only keeps count is left out, unless there is nothing else', () => {
  const seed = touched('services/shop/splitSeed', null, {});
  const override = touched('overrides/4', null, { until: 'then' });
  const drained = touched('clusters/eu/admin', 'active', 'drain');
  deepEqual(toldChanges([drained, seed, override]), ['eu: active → drain']);
  deepEqual(toldChanges([drained, touched('glides/5', null, { overMs: 60_000 })]), ['eu: active → drain', 'over 1m']);
  deepEqual(toldChanges([override]), ['4']);
  const arrived = touched('glides/4', { overMs: 600_000 }, null);
  deepEqual(toldChanges([drained, arrived]), ['eu: active → drain']);
  deepEqual(toldChanges([arrived]), ['what revision 4 sent on its way is there at once']);
  deepEqual(toldChanges([seed]), ['shop.splitSeed']);
});

test('of very many changes the first are told, and how many more there are', () => {
  const many = Array.from({ length: 1000 }, (_, index) => touched(`clusters/c${index}/admin`, 'active', 'drain'));
  const told = toldChanges(many);
  deepEqual([told.length, told.at(-1)], [9, 'and 992 more']);
});
