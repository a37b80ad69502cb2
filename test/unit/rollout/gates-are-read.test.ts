// Gates as people write them, and what each of them holds against a version.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readGate } from '../../../balancer/rollout/gates/registry.ts';
import { BUCKETS, partAboveMs, quantileMs } from '../../../balancer/telemetry/latency-buckets.ts';
import type { Evidence, Gate, Outcomes, Verdict } from '../../../balancer/rollout/gate.ts';

test('every form that a message shows is a gate, with or without blanks', () => {
  for (const text of ['errors<1%', 'errors < 3x', 'p95<1.2x', 'p99 <300ms', 'p50<1.5s'])
    assert.equal(gate(text).text, text.replaceAll(' ', ''));
});

test('what is no gate is refused with the forms there are, and a figure out of range with its range', () => {
  assert.match(refusal('latency<3'), /"latency<3" is no gate; gates look like errors<1%, errors<3x, p95<1\.2x, p99<300ms/);
  assert.match(refusal('errors<0%'), /errors<0%: expected a part above 0 and up to 50 %/);
  assert.match(refusal('errors<1x'), /expected a factor above 1/);
  assert.match(refusal('p95<1x'), /expected a factor from 1\.05/);
  assert.match(refusal('p99<0ms'), /expected a time above 0/);
});

test('mirror-diff<1% holds copies against what users got; where no other version is left it has nothing to say', () => {
  const others = { ...evidence({ requests: 0 }), baseline: same({ requests: 1000 }) };
  const copies = (compared: number, different: number): Evidence => ({ ...others, trial: { ...others.trial, compared, different } });
  assert.equal(judged('mirror-diff<1%', copies(1000, 2)), 'pass');
  assert.equal(judged('mirror-diff<1%', copies(300, 30)), 'fail');
  assert.equal(judged('mirror-diff<1%', copies(10, 0)), 'insufficient');
  assert.equal(judged('mirror-diff<1%', { ...copies(10, 0), baseline: null }), 'pass');
  assert.match(refusal('mirror-diff<0%'), /expected a part above 0 and up to 50 %/);
});

test('errors<2% passes 1 %, fails 10 %, and does not judge ten requests', () => {
  assert.equal(judged('errors<2%', evidence({ requests: 1000, errors: 10 })), 'pass');
  assert.equal(judged('errors<2%', evidence({ requests: 400, errors: 40 })), 'fail');
  assert.equal(judged('errors<2%', evidence({ requests: 10 })), 'insufficient');
});

test('errors<5x holds the version against the others: what all suffer fails nobody, what they are spared fails it', () => {
  const trial = { requests: 400, errors: 40 };
  assert.equal(judged('errors<5x', { ...evidence(trial), baseline: same({ requests: 4000, errors: 4 }) }), 'fail');
  assert.equal(judged('errors<5x', { ...evidence(trial), baseline: same({ requests: 4000, errors: 400 }) }), 'pass');
});

test('errors that all versions have had for some seconds only are not the fault of one', () => {
  const sudden = { short: outcomes({ requests: 400, errors: 120 }), long: outcomes({ requests: 4000, errors: 124 }) };
  assert.equal(judged('errors<5x', { ...evidence({ requests: 200, errors: 60 }), baseline: sudden }), 'pass');
});

test('without others to compare with, the errors from before the rollout count', () => {
  assert.equal(judged('errors<5x', { ...evidence({ requests: 400, errors: 40 }), usualErrorRatio: 0.1 }), 'pass');
  assert.equal(judged('errors<5x', { ...evidence({ requests: 400, errors: 40 }), usualErrorRatio: 0.001 }), 'fail');
});

test('p95<1.2x fails what is slower than the others at the same time, and passes when all are as slow', () => {
  const fast = { requests: 1000, latencyMs: 20 };
  const slow = { requests: 400, latencyMs: 60 };
  assert.equal(judged('p95<1.2x', { ...evidence(slow), baseline: same(fast) }), 'fail');
  assert.equal(judged('p95<1.2x', { ...evidence(slow), baseline: same({ ...slow, requests: 1000 }) }), 'pass');
  assert.equal(judged('p95<1.2x', evidence(slow)), 'insufficient');
});

test('p99<300ms needs nobody to compare with', () => {
  assert.equal(judged('p99<300ms', evidence({ requests: 400, latencyMs: 60 })), 'pass');
  assert.equal(judged('p99<300ms', evidence({ requests: 400, latencyMs: 700 })), 'fail');
});

test('the part above a quantile is what the quantile says, in every bucket', () => {
  const counts = Array.from({ length: BUCKETS }, (_, index) => (index % 5) + 1);
  for (const part of [0.1, 0.5, 0.9, 0.95]) {
    const limitMs = quantileMs(counts, part);
    assert.ok(limitMs !== null);
    assert.ok(Math.abs(partAboveMs(counts, limitMs) - (1 - part)) < 1e-9, `${part}`);
  }
});

interface Sketch {
  readonly requests: number;
  readonly errors?: number;
  readonly latencyMs?: number;
}

function outcomes({ requests, errors = 0, latencyMs = 20 }: Sketch): Outcomes {
  const latency = new Array<number>(BUCKETS).fill(0);
  // Spread over the bucket of the latency and the one below it.
  const bucket = latency.findIndex((_, index) => partAboveMs(onlyIn(index), latencyMs) > 0);
  latency[bucket] = requests / 2;
  latency[bucket - 1] = requests / 2;
  return { requests, errors, latency };
}

function onlyIn(bucket: number): readonly number[] {
  return Array.from({ length: BUCKETS }, (_, index) => (index === bucket ? 1 : 0));
}

function same(sketch: Sketch): { readonly short: Outcomes; readonly long: Outcomes } {
  return { short: outcomes(sketch), long: outcomes(sketch) };
}

function evidence(sketch: Sketch): Evidence {
  return { trial: outcomes(sketch), baseline: null, usualErrorRatio: 0 };
}

function gate(text: string): Gate {
  const found = readGate(text, new Set());
  assert.ok(typeof found !== 'string', typeof found === 'string' ? found : '');
  return found;
}

function refusal(text: string): string {
  const found = readGate(text, new Set());
  assert.ok(typeof found === 'string');
  return found;
}

function judged(text: string, seen: Evidence): Verdict {
  const work = gate(text).begin();
  work.add(seen);
  return work.judge(50).verdict;
}
