// An endpoint that comes back from an ejection begins with little; at the start of a worker nobody does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClusterUpstream } from '../../../balancer/upstream/cluster-upstream.ts';
import { from, portOf, upstreamBench } from '../../support/cluster-upstream.ts';

const SLOW = 'balance: random, slowStart: { window: 10s, aggression: 2 }';

function partOf(cluster: ClusterUpstream, port: number): number {
  let count = 0;
  for (let pick = 0; pick < 8000; pick += 1) if (portOf(cluster.pick([], from(''))) === port) count += 1;
  return count / 8000;
}

/** Five standard deviations of 8,000 draws are at most 0.028. */
const isAbout = (part: number, expected: number): void => assert.ok(Math.abs(part - expected) <= 0.028, `${part}, expected ${expected}`);

test('after an ejection the part grows by the aggression, from a tenth', () => {
  const bench = upstreamBench();
  const cluster = bench.make([1, 2], SLOW);
  const pass = (ms: number): void => {
    bench.clock.advance(ms);
    bench.deadlines.sweep();
  };
  isAbout(partOf(cluster, 1), 0.5);
  const detector = cluster.endpoints[0]?.detector;
  for (let failure = 0; failure < 5; failure += 1) detector?.failure(bench.deadlines.nowMs);
  cluster.refresh();
  assert.equal(partOf(cluster, 1), 0);
  pass((detector?.ejectedUntilMs ?? 0) - bench.deadlines.nowMs);
  isAbout(partOf(cluster, 1), 0.1 / 1.1);
  pass(2500);
  // (2.5 / 10) ^ (1 / 2) = 0.5
  isAbout(partOf(cluster, 1), 0.5 / 1.5);
  pass(7500);
  isAbout(partOf(cluster, 1), 0.5);
});

test('an endpoint that a reload adds begins with little, the others have theirs', () => {
  const bench = upstreamBench();
  const cluster = bench.make([1], SLOW);
  isAbout(partOf(bench.make([1, 2], SLOW, cluster), 2), 0.1 / 1.1);
});
