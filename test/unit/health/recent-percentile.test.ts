// A percentile of recent latencies: nothing until enough is known, then right within a slot, and old answers are forgotten.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecentPercentile } from '../../../health/recent-percentile.ts';

function observed(percentile: RecentPercentile, times: number, tookMs: number): void {
  for (let count = 0; count < times; count += 1) percentile.observe(tookMs);
}

/** The upper bound of a slot, which is at most 2^(1/8) above the latency. */
const within = (valueMs: number, ms: number): boolean => valueMs >= ms && valueMs <= ms * 2 ** 0.125;

test('it is unknown until 20 answers came, and for a high percentile until one can be above', () => {
  for (const [percentile, needed] of [[0.5, 20] as const, [0.95, 20] as const, [0.98, 50] as const, [0.99, 100] as const]) {
    const recent = new RecentPercentile(percentile);
    observed(recent, needed - 1, 5);
    assert.equal(recent.valueMs(0), Infinity);
    assert.equal(recent.valueMs(100_000), Infinity);
    observed(recent, 1, 5);
    assert.ok(within(recent.valueMs(100_000), 5));
  }
});

test('no more than its part of the answers is above', () => {
  for (const percentile of [0.5, 0.9, 0.95, 0.99]) {
    const recent = new RecentPercentile(percentile);
    const below = Math.round(percentile * 1000);
    observed(recent, below, 7);
    observed(recent, 1000 - below, 900);
    assert.ok(within(recent.valueMs(0), 7));
    const above = new RecentPercentile(percentile);
    observed(above, below - 1, 7);
    observed(above, 1000 - below + 1, 900);
    assert.ok(within(above.valueMs(0), 900));
  }
});

test('what is cut off at the percentile again and again does not pull it down', () => {
  const recent = new RecentPercentile(0.9);
  observed(recent, 900, 5);
  observed(recent, 100, 200);
  const firstMs = recent.valueMs(0);
  assert.ok(within(firstMs, 5));
  for (let nowMs = 10_000; nowMs <= 100_000; nowMs += 10_000) {
    const valueMs = recent.valueMs(nowMs);
    assert.equal(valueMs, firstMs);
    observed(recent, 900, 5);
    // Given up a little after the percentile, instead of after 200 ms.
    observed(recent, 100, valueMs + 1);
  }
});

test('it follows what answers take now, within two windows', () => {
  const recent = new RecentPercentile(0.5);
  observed(recent, 1000, 5);
  assert.ok(within(recent.valueMs(0), 5));
  for (let nowMs = 10_000; nowMs <= 30_000; nowMs += 10_000) {
    observed(recent, 100, 50);
    recent.valueMs(nowMs);
  }
  assert.ok(within(recent.valueMs(30_000), 50));
});

test('it holds latencies of any length', () => {
  const recent = new RecentPercentile(0.5);
  observed(recent, 100, 0);
  assert.equal(recent.valueMs(0), 1);
  observed(recent, 1000, 1e12);
  assert.ok(recent.valueMs(10_000) > 17 * 60_000);
});
