// Endpoints that the plan names: a worker has those it names, keeps what stays, and uses the best there are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterUpstream } from '../../../balancer/upstream/cluster-upstream.ts';
import type { EndpointHealth } from '../../../balancer/steer/plan-shape.ts';
import { from, portOf, upstreamBench } from '../../support/cluster-upstream.ts';

type Wish = readonly [port: number, state?: EndpointHealth['state'], draining?: 'draining'];

function tell(cluster: ClusterUpstream, ...endpoints: readonly Wish[]): void {
  cluster.applyHealth({
    state: 'up',
    endpoints: endpoints.map(([port, state = 'up', draining]) => ({
      endpoint: `127.0.0.1:${port}`,
      state,
      ...(draining === undefined ? {} : { draining: true }),
    })),
  });
}

/** Ports that requests go to. */
function used(cluster: ClusterUpstream): readonly number[] {
  const ports = Array.from({ length: 64 }, (_, n) => portOf(cluster.pick([], from(`10.0.0.${n}`))));
  return [...new Set(ports)].sort((a, b) => a - b);
}

test('a cluster without a word of its endpoints has nothing to send to', () => {
  const cluster = upstreamBench().make('agent');
  assert.equal(cluster.available, false);
  assert.equal(cluster.pick([], from('10.0.0.1')), null);
});

test('endpoints come and go with the plan, and those that stay are the same', () => {
  const cluster = upstreamBench().make('agent');
  tell(cluster, [1], [2]);
  const [, second] = cluster.endpoints;
  assert.deepEqual(used(cluster), [1, 2]);
  tell(cluster, [2], [3]);
  assert.deepEqual(used(cluster), [2, 3]);
  assert.equal(cluster.endpoints[0], second);
});

test('one that no probe has spoken for, or that drains, gets nothing while another is up', () => {
  const cluster = upstreamBench().make('agent');
  tell(cluster, [1], [2, 'unknown'], [3, 'up', 'draining'], [4, 'down']);
  assert.deepEqual(used(cluster), [1]);
});

test('where none is up the unknown are used, and the draining come last', () => {
  const cluster = upstreamBench().make('agent');
  tell(cluster, [2, 'unknown'], [3, 'up', 'draining'], [4, 'down']);
  assert.deepEqual(used(cluster), [2]);
  tell(cluster, [3, 'up', 'draining'], [4, 'down']);
  assert.deepEqual(used(cluster), [3]);
});

test('a reload keeps what was discovered, and what is in work there is counted on', () => {
  const bench = upstreamBench();
  const before = bench.make('agent');
  tell(before, [1], [2]);
  const after = bench.make('agent', 'balance: round-robin', before);
  assert.deepEqual(after.endpoints, before.endpoints);
  assert.deepEqual(used(after), [1, 2]);
});

test('those that come first start at once, those that come later slowly', () => {
  const bench = upstreamBench();
  const cluster = bench.make('agent', 'slowStart: { window: 60s }');
  bench.clock.advance(1000);
  tell(cluster, [1]);
  tell(cluster, [1], [2]);
  assert.deepEqual(
    cluster.endpoints.map(({ startedMs }) => startedMs > -Infinity),
    [false, true],
  );
});
