// A config text that changed is read where it changed, and what comes out is what reading all of it gives: values, hash and problems.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig, type KeptReading } from '../../../balancer/config/load.ts';
import { readDocument } from '../../../balancer/config/document.ts';
import { reread } from '../../../balancer/config/reread.ts';
import type { Random } from '../../../health/clock.ts';
import { load, TEST_ENVIRONMENT, TEST_EXTENSIONS } from '../../support/config-text.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const HEAD = `version: 1
listeners:
  web: { bind: "127.0.0.1:8080" }
clusters:
  one: { endpoints: ["http://127.0.0.1:9001"] }
services:
  shop: { versions: { blue: { clusters: { one: {} } } } }
`;

/** Ways to write a route, with what a careless reader could take for the beginning of another one. */
const FORMS: readonly ((name: string) => readonly string[])[] = [
  (name) => [`- { name: ${name}, service: shop, match: { path: /${name} } }`],
  (name) => [`- name: ${name}`, '  service: shop', `  match: { path: /${name} }`],
  (name) => ['-', `  name: ${name}`, '  service: shop', '  match:', `    path: /${name}`, '    methods:', '    - GET', '    - PUT'],
  (name) => [`- service: shop # - { not: a route }`, `  name: "${name}"`, '', `  match: { path: "/${name}" }`, '  # - { service: shop }'],
  (name) => [`- { name: ${name}, service: shop, match: { path: /${name} },`, '    filters: [{ stamp: { text: "a', '    - b" } }] }'],
  (name) => [
    `- name: ${name}`,
    `  match: { path: /${name} }`,
    '  service: shop',
    '  filters:',
    '  - stamp:',
    '      text: |',
    '        - x',
    '        : y',
  ],
];

/** Lines that somebody may put anywhere, most of them wrong there. */
const STRANGE: readonly string[] = [
  '---',
  '...',
  '%YAML 1.2',
  '- "open',
  "  'open",
  '  more: |',
  '    text: &anchor x',
  '- *anchor',
  '- &anchor { service: shop }',
  'routes:',
  'services:',
  'regions: {}',
  '\t- tab',
  '- { service: shop }',
  '-',
  '- ~',
  '  filters: [{ stamp: {} }]',
  '   ',
  '# comment',
  ' # - { service: shop }',
  '? key',
  '- |',
  '  - { service: shop }',
  '- [',
  ']',
  '}',
  '- { service: nobody }',
];

interface Written {
  readonly head: string;
  readonly lines: readonly string[];
  readonly tail: string;
}

const textOf = ({ head, lines, tail }: Written, indent: string): string =>
  `${head}routes:\n${lines.map((line) => `${line === '' ? '' : indent}${line}\n`).join('')}${tail}`;

function anyOf<T>(values: readonly T[], random: Random): T {
  const value = values[Math.floor(random() * values.length)];
  assert.ok(value !== undefined);
  return value;
}

/** One edit, as a person makes one: lines are added, taken out, changed, or something outside of the routes is. */
function edited(written: Written, random: Random, number: number): Written {
  const { head, lines, tail } = written;
  const at = Math.floor(random() * (lines.length + 1));
  const chance = random();
  if (chance < 0.35) return { ...written, lines: lines.toSpliced(at, 0, ...anyOf(FORMS, random)(`new-${number}`)) };
  if (chance < 0.5) return { ...written, lines: lines.toSpliced(at, 1 + Math.floor(random() * 4)) };
  if (chance < 0.6)
    return { ...written, lines: lines.toSpliced(at, 1, `${lines[at] ?? ''}${anyOf([' ', 'x', '"', ' # why', ':', ','], random)}`) };
  if (chance < 0.8) return { ...written, lines: lines.toSpliced(at, 0, anyOf(STRANGE, random)) };
  if (chance < 0.9)
    return { ...written, head: `${head}# head ${number}\n`, lines: lines.toSpliced(at, 0, ...anyOf(FORMS, random)(`new-${number}`)) };
  return { ...written, tail: tail === '' ? 'safety: { minimumClusters: 1 }\n' : '' };
}

