// The limit of a try: three times the tail of what was answered, never below 250 ms, and never pulled up by what has stopped.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TryLimit } from '../../../health/try-limit.ts';

function answered(limit: TryLimit, times: number, tookMs: number): void {
  for (let count = 0; count < times; count += 1) limit.answered(tookMs);
}

/** Three times the upper bound of the slot, which is at most 2^(1/4) above the latency. */
const within = (limitMs: number, p99Ms: number): boolean => limitMs >= 3 * p99Ms && limitMs <= 3 * p99Ms * 2 ** 0.25;

test('it is a second until 20 answers are known, however long that takes', () => {
  const limit = new TryLimit();
  answered(limit, 19, 5);
  assert.equal(limit.limitMs(0), 1000);
  assert.equal(limit.limitMs(100_000), 1000);
  answered(limit, 1, 5);
  assert.equal(limit.limitMs(100_000), 250);
});

test('it is three times the 99th percentile', () => {
  const limit = new TryLimit();
  answered(limit, 980, 5);
  answered(limit, 20, 400);
  assert.ok(within(limit.limitMs(0), 400));
});

test('one slow answer in a hundred does not move it', () => {
  const limit = new TryLimit();
  answered(limit, 990, 5);
  answered(limit, 10, 4000);
  assert.equal(limit.limitMs(0), 250);
});

test('slow answers among the first do not set it for long', () => {
  const limit = new TryLimit();
  answered(limit, 2, 200);
  answered(limit, 18, 5);
  assert.ok(within(limit.limitMs(0), 200));
  answered(limit, 300, 5);
  assert.equal(limit.limitMs(500), 250);
});

test('slower answers raise it within the window too', () => {
  const limit = new TryLimit();
  answered(limit, 20, 5);
  assert.equal(limit.limitMs(0), 250);
  answered(limit, 20, 400);
  assert.ok(within(limit.limitMs(1000), 400));
});

test('what was given up without an answer since is not a latency', () => {
  const limit = new TryLimit();
  answered(limit, 100, 5);
  assert.equal(limit.limitMs(0), 250);
  for (let count = 0; count < 100; count += 1) limit.gaveUp();
  assert.equal(limit.limitMs(10_000), 250);
  assert.equal(limit.limitMs(30_000), 250);
});

test('where answers come again, what was given up raises it, and quiet windows let it down', () => {
  const limit = new TryLimit();
  answered(limit, 100, 5);
  assert.equal(limit.limitMs(0), 250);
  for (let count = 0; count < 10; count += 1) limit.gaveUp();
  answered(limit, 100, 5);
  assert.ok(within(limit.limitMs(10_000), 250));
  answered(limit, 100, 5);
  limit.limitMs(20_000);
  answered(limit, 100, 5);
  assert.equal(limit.limitMs(30_000), 250);
});

test('what was given up and came in time elsewhere does not raise it', () => {
  const limit = new TryLimit();
  answered(limit, 100, 5);
  assert.equal(limit.limitMs(0), 250);
  for (let count = 0; count < 10; count += 1) {
    limit.gaveUp();
    limit.spared();
  }
  answered(limit, 100, 5);
  assert.equal(limit.limitMs(10_000), 250);
  limit.spared();
  for (let count = 0; count < 5; count += 1) limit.gaveUp();
  answered(limit, 20, 5);
  assert.ok(within(limit.limitMs(20_000), 250), 'nothing is forgiven in advance');
});

test('what was not waited for counts as long as it was waited for, and does not make a beginning', () => {
  const limit = new TryLimit();
  for (let count = 0; count < 100; count += 1) limit.wouldTake(400);
  assert.equal(limit.limitMs(0), 1000);
  answered(limit, 20, 5);
  assert.ok(within(limit.limitMs(0), 400));
});
