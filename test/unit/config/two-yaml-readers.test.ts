// The fast reading of YAML and a second parser agree: no text means one thing here and another thing elsewhere.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseDocument } from 'yaml';
import { readDocument } from '../../../balancer/config/document.ts';
import { keptInputs } from '../../fuzz/corpus.ts';
import { Mutator } from '../../fuzz/mutate.ts';
import { config } from '../../fuzz/targets/config.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const NUMBERS = ['0', '-0', '+7', '007', '0o17', '0x1F', '1_000', '0b1', '1e3', '-1.5E-3', '.5', '1.', '+.5', '0x', '1e', '12:30', '1.2.3'];
const WORDS = [
  'true',
  'True',
  'TRUE',
  'tRUE',
  'yes',
  'no',
  'on',
  'y',
  'null',
  'Null',
  '~',
  '~x',
  'NULL',
  'nul',
  '<<',
  '2026-11-25',
  '=',
  '.',
];
const SNIPPETS: readonly string[] = [
  [...NUMBERS, ...WORDS].map((value, index) => `key-${index}: ${value}\n`).join(''),
  [...NUMBERS, ...WORDS].map((value) => `- [${value}, "${value}", '${value}', { a: ${value} }]\n`).join(''),
  [...NUMBERS, ...WORDS].map((value, index) => `${index}-${value}: { "${value}": x }\n`).join(''),
  'a: |\n  two\n   lines\n\nb: >-\n  folded\n  text\n\n  more\nc: |+\n  kept\n\n\nd: >2\n   indented\n',
  "a: plain text\n  over lines\n\n  and more # not this\nb: \"dou\\tble \\u00e9 \\x41\n  folded\\\n  joined\"\nc: 'it''s\n  so'\n",
  'a: &x { one: [1, 2], two: }\nb: *x\nc: [*x, &y z, *y]\nd: &x other\ne: *x\n',
  'a:\n- 1\n- - 2\n  - 3\n-\n  b: 4\n  ? c\n  : 5\nd: []\n',
  '? a\n? b\n: 1\n"c" : 2\n\'d\':\n  - x\ne: { f, g: , "h":1, i: {} }\n',
  '%YAML 1.2\n---\n# comment\na: 1 # comment\n#b: 2\nc: x#y\nd: "#"\n...\n',
  'url: http://a:80/b?c#d\nhost: "[::1]:80"\ntime: 500ms\nglob: "*.x"\nat: a@b\npercent: 20%\n',
  'a: !!str 12\nb: !!int "12"\nc: ! 5\nd: !!map { e: !!seq [1] }\n',
  '\uFEFFa: é\r\nb: |\r\n  x\r\n  y\r\nc: [1,\r\n  2]\r\n',
];

type Reading = { readonly value: unknown } | { readonly refused: string };

function ours(text: string): Reading {
  const { value, problems } = readDocument(text);
  return problems.length === 0 ? { value } : { refused: problems.map(({ message }) => message).join('; ') };
}

function theirs(text: string): Reading {
  const document = parseDocument(text, { prettyErrors: false, version: '1.2', uniqueKeys: true, merge: false });
  const found = [...document.errors, ...document.warnings];
  if (found.length > 0) return { refused: found.map(({ message }) => message).join('; ') };
  try {
    return { value: withWordsAsKeys(document.toJS({ mapAsMap: true, maxAliasCount: -1 })) };
  } catch (error) {
    return { refused: String(error) };
  }
}

function withWordsAsKeys(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, part]) => [String(key), withWordsAsKeys(part)]));
  return Array.isArray(value) ? value.map(withWordsAsKeys) : value;
}

/** False: one of them refuses it, and then the text has no second meaning. */
function agree(text: string): boolean {
  const [here, there] = [ours(text), theirs(text)];
  if ('refused' in here || 'refused' in there) return false;
  assert.deepEqual(here.value, there.value, text);
  return true;
}

const golden = (name: string): string => readFileSync(join(import.meta.dirname, `../../golden/config/${name}.yaml`), 'utf8');

test('every form of YAML that a config can have is taken, and says the same to both', () => {
  for (const text of [...['small', 'complete', 'contradictory', 'mistyped'].map(golden), ...SNIPPETS]) {
    assert.deepEqual(ours(text), theirs(text));
    assert.ok('value' in ours(text), text);
  }
});

test('what both take from texts that were changed at random says the same to both', () => {
  const random = seededRandom(26);
  const mutator = new Mutator(random, config.dictionary);
  const kept = keptInputs('config').map(({ input }) => input);
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)] ?? '';
  const small = Array.from({ length: 1500 }, () => mutator.mutate(pick(SNIPPETS), pick(SNIPPETS)));
  const whole = Array.from({ length: 100 }, () => mutator.mutate(pick(config.seeds), pick(kept)));
  const taken = [...kept, ...small, ...whole].filter(agree).length;
  assert.ok(taken > 200, `only ${taken} texts were taken: the changes leave too little to compare`);
});

test('what the two take differently, or one of them without a word, is refused with its place', () => {
  const problems = (text: string): readonly string[] =>
    readDocument(text).problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
  assert.match(problems('a: 1\nb: x\ry: 2\n')[0] ?? '', /^2:5 a carriage return stands without a line feed/);
  assert.match(problems('# c\n%YAML 1.1\n---\na: 1\n')[0] ?? '', /^2:1 a directive other than %YAML 1.2/);
  assert.match(problems('%TAG !e! tag:example.com,2000:\n---\na: !e!x 1\n')[0] ?? '', /^1:1 a directive other than %YAML 1.2/);
  assert.match(problems('a: [1, 1e999]\n')[0] ?? '', /^1:8 not a plain value/);
  assert.match(problems('a: !!int twelve\n')[0] ?? '', /^1:4 !!int: .*leave the tag out/);
});
