// When a drained cluster is empty: when every worker has counted nothing there, under a plan that sends nothing there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningCounts } from '../../../balancer/controller/running-counts.ts';

const WORKERS = ['w1', 'w2'];

test('what runs is the sum over the workers, without those that are gone', () => {
  const counts = new RunningCounts();
  counts.add('w1', { plan: 1, clusters: { one: [3, 2], two: [1, 0] } });
  counts.add('w2', { plan: 1, clusters: { one: [4, 0] } });
  assert.deepEqual(counts.of('one'), { requests: 7, tunnels: 2 });
  counts.forget('w2');
  assert.deepEqual(
    [counts.of('one'), counts.of('three')],
    [
      { requests: 3, tunnels: 2 },
      { requests: 0, tunnels: 0 },
    ],
  );
});

test('a count from before a worker had the plan of the drain does not make the cluster empty', () => {
  const counts = new RunningCounts();
  for (const worker of WORKERS) counts.add(worker, { plan: 4, clusters: {} });
  assert.equal(counts.isEmpty('one', WORKERS), false, 'it is not drained');
  counts.drained(['one'], 5);
  assert.equal(counts.isEmpty('one', WORKERS), false);
  counts.add('w1', { plan: 5, clusters: {} });
  counts.drained(['one'], 6);
  assert.equal(counts.isEmpty('one', WORKERS), false, 'w2 may have sent something there since');
  counts.add('w2', { plan: 6, clusters: { one: [0, 1] } });
  assert.equal(counts.isEmpty('one', WORKERS), false);
  counts.add('w2', { plan: 6, clusters: {} });
  assert.equal(counts.isEmpty('one', WORKERS), true);
  assert.equal(counts.isEmpty('one', []), false, 'nobody counts');
  counts.drained([], 7);
  counts.drained(['one'], 8);
  assert.equal(counts.isEmpty('one', WORKERS), false, 'a drain that begins anew is counted anew');
});
