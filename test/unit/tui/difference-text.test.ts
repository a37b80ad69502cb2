// What differs between two revisions, as people read it.
import { deepEqual } from 'node:assert/strict';
import { test } from 'node:test';
import { readableDifferences } from '../../../tui/difference-text.ts';

const rollout = { to: 'green', steps: [50_000, 1_000_000], phase: 'running', step: 0, note: '', from: { blue: 1_000_000 } };

test('splits are percentages, and what was not there is a dash', () => {
  deepEqual(
    readableDifferences([
      { field: 'services.shop.split', before: { blue: 1_000_000, green: 0 }, after: { blue: 874_999, green: 125_001 } },
      { field: 'clusters.eu-west.dialPercent', before: 100, after: 80 },
      { field: 'services.shop.clusterWeights.blue', before: null, after: { 'eu-west': 70 } },
    ]),
    [
      { field: 'services.shop.split', before: 'blue 100%, green 0%', after: 'blue 87.4999%, green 12.5001%' },
      { field: 'clusters.eu-west.dialPercent', before: '100', after: '80' },
      { field: 'services.shop.clusterWeights.blue', before: '-', after: 'eu-west 70' },
    ],
  );
});

test('of a rollout that went on only what differs is shown, of one that begins all', () => {
  const field = 'services.shop.rollout';
  deepEqual(readableDifferences([{ field, before: rollout, after: { ...rollout, step: 1, phase: 'paused' } }]), [
    { field: `${field}.phase`, before: 'running', after: 'paused' },
    { field: `${field}.step`, before: '0', after: '1' },
  ]);
  deepEqual(readableDifferences([{ field, before: null, after: rollout }]), [
    { field, before: '-', after: 'to green, steps 5% 100%, phase running, step 0, note "", from (blue 100%)' },
  ]);
});

test('what is in a list or in members is read as words', () => {
  const held = { until: '2026-11-27T02:22:37Z', fields: [{ kind: 'admin', cluster: 'us-east', before: 'active', held: 'drain' }] };
  deepEqual(readableDifferences([{ field: 'overrides.4', before: null, after: held }]), [
    {
      field: 'overrides.4',
      before: '-',
      after: 'until 2026-11-27T02:22:37Z, fields kind admin, cluster us-east, before active, held drain',
    },
  ]);
});
