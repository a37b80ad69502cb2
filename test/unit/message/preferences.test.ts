// What clients would rather have: weights, ranges, and lists that are none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mediaRank, preferences } from '../../../balancer/message/preferences.ts';

const BROWSER = preferences(['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'], 'accept');

test('a list has weights of at most three digits, and what is malformed in it counts for nothing', () => {
  const read = preferences(['accept-encoding', 'gzip;q=0.5, BR ; q=1.000, zstd;q=2, deflate;q=0.1234,, *;q=0'], 'accept-encoding');
  assert.deepEqual(read, [
    { range: 'gzip', weight: 0.5 },
    { range: 'br', weight: 1 },
    { range: '*', weight: 0 },
  ]);
});

test('several fields are one list, and no field is no list', () => {
  assert.deepEqual(
    preferences(['accept', 'a/b', 'x', 'y', 'accept', 'c/d;q=0.1'], 'accept')?.map(({ range }) => range),
    ['a/b', 'c/d'],
  );
  assert.equal(preferences(['x', 'y'], 'accept'), null);
});

test('a list of any length is read as far as a client means it', () => {
  assert.equal(preferences(['accept', 'a/b,'.repeat(1000)], 'accept')?.length, 64);
});

test('the most exact range says how much a type is wanted', () => {
  const rank = (accept: string, type: string): number => mediaRank(preferences(['accept', accept], 'accept'), type);
  assert.equal(rank('*/*, text/html;q=0', 'text/html'), 0);
  assert.equal(rank('application/json', 'text/html'), 0);
  assert.ok(rank('text/*;q=0.5, */*', 'text/html') < rank('text/*;q=0.5, */*', 'image/png'));
  assert.ok(mediaRank(BROWSER, 'text/html') > mediaRank(BROWSER, 'application/json'));
  assert.ok(mediaRank(null, 'text/html') > 0);
});
