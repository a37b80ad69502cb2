// Measuring the machine that runs the test: figures that are possible, and one measurement at a time.
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { createMeter } from '../../../agent/host-meter.ts';

test('the figures of this machine are possible ones', async () => {
  const measure = createMeter();
  for (const measured of [await measure(), await measure()]) {
    assert.ok(measured.cpuUtilisation >= 0 && measured.cpuUtilisation <= 1, String(measured.cpuUtilisation));
    assert.ok(measured.memoryUtilisation > 0 && measured.memoryUtilisation < 1, String(measured.memoryUtilisation));
    // The processes may be bound to fewer cores than the machine has.
    assert.ok(measured.cores >= availableParallelism(), String(measured.cores));
    assert.ok(measured.loadAverage1m >= 0);
  }
});

test('who asks while a measurement runs gets that one, who asks later gets another', async () => {
  const measure = createMeter();
  const first = measure();
  assert.equal(measure(), first);
  const measured = await first;
  const second = measure();
  assert.notEqual(second, first);
  assert.notEqual(await second, measured);
});
