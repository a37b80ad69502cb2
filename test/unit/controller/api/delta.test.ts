// What has changed of a document leads a reader from the one before to the next exactly, whatever the two are, and is small where little has.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { deltaOf } from '../../../../balancer/controller/api/delta.ts';
import { applyDelta, DeltaMisfit } from '../../../../tui/dashboard/apply-delta.ts';
import { extrasView } from '../../../support/feed-extras.ts';
import { busyStatus, eventView } from '../../../support/statuses.ts';

/** As it comes over the network. */
function sent(before: unknown, after: unknown): unknown {
  const found = deltaOf(before, after);
  return found === null ? before : applyDelta(before, JSON.parse(JSON.stringify(found.delta)));
}

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('a delta', () => {
  test('leads from any document to any other', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (before, after) => {
        deepEqual(sent(json(before), json(after)), json(after));
      }),
      { seed: 31, numRuns: 2000 },
    );
  });

  test('leads from any list of things to any other, by way of moves too', () => {
    const thing = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd', 'e'), rps: fc.integer({ min: 0, max: 3 }) });
    fc.assert(
      fc.property(fc.array(thing, { maxLength: 8 }), fc.array(thing, { maxLength: 8 }), (before, after) => {
        deepEqual(sent(json(before), json(after)), json(after));
      }),
      { seed: 31, numRuns: 3000 },
    );
  });

  test('of a list that moved by one at its end is that one, from whichever side it came', () => {
    const trend = Array.from({ length: 60 }, (_, index) => index * 3);
    const later = [...trend.slice(1), 999];
    deepEqual(deltaOf(trend, later)?.delta, { a: { drop: [1, 0], back: [999] } });
    const events = busyStatus().events;
    const next = eventView(51, 'worker', 'worker-7 is ready');
    deepEqual(deltaOf(events, [next, ...events.slice(0, -1)])?.delta, { a: { drop: [0, 1], front: [next] } });
  });

  test('keeps what has not changed as the same object, so that nothing decodes it again', () => {
    const before = json({ status: busyStatus(), ...extrasView(busyStatus()) }) as { status: { clusters: unknown[]; services: unknown[] } };
    const after = json(before) as typeof before;
    Object.assign(after.status.clusters[1] as object, { utilisation: 0.99 });
    const applied = sent(before, after) as typeof before;
    deepEqual(applied, after);
    equal(applied.status.services, before.status.services);
    equal(applied.status.clusters[0], before.status.clusters[0]);
    ok(applied.status.clusters[1] !== before.status.clusters[1]);
  });

  test('that does not fit is refused, never applied in part', () => {
    for (const [before, delta] of [
      [{ a: 1 }, { a: { at: { 0: 1 } } }],
      [[1], { o: { a: 1 } }],
      [[1], { a: { at: { 5: 1 } } }],
      [1, { unknown: true }],
    ] as const) {
      let misfit: unknown = null;
      try {
        applyDelta(before, delta);
      } catch (error) {
        misfit = error;
      }
      ok(misfit instanceof DeltaMisfit, JSON.stringify(delta));
    }
  });

  test('does not touch the prototype of anything, whatever a name says', () => {
    const after: unknown = JSON.parse('{"__proto__": {"rps": 1}, "a": 2}');
    const applied = sent({ a: 1 }, after);
    equal(JSON.stringify(applied), '{"a":2,"__proto__":{"rps":1}}');
    equal(({} as Record<string, unknown>)['rps'], undefined);
  });
});