for (const indent of ['', '  ', '      '])
  test(`after hundreds of edits, right and wrong ones, of a list indented by ${indent.length}, both readings agree`, () => {
    const random = seededRandom(indent.length + 1);
    const lines = Array.from({ length: 150 }, (_, index) => anyOf(FORMS, random)(`route-${index}`)).flat();
    let written: Written = { head: HEAD, lines, tail: '' };
    let kept: KeptReading | null = null;
    for (let number = 0; number < 250; number += 1) {
      const next = edited(written, random, number);
      const source = { file: '/etc/weir/weir.yaml', text: textOf(next, indent) };
      const again = loadConfig(source, TEST_EXTENSIONS, TEST_ENVIRONMENT, kept);
      const whole = load(source.text);
      if (!again.ok || !whole.ok) {
        assert.deepEqual(again, whole, source.text);
        continue;
      }
      assert.deepEqual(again.config, whole.config, source.text);
      assert.deepEqual(again.kept?.read, whole.kept?.read, source.text);
      ({ kept } = again);
      written = next;
    }
    assert.ok(kept !== null && kept.routes.length > 100, 'most edits can be loaded');
  });

const MANY = Array.from({ length: 1000 }, (_, index) => `  - { name: r${index}, service: shop, match: { path: /r${index} } }`);

function rereadOf(before: string, after: string): ReturnType<typeof reread> {
  const places = readDocument(before).itemPlaces();
  assert.ok(places !== null);
  return reread({ text: before, places }, after);
}

test('of a thousand routes a changed one is read with its neighbours, wherever it stands, and the others are not', () => {
  const before = textOf({ head: HEAD, lines: MANY.map((line) => line.slice(2)), tail: '' }, '  ');
  for (const at of [0, 1, 500, 998, 999]) {
    const lines = MANY.with(at, `  - { name: other, service: shop, match: { path: /other } }`).map((line) => line.slice(2));
    const again = rereadOf(before, textOf({ head: HEAD, lines, tail: '' }, '  '));
    assert.ok(again !== null && again.ahead + again.behind >= 996, `route ${at}: ${again?.ahead} and ${again?.behind}`);
    assert.equal(again.isRestSame, true);
  }
});

test('a change outside of the routes leaves them unread, and what they are is made anew', () => {
  const before = textOf({ head: HEAD, lines: MANY.map((line) => line.slice(2)), tail: '' }, '  ');
  const again = rereadOf(before, before.replace('blue', 'green'));
  assert.ok(again !== null && again.behind >= 998);
  assert.equal(again.isRestSame, false);
});

test('a text with anchors is read whole', () => {
  const text = textOf({ head: HEAD, lines: ['- &one { service: shop, match: { path: /a } }', '- *one'], tail: '' }, '');
  assert.equal(readDocument(text).itemPlaces(), null);
});

test('a file that a route names is looked for each time, though nothing of the text about it changed', () => {
  const extensions = {
    ...TEST_EXTENSIONS,
    filters: [
      ...TEST_EXTENSIONS.filters.slice(0, 1).map((filter) => ({
        ...filter,
        complete: (options: unknown, place: { readableFile(path: readonly string[], file: string): string }) => {
          place.readableFile(['text'], 'page.html');
          return options;
        },
      })),
    ],
  };
  const lines = MANY.map((line) => line.slice(2)).with(
    3,
    '- { name: page, service: shop, match: { path: /page }, filters: [{ stamp: {} }] }',
  );
  const source = { file: '/etc/weir/weir.yaml', text: textOf({ head: HEAD, lines, tail: '' }, '  ') };
  const first = loadConfig(source, extensions, TEST_ENVIRONMENT);
  assert.ok(first.ok && first.kept !== null);
  const gone = { ...TEST_ENVIRONMENT, readable: () => false };
  const again = loadConfig({ ...source, text: `${source.text}  - { service: shop, match: { path: /z } }\n` }, extensions, gone, first.kept);
  assert.ok(!again.ok);
  assert.match(again.problems.map(({ message }) => message).join('\n'), /page\.html cannot be read/);
});
