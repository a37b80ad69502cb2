// Every pitfall that is known from elsewhere is held by a test that exists, or cannot happen for a reason that is written down.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listFiles, readText } from './source-tree.ts';

/** Known pitfalls, numbered without a gap. */
const PITFALLS = 150;
const TEST_FILE = /`(test\/[^`]+)`/g;

const rows = readText('docs/pitfalls.md')
  .split('\n')
  .flatMap((line) => /^\| (\d+) \| (.+) \| (.+) \|$/.exec(line)?.slice(1, 4) ?? [])
  .reduce<string[][]>((all, cell, index) => (index % 3 === 0 ? [...all, [cell]] : (all.at(-1)?.push(cell), all)), []);

test('all pitfalls stand in the table, in their order', () => {
  assert.deepEqual(
    rows.map(([number]) => Number(number)),
    Array.from({ length: PITFALLS }, (_, index) => index + 1),
  );
});

test('each has tests that exist, or a reason', () => {
  const files = new Set(listFiles());
  for (const [number = '', , held = ''] of rows) {
    const named = [...held.matchAll(TEST_FILE)].map(([, file = '']) => file);
    for (const file of named) assert.ok(files.has(file) && file.endsWith('.test.ts'), `pitfall ${number} names ${file}, which is no test`);
    const reason = held.replaceAll(TEST_FILE, '').replaceAll(/[\s,:;.]/g, '');
    assert.ok(named.length > 0 || reason.length > 20, `pitfall ${number} has neither a test nor a reason`);
  }
});
