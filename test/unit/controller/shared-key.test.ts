// Keys that all hosts of a fleet work out alike.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedKeyHome } from '../../../balancer/controller/fleet/shared-key.ts';
import { RotatingKey } from '../../../balancer/controller/rotating-key.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const keyOf = (period: number): Buffer => Buffer.from(`key ${period}`);

test('hosts that start at different times have the same key in the same period, and change it together', (t) => {
  const clock = new ManualClock();
  const start = (): string[] => {
    const keys: string[] = [];
    const shared = new RotatingKey({
      home: sharedKeyHome(keyOf, clock),
      rotateMs: 60_000,
      clock,
      onKey: (key) => keys.push(key.toString()),
    });
    shared.start();
    t.after(() => shared.close());
    return keys;
  };
  const early = start();
  clock.advance(45_000);
  const late = start();
  assert.deepEqual(late, early);
  clock.advance(30_000);
  assert.equal(early.length, 2);
  assert.deepEqual(late, early);
});

test('a key that is never replaced is given once', (t) => {
  const clock = new ManualClock();
  const keys: string[] = [];
  const shared = new RotatingKey({
    home: sharedKeyHome(keyOf, clock),
    rotateMs: Infinity,
    clock,
    onKey: (key) => keys.push(key.toString()),
  });
  t.after(() => shared.close());
  shared.start();
  clock.advance(100_000_000);
  assert.deepEqual(keys, ['key 0']);
  assert.equal(clock.pending, 0);
});
