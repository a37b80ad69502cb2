// Lateness: silence takes out, and a lasting part of late answers does; a slow answer, or a pause, does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lateness } from '../../../health/lateness.ts';

const lateness = (): Lateness => new Lateness({ consecutive: 5, minRequests: 20 });

/** The first time at which it says so; null: never. One request every `everyMs`. */
function outAt(subject: Lateness, isLate: (atMs: number) => boolean, untilMs: number, everyMs = 20): number | null {
  for (let atMs = 0; atMs <= untilMs; atMs += everyMs) {
    if (!isLate(atMs)) subject.timely(atMs);
    else if (subject.late(atMs)) return atMs;
  }
  return null;
}

test('one late answer does not take out, however long it is alone', () => {
  const subject = lateness();
  assert.equal(subject.late(0), false);
  subject.timely(10_000);
  assert.equal(subject.late(20_000), false);
});

test('silence takes out after half a second', () =>
  assert.equal(
    outAt(lateness(), () => true, 5000),
    500,
  ));

test('few requests take out with the fifth that is late in a row', () =>
  assert.equal(
    outAt(lateness(), () => true, 5000, 1000),
    4000,
  ));

test('many that are late at one moment, after a pause, do not take out', () => {
  const subject = lateness();
  outAt(subject, () => false, 5000);
  for (let count = 0; count < 50; count += 1) assert.equal(subject.late(5010), false);
  assert.equal(
    outAt(subject, () => false, 10_000),
    null,
  );
});

test('a third of late answers takes out within the three seconds of its window', () => {
  const subject = lateness();
  const at = outAt(subject, (atMs) => atMs % 60 === 0, 10_000);
  assert.ok(at !== null && at <= 3000, String(at));
});

test('a tenth of late answers does not', () =>
  assert.equal(
    outAt(lateness(), (atMs) => atMs % 200 === 0, 60_000),
    null,
  ));
