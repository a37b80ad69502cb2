// Names, comments and text of the checkout keep to the rules that no compiler makes; each check is shown to see a breach.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyWordInPath, leftovers, silencers, testsOf, wordBreaches } from './prose.ts';
import { listFiles, listSources, readText } from './source-tree.ts';

/** Files that are text and that people write; the lock file is checked for its own sake below. */
const written = listFiles().filter((path) => !/\.(png|ico|gz)$/.test(path) && path !== 'package-lock.json');
const testFiles = listSources().filter((path) => path.endsWith('.test.ts'));

const none = (found: readonly string[]): void => {
  assert.deepEqual(found, [], found.join('\n'));
};

test('every source file opens with a sentence on its job', () => {
  const opening = /^\/\/ \S.{15,}(\n\/\/ .+){0,2}\.\n(?!\/\/)/;
  none(listSources().filter((path) => !opening.test(readText(path))));
  assert.doesNotMatch('// parser\n', opening);
  assert.match('// Reads a request head\n// as RFC 9112 has it.\n', opening);
});

test('file names are lower case with hyphens and say what is inside', () => {
  none(listSources().filter((path) => !/^[a-z0-9][a-z0-9-]*(\.test)?\.ts$/.test(path.split('/').at(-1) ?? '')));
  none(listFiles().flatMap((path) => (emptyWordInPath(path) === null ? [] : [path])));
  assert.equal(emptyWordInPath('balancer/utils/text.ts'), 'utils');
  assert.equal(emptyWordInPath('balancer/route/route-manager.ts'), 'manager');
});

test('names use the words of the design and no synonyms', () => {
  none(listSources().flatMap((path) => wordBreaches(path, readText(path))));
  assert.match(wordBreaches('a.ts', 'class RouteManager {}')[0] ?? '', /a\.ts:1 RouteManager: "manager" says nothing/);
  assert.match(wordBreaches('a.ts', 'const idleBackends = 1;')[0] ?? '', /the word is endpoint, or upstream/);
  assert.deepEqual(wordBreaches('a.ts', 'const base = 1; class Store {}'), []);
});

test('nothing is left for later, and nothing names one machine or one registry', () => {
  none(written.flatMap((path) => leftovers(path, readText(path))));
  assert.match(leftovers('a.ts', `// ${'TO' + 'DO'}: later`)[0] ?? '', /a\.ts:1 was left for later/);
  assert.match(leftovers('a.md', `see ${'/ho' + 'me'}/ada/notes`)[0] ?? '', /folder of one machine/);
  assert.match(leftovers('a.md', `from https://${'regi' + 'stry'}.example.com/x`)[0] ?? '', /package registry/);
  assert.deepEqual(leftovers('a.ts', 'get("https://shop.example.com/home/page")'), []);
});

test('no check is switched off without a reason beside it, and none for a whole file', () => {
  none(listSources().flatMap((path) => silencers(path, readText(path))));
  const comment = '// eslint-disable' + '-next-line eqeqeq';
  assert.match(silencers('a.ts', comment)[0] ?? '', /does not say why/);
  assert.deepEqual(silencers('a.ts', `${comment} -- null and undefined mean the same here`), []);
  assert.match(silencers('a.ts', '/* eslint-' + 'disable */')[0] ?? '', /rest of the file/);
  assert.match(silencers('a.ts', '// @ts-' + 'ignore')[0] ?? '', /silences the compiler/);
});

test('the lock file has hashes and no addresses, so that any registry serves it', () => {
  const lock = readText('package-lock.json');
  assert.doesNotMatch(lock, /"resolved"/);
  assert.match(lock, /"integrity": "sha512-/);
});

test('no test is switched off without a reason, and none runs alone', () => {
  none(testFiles.flatMap((path) => testsOf(path, readText(path)).switchedOff));
  const off = testsOf('a.test.ts', "test.only('x', f); it.skip('y', f); test('z', { skip: true }, (t) => t.skip());").switchedOff;
  assert.equal(off.length, 4, off.join('\n'));
  assert.deepEqual(testsOf('a.test.ts', "test('z', { skip: 'needs tmux' }, f);").switchedOff, []);
});

test('test files are named after a behaviour and their titles are sentences', () => {
  // A title with a computed part comes from a table, whose rows name themselves.
  const vague = (title: string): boolean => (!title.includes('…') && title.split(/\s+/).length < 3) || /^(should|works)\b/i.test(title);
  none(
    testFiles.flatMap((path) =>
      testsOf(path, readText(path))
        .titles.filter((title) => vague(title.text))
        .map((title) => `${path}:${title.line} "${title.text}" does not say what must hold`),
    ),
  );
  assert.ok(vague('parser works') && vague('should refuse a bad host') && !vague('a bad host is refused'));
  none(testFiles.filter((path) => testsOf(path, readText(path)).titles.length === 0).map((path) => `${path} holds no test`));
});
