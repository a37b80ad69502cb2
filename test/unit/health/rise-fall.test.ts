// Rise and fall, and the hold-down of what flaps.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOLD_DOWN, HoldDown } from '../../../health/hold-down.ts';
import { RiseFall } from '../../../health/rise-fall.ts';

const feed = (subject: RiseFall, results: string): string =>
  Array.from(results)
    .map((result) => {
      subject.observe(result === '+');
      return subject.state[0] ?? '';
    })
    .join('');

test('the first check decides, whichever way it goes', () => {
  assert.equal(feed(new RiseFall({ rise: 3, fall: 5 }), '+'), 'u');
  const good = new RiseFall({ rise: 3, fall: 5 });
  assert.equal(good.observe(true), true);
  assert.equal(good.state, 'up');
  const bad = new RiseFall({ rise: 3, fall: 5 });
  assert.equal(bad.observe(false), true);
  assert.equal(bad.state, 'down');
});

test('it goes down with the fall-th bad check in a row and up with the rise-th good one', () => {
  // States by their first letter: u stands for up, as unknown is over with the first check.
  assert.equal(feed(new RiseFall({ rise: 2, fall: 3 }), '+--+--++---+-++-'), 'uuuuuuuuuudddduu');
});

test('it is doubtful from the first result against its state until that is settled', () => {
  const subject = new RiseFall({ rise: 2, fall: 3 }, 'up');
  assert.equal(subject.doubtful, false);
  subject.observe(false);
  assert.equal(subject.doubtful, true);
  subject.observe(true);
  assert.equal(subject.doubtful, false);
  feed(subject, '---');
  assert.deepEqual([subject.state, subject.doubtful], ['down', false]);
  subject.observe(true);
  assert.equal(subject.doubtful, true);
});

test('what was taken down needs all of its rise again', () => {
  const subject = new RiseFall({ rise: 2, fall: 3 }, 'up');
  subject.takeDown();
  assert.equal(feed(subject, '+-+'), 'ddd');
  assert.equal(subject.observe(true), true);
  assert.equal(subject.state, 'up');
});

test('a first fall is not held, each relapse twice as long as the one before, up to the longest', () => {
  const subject = new HoldDown(HOLD_DOWN);
  const held: number[] = [];
  for (let round = 0; round < 8; round += 1) {
    held.push(subject.fell(round * 60_000));
    subject.returned(round * 60_000 + 30_000);
  }
  assert.deepEqual(held, [0, 15_000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
});

test('after the time to forget a fall counts as the first again', () => {
  const subject = new HoldDown(HOLD_DOWN);
  subject.fell(0);
  subject.returned(1000);
  assert.equal(subject.fell(2000), 15_000);
  subject.returned(20_000);
  assert.equal(subject.fell(20_000 + HOLD_DOWN.forgetMs - 1), 30_000);
  subject.returned(1_000_000);
  assert.equal(subject.fell(1_000_000 + HOLD_DOWN.forgetMs), 0);
});
