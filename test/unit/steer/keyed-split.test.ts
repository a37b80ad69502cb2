// Keys keep their places: a shift moves exactly those it has to, health moves only those of the place that lacks, and all come back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastCheck from 'fast-check';
import { KeyedSplit, NOWHERE, type KeyedPlace } from '../../../balancer/steer/keyed-split.ts';

const place = (name: string): KeyedPlace => ({ name, group: name.split('/')[0] ?? '' });
const MILLION = 1_000_000;

function split(names: readonly string[], desired: readonly number[], effective = desired): KeyedSplit {
  const made = new KeyedSplit(names.map(place), 'shop');
  made.setShares(desired, effective);
  return made;
}

const keys = (count: number): readonly string[] => Array.from({ length: count }, (_, user) => `user-${user}`);
const count = (places: readonly number[], wanted: number): number => places.filter((one) => one === wanted).length;

test('check values: the same users on every host and in every version of weir', () => {
  const canary = split(['blue', 'green'], [900_000, 100_000]);
  const chosen = keys(60).filter((key) => canary.place(key) === 1);
  assert.deepEqual(chosen, CHECK_VALUES);
});

test('100,000 keys have their shares within 0.2 points, and 5 → 10 % moves exactly the users that are added', () => {
  const users = keys(100_000);
  const five = users.map((key) => split(['blue', 'green'], [950_000, 50_000]).place(key));
  const ten = users.map((key) => split(['blue', 'green'], [900_000, 100_000]).place(key));
  assert.ok(Math.abs(count(five, 1) / 1000 - 5) <= 0.2, `${count(five, 1)}`);
  assert.ok(Math.abs(count(ten, 1) / 1000 - 10) <= 0.2, `${count(ten, 1)}`);
  assert.ok(five.every((at, user) => at === 0 || ten[user] === 1));
});

test('the order of the file moves nobody', () => {
  const [one, other] = [split(['blue', 'green'], [700_000, 300_000]), split(['green', 'blue'], [300_000, 700_000])];
  for (const key of keys(500)) assert.equal(one.place(key), 1 - other.place(key));
});

test('a place that is gone loses its keys to its own version first, and has the same ones again when it is back', () => {
  const names = ['blue/eu', 'blue/us', 'green/us'];
  const desired = [400_000, 400_000, 200_000];
  const whole = split(names, desired);
  const gone = split(names, desired, [0, 800_000, 200_000]);
  for (const key of keys(2000)) assert.equal(gone.place(key), whole.place(key) === 0 ? 1 : whole.place(key));
});

test('a share that is lost is lost for its own keys alone', () => {
  const users = keys(20_000);
  const whole = split(['blue', 'green'], [600_000, 400_000]);
  const half = split(['blue', 'green'], [600_000, 400_000], [600_000, 200_000]);
  const places = users.map((key) => half.place(key));
  assert.ok(users.every((key, user) => places[user] === whole.place(key) || (places[user] === NOWHERE && whole.place(key) === 1)));
  assert.ok(Math.abs(count(places, NOWHERE) / 20_000 - 0.2) < 0.015);
});

test('weight 0 is 0, and a service without a share has no place', () => {
  assert.ok(keys(2000).every((key) => split(['blue', 'green'], [MILLION, 0]).place(key) === 0));
  assert.equal(split(['blue'], [0]).place('ann'), NOWHERE);
});

const shares = (length: number) =>
  fastCheck.array(fastCheck.nat(1000), { minLength: length, maxLength: length }).map((parts) => {
    const sum = parts.reduce((all, part) => all + part, 0);
    return sum === 0 ? parts.map((_, index) => (index === 0 ? MILLION : 0)) : parts.map((part) => (part * MILLION) / sum);
  });

test('whatever is lacking, places have what the plan gives them, and nobody leaves a place that lacks nothing', () => {
  const names = ['a/x', 'a/y', 'b/x', 'b/y'];
  const users = keys(4000);
  fastCheck.assert(
    fastCheck.property(shares(4), shares(4), (desired, effective) => {
      const home = split(names, desired);
      const now = split(names, desired, effective);
      const places = users.map((key) => now.place(key));
      for (const [index, share] of effective.entries()) {
        // Six standard deviations of 4,000 draws, at most 0.0475.
        assert.ok(Math.abs(count(places, index) / users.length - share / MILLION) < 0.0475);
        if (share >= (desired[index] ?? 0)) assert.ok(users.every((key, user) => home.place(key) !== index || places[user] === index));
      }
    }),
    { numRuns: 40 },
  );
});

const CHECK_VALUES = ['user-19', 'user-51', 'user-57'];
