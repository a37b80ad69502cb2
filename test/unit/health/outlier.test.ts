// Outlier detection: what ejects, what does not, how long, and how it is forgotten.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { OutlierDetector, type OutlierSettings } from '../../../health/outlier.ts';
import { fixedRandom, seededRandom } from '../../support/seeded-random.ts';

const SETTINGS: OutlierSettings = {
  consecutive: 5,
  ratio: 0.5,
  minRequests: 20,
  windowMs: 1000,
  baseEjectionMs: 5000,
  maxEjectionMs: 300_000,
};
/** Consecutive failures never eject here: only the ratio can. */
const RATIO_ONLY: OutlierSettings = { ...SETTINGS, consecutive: 1_000_000 };

const detector = (settings: OutlierSettings = SETTINGS): OutlierDetector => new OutlierDetector(settings, fixedRandom(0));

const fail = (of: OutlierDetector, times: number, nowMs: number): number => {
  let forMs = 0;
  for (let count = 0; count < times; count += 1) forMs = of.failure(nowMs);
  return forMs;
};

describe('failures in a row', () => {
  test('the fifth failure in a row ejects, the fourth does not', () => {
    const subject = detector();
    assert.equal(fail(subject, 4, 100), 0);
    assert.equal(subject.isEjected(100), false);
    assert.equal(subject.failure(100), 5000);
    assert.equal(subject.isEjected(100), true);
  });

  test('one success between failures starts the count again', () => {
    const subject = detector({ ...SETTINGS, minRequests: 1000 });
    for (let round = 0; round < 50; round += 1) {
      assert.equal(fail(subject, 4, round), 0);
      subject.success(round);
    }
  });

  test('failures in a row count however far apart they are', () => {
    const subject = detector();
    for (let count = 0; count < 4; count += 1) assert.equal(subject.failure(count * 60_000), 0);
    assert.equal(subject.failure(240_000), 5000);
  });
});

describe('the ratio of a window', () => {
  test('half of twenty requests within a second ejects', () => {
    const subject = detector(RATIO_ONLY);
    for (let count = 0; count < 9; count += 1) {
      subject.success(count * 40);
      assert.equal(subject.failure(count * 40), 0);
    }
    subject.success(400);
    assert.equal(subject.failure(400), 5000);
  });

  test('fewer requests than the least, or a lower ratio, stay in', () => {
    const few = detector(RATIO_ONLY);
    assert.equal(fail(few, 19, 0), 0);
    const healthy = detector(RATIO_ONLY);
    for (let count = 0; count < 1000; count += 1) {
      healthy.success(count);
      healthy.success(count);
      assert.equal(healthy.failure(count), 0);
    }
  });

  test('a burst over the edge of a second is seen whole', () => {
    const subject = detector(RATIO_ONLY);
    assert.equal(fail(subject, 10, 950), 0);
    assert.equal(fail(subject, 10, 1050), 5000);
  });

  test('what is older than the window does not count', () => {
    const subject = detector(RATIO_ONLY);
    assert.equal(fail(subject, 19, 0), 0);
    assert.equal(fail(subject, 19, 1000), 0);
    assert.equal(subject.failure(1000), 5000);
  });
});

describe('ejections', () => {
  test('they grow by the base with each one, up to the longest', () => {
    const subject = detector({ ...SETTINGS, maxEjectionMs: 12_000 });
    let nowMs = 0;
    const lengths: number[] = [];
    for (let count = 0; count < 4; count += 1) {
      lengths.push(fail(subject, 5, nowMs));
      nowMs = subject.ejectedUntilMs;
      assert.equal(subject.isEjected(nowMs), false);
    }
    assert.deepEqual(lengths, [5000, 10_000, 12_000, 12_000]);
  });

  test('each base time it stayed in takes one step back', () => {
    const subject = detector();
    let nowMs = 0;
    for (let count = 0; count < 3; count += 1) {
      fail(subject, 5, nowMs);
      nowMs = subject.ejectedUntilMs;
    }
    assert.equal(fail(subject, 5, nowMs + 10_000), 10_000);
    assert.equal(fail(subject, 5, subject.ejectedUntilMs + 3_600_000), 5000);
  });

  test('answers that come in while it is ejected neither prolong nor repeat it', () => {
    const subject = detector();
    fail(subject, 5, 0);
    const untilMs = subject.ejectedUntilMs;
    assert.equal(fail(subject, 500, 100), 0);
    assert.equal(subject.ejectedUntilMs, untilMs);
    assert.equal(fail(subject, 4, untilMs), 0, 'the count starts again after the return');
  });

  test('the return is spread over a tenth, so that it is never later than the full time', () => {
    const random = seededRandom(7);
    const lengths = Array.from({ length: 200 }, () => fail(new OutlierDetector(SETTINGS, random), 5, 0));
    assert.ok(Math.min(...lengths) > 4500 && Math.max(...lengths) <= 5000);
    assert.ok(new Set(lengths).size > 100);
  });
});

test('it agrees with counting over the recorded answers', () => {
  const answers = fc.array(fc.record({ gapMs: fc.integer({ min: 0, max: 300 }), good: fc.boolean() }), { maxLength: 200 });
  fc.assert(
    fc.property(answers, (recorded) => {
      const subject = detector({ ...RATIO_ONLY, minRequests: 5 });
      const seen: { readonly atMs: number; readonly good: boolean }[] = [];
      let nowMs = 0;
      for (const { gapMs, good } of recorded) {
        nowMs += gapMs;
        seen.push({ atMs: nowMs, good });
        // Time is counted in tenths of the window: the step that runs and the nine before it.
        const inWindow = seen.filter(({ atMs }) => Math.floor(atMs / 100) > Math.floor(nowMs / 100) - 10);
        const failed = inWindow.filter((answer) => !answer.good).length;
        const expected = !good && inWindow.length >= 5 && failed >= inWindow.length / 2;
        if (good) subject.success(nowMs);
        else assert.equal(subject.failure(nowMs) > 0, expected);
        if (expected) return;
      }
    }),
    { numRuns: 200, seed: 11 },
  );
});
