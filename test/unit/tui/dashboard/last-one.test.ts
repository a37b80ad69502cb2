// One question at a time in each lane, and of those that come meanwhile the last one alone.
import { deepEqual, rejects } from 'node:assert/strict';
import { test } from 'node:test';
import { LastOne } from '../../../../tui/dashboard/last-one.ts';

test('of what comes while one is under way only the last one follows; lanes do not wait for each other', async () => {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const runs = new LastOne<string>((item) => {
    begun.push(item);
    return new Promise((resolve) => void ends.set(item, resolve));
  });
  const all = [runs.add('a', 'a1'), runs.add('a', 'a2'), runs.add('b', 'b1'), runs.add('a', 'a3')];
  deepEqual(begun, ['a1', 'b1']);
  ends.get('a1')?.();
  await all[1];
  await new Promise(setImmediate);
  deepEqual(begun, ['a1', 'b1', 'a3']);
  ends.get('a3')?.();
  ends.get('b1')?.();
  await Promise.all(all);
  const again = runs.add('a', 'a4');
  deepEqual(begun.at(-1), 'a4');
  ends.get('a4')?.();
  await again;
});

test('a lane in which one has failed goes on with the next one that is asked', async () => {
  const begun: string[] = [];
  const runs = new LastOne<string>((item) => {
    begun.push(item);
    return item === 'bad' ? Promise.reject(new Error(item)) : Promise.resolve();
  });
  await rejects(runs.add('a', 'bad'), /bad/);
  await runs.add('a', 'good');
  deepEqual(begun, ['bad', 'good']);
});
