// How many streams clients may have open follows what the process can do: halved while turns are long, doubled while they are short or the process has time.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { StreamLimit } from '../../../balancer/worker/stream-limit.ts';

const LONG = { turnMs: 40, utilisation: 1 };
const SHORT = { turnMs: 5, utilisation: 1 };
const RIGHT = { turnMs: 20, utilisation: 1 };
const IDLE = { turnMs: 5, utilisation: 0.5 };

function after(limit: StreamLimit, looks: number, look: typeof LONG): number {
  for (let n = 0; n < looks; n += 1) limit.look(look);
  return limit.streams;
}

describe('a limit on streams', () => {
  test('begins with the second long turn in a row of a loop that never waits', () => {
    const limit = new StreamLimit(100);
    assert.equal(after(limit, 1, LONG), Infinity);
    assert.equal(after(limit, 1, RIGHT), Infinity);
    assert.equal(after(limit, 1, LONG), Infinity);
    assert.equal(after(limit, 50, { turnMs: 500, utilisation: 0.9 }), Infinity, 'a loop that also waits keeps up');
    assert.equal(after(limit, 2, LONG), 8);
  });

  test('halves, one fall after another, down to one', () => {
    const limit = new StreamLimit(100);
    after(limit, 2, LONG);
    assert.equal(after(limit, 3, LONG), 8, 'what is open already has to be answered first');
    assert.equal(after(limit, 1, LONG), 4);
    assert.equal(after(limit, 400, LONG), 1);
  });

  test('halves too where long turns are the more frequent ones, without being in a row', () => {
    const limit = new StreamLimit(100);
    after(limit, 2, LONG);
    for (let round = 0; round < 2; round += 1) {
      after(limit, 2, LONG);
      after(limit, 1, RIGHT);
    }
    assert.equal(limit.streams, 8);
    assert.equal(after(limit, 2, LONG), 4);
    for (let round = 0; round < 100; round += 1) {
      after(limit, 1, LONG);
      after(limit, 1, RIGHT);
    }
    assert.equal(limit.streams, 4, 'half of them is what was aimed at');
    after(limit, 3, LONG);
    after(limit, 1, IDLE);
    assert.equal(after(limit, 3, LONG), 4, 'a loop that has time begins anew');
  });

  test('stays while the loop is busy with turns that are neither long nor short, and rises while it has time', () => {
    const limit = new StreamLimit(100);
    after(limit, 10, LONG);
    assert.equal(after(limit, 1000, RIGHT), 2);
    assert.equal(after(limit, 4, IDLE), 2);
    assert.equal(after(limit, 1, IDLE), 4);
    after(limit, 4, IDLE);
    assert.equal(after(limit, 1, RIGHT), 4);
    assert.equal(after(limit, 9, IDLE), 8);
    assert.equal(after(limit, 5, IDLE), Infinity);
  });

  test('rises while the loop is busy with turns so short that twice as many requests would do, and then only so far', () => {
    const limit = new StreamLimit(100);
    after(limit, 400, LONG);
    assert.equal(after(limit, 4, SHORT), 1);
    assert.equal(after(limit, 1, SHORT), 2);
    after(limit, 4, SHORT);
    assert.equal(after(limit, 1, RIGHT), 2);
    assert.equal(after(limit, 1000, SHORT), 8);
    assert.equal(after(new StreamLimit(100), 1000, SHORT), Infinity);
  });

  test('is never there without a target', () => {
    assert.equal(after(new StreamLimit(0), 100, { turnMs: 10_000, utilisation: 1 }), Infinity);
  });
});
