// Which requests may begin when a process has more work than time: from the top of the classes, never less than it can nearly serve, all again after.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdmissionLimit, classIndex } from '../../../balancer/worker/admission-limit.ts';
import type { PriorityClass } from '../../../balancer/config/config.ts';

const LONG = { turnMs: 50, utilisation: 1 };
const TURN_MS = 20;

/** A loop that serves 10 requests a millisecond and has been found too slow five times. */
function overloaded(): AdmissionLimit {
  const limit = new AdmissionLimit(25);
  for (let look = 0; look < 5; look += 1) limit.look({ ...LONG, arrivedPerTurn: 500 });
  assert.ok(limit.active);
  return limit;
}

/** How many of each class are admitted in the last of some turns that all have these requests, a millisecond of each class after the other. */
function admitted(limit: AdmissionLimit, perTurn: Readonly<Partial<Record<PriorityClass, number>>>): Readonly<Record<string, number>> {
  let counts: Record<string, number> = {};
  for (let turn = 0; turn < 50; turn += 1) {
    counts = {};
    for (const [name, count] of Object.entries(perTurn) as [PriorityClass, number][])
      for (let asked = 0; asked < count; asked += 1) counts[name] = (counts[name] ?? 0) + (limit.admits(classIndex(name)) ? 1 : 0);
    limit.endTurn(TURN_MS);
  }
  return counts;
}

test('four long looks, or a loop that still waits for work, are no overload', () => {
  const limit = new AdmissionLimit(25);
  const long = (looks: number): void => {
    for (let look = 0; look < looks; look += 1) limit.look({ ...LONG, arrivedPerTurn: 500 });
  };
  long(4);
  limit.look({ turnMs: 50, utilisation: 0.9, arrivedPerTurn: 500 });
  long(4);
  assert.equal(limit.active, false);
  long(1);
  assert.equal(limit.active, true);
  assert.equal(limit.perSecond, 9000, 'nine tenths of what was served');
});

test('with 0 nothing is ever refused', () => {
  const limit = new AdmissionLimit(0);
  for (let look = 0; look < 5; look += 1) limit.look({ ...LONG, arrivedPerTurn: 500 });
  assert.equal(limit.active, false);
});

test('what may begin goes to the classes from the top, and the highest is never refused', () => {
  // 180 may begin in 20 ms.
  const counts = admitted(overloaded(), { low: 300, normal: 200, high: 100, critical: 50 });
  assert.equal(counts['critical'], 50);
  assert.equal(counts['high'], 100);
  assert.ok(Math.abs((counts['normal'] ?? 0) - 30) <= 1, `normal: ${counts['normal']}`);
  assert.ok((counts['low'] ?? 0) <= 1, `low: ${counts['low']}`);
  assert.equal(admitted(overloaded(), { critical: 400 })['critical'], 400);
});

test('turns that stay long bring it down to 85 % of what the loop can serve and no further', () => {
  const limit = overloaded();
  for (let look = 0; look < 50; look += 1) {
    admitted(limit, { normal: 600 });
    limit.look({ ...LONG, arrivedPerTurn: 600 });
  }
  assert.equal(Math.round(limit.perSecond), 8500);
});

test('when all is admitted and turns are long all the same, requests have become dearer, and fewer may begin', () => {
  const limit = overloaded();
  for (let look = 0; look < 30; look += 1) {
    admitted(limit, { normal: 100 });
    limit.look({ ...LONG, arrivedPerTurn: 100 });
  }
  assert.ok(limit.perSecond <= 9000 * 0.25, `${limit.perSecond}`);
});

test('a second without a refusal and without a long turn ends it', () => {
  const limit = overloaded();
  limit.endTurn(TURN_MS);
  for (let look = 0; look < 10; look += 1) {
    assert.ok(limit.active);
    limit.admits(classIndex('normal'));
    limit.endTurn(TURN_MS);
    limit.look({ turnMs: 1, utilisation: 0.5, arrivedPerTurn: 1 });
  }
  assert.deepEqual([limit.active, limit.perSecond], [false, Infinity]);
});
