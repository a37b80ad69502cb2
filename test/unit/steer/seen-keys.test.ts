// New keys are told from those that came before, in constant memory and alike for every place.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeyedSplit } from '../../../balancer/steer/keyed-split.ts';
import { REMEMBERED_MS, SeenKeys } from '../../../balancer/steer/seen-keys.ts';

test('a key is new once while it comes at least once a minute, and again after two minutes away', () => {
  const seen = new SeenKeys();
  assert.equal(seen.isNew('user-1', 5000), true);
  for (let minute = 0; minute < 5; minute += 1) assert.equal(seen.isNew('user-1', 5000 + minute * REMEMBERED_MS), false, `${minute}`);
  assert.equal(seen.isNew('user-1', 5000 + 4 * REMEMBERED_MS + 2 * REMEMBERED_MS), true);
});

test('a table that is full calls fewer keys new, of all places alike', () => {
  const seen = new SeenKeys();
  const split = new KeyedSplit(
    ['blue', 'green'].map((name) => ({ name, group: name })),
    'shop',
  );
  split.setShares([900_000, 100_000], [900_000, 100_000]);
  const found = [0, 0];
  for (let user = 0; user < 300_000; user += 1) {
    const key = `user-${user}`;
    if (!seen.isNew(key, 0)) continue;
    const place = split.place(key);
    found[place] = (found[place] ?? 0) + 1;
  }
  const [blue = 0, green = 0] = found;
  const all = blue + green;
  assert.ok(all > 90_000 && all < 150_000, `${all} of 300,000`);
  // Five standard deviations.
  assert.ok(Math.abs(green / all - 0.1) < 5 * Math.sqrt((0.1 * 0.9) / all), `${green} of ${all}`);
});
