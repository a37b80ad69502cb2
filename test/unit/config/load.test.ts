// Loading a config text: what YAML is taken, what comes out, what the result promises.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, loaded, problemsOf, SMALL_CONFIG } from '../../support/config-text.ts';

test('a text that is no YAML is told with the place where it ends to be some', () => {
  assert.match(problemsOf('version: 1\nlisteners: [\n')[0] ?? '', /^3:1: Flow sequence/);
  assert.match(problemsOf('version: 1\n\tlisteners: {}\n')[0] ?? '', /^2:1: /);
  assert.match(problemsOf('a: 1\n---\nb: 2\n')[0] ?? '', /^\d+:1: a second document begins here/);
});

test('a key that is given twice is told at its second place', () => {
  assert.deepEqual(problemsOf(`${SMALL_CONFIG}workers: 1\nworkers: 2\n`), ['11:1: this key is already given above; keep one of them']);
});

test('an empty file and a file that is no mapping say how a config begins', () => {
  assert.deepEqual(problemsOf(''), ['1:1: the file is empty; expected a mapping that begins with version: 1']);
  assert.deepEqual(problemsOf('# nothing\n'), ['1:1: the file is empty; expected a mapping that begins with version: 1']);
  assert.deepEqual(problemsOf('- a\n'), ['1:1: a list is not a configuration; expected a mapping that begins with version: 1']);
});

test('words that YAML 1.1 took for booleans are words', () => {
  const config = loaded(SMALL_CONFIG.replaceAll('blue', 'on').replaceAll('shop', 'yes').replaceAll('one', 'no'));
  assert.deepEqual(Object.keys(config.services), ['yes']);
  assert.deepEqual(config.services['yes']?.split, { on: 1_000_000 });
});

test('values that are not plain, and keys that are not words, are refused', () => {
  assert.match(problemsOf(`${SMALL_CONFIG}workers: !!binary aGk=\n`)[0] ?? '', /^10:10: !!binary: .*leave the tag out/);
  assert.match(problemsOf(`${SMALL_CONFIG}workers: !secret x\n`)[0] ?? '', /^10:10: .*leave the tag out/);
  assert.match(problemsOf(`${SMALL_CONFIG}workers: .nan\n`)[0] ?? '', /^10:10: not a plain value/);
  assert.match(problemsOf(`${SMALL_CONFIG}? [a]\n: b\n`)[0] ?? '', /^10:3: a key is a plain word/);
  assert.match(problemsOf(`${SMALL_CONFIG}__proto__: { workers: 1 }\n`)[0] ?? '', /^10:1: "__proto__" cannot be a key/);
});

test('anchors and aliases stand for copies of a value', () => {
  const config = loaded(
    SMALL_CONFIG.replace(
      'clusters:\n',
      'clusters:\n  two: &other { endpoints: ["http://127.0.0.1:9002"], maxConnections: 7 }\n  three: *other\n',
    ),
  );
  assert.equal(config.clusters['three']?.maxConnections, 7);
  assert.equal(config.clusters['three'].name, 'three');
});

test('a problem in an aliased value is told at the value', () => {
  const text = SMALL_CONFIG.replace(
    'clusters:\n',
    'clusters:\n  two: &other { endpoints: ["http://127.0.0.1:9002"], keepAlive: long }\n  three: *other\n',
  );
  assert.deepEqual(
    problemsOf(text).map((line) => line.split(': ').slice(0, 2).join(': ')),
    ['5:66: clusters.three.keepAlive', '5:66: clusters.two.keepAlive'],
  );
});

test('an alias without an anchor, an alias of itself and aliases that multiply are refused', () => {
  assert.match(problemsOf('version: 1\nhost: *nobody\n')[0] ?? '', /^2:7: \*nobody names no anchor/);
  assert.match(problemsOf('version: 1\nhost: &self { name: *self }\n')[0] ?? '', /nested deeper than 100/);
  const tenfold = (from: string, to: string): string => `${to}: &${to} [${Array.from({ length: 10 }, () => `*${from}`).join(', ')}]\n`;
  const bomb = `a: &a [${'x,'.repeat(9)} x]\n${tenfold('a', 'b')}${tenfold('b', 'c')}${tenfold('c', 'd')}${tenfold('d', 'e')}${tenfold('e', 'f')}${tenfold('f', 'g')}`;
  const found = problemsOf(bomb);
  assert.equal(found.length, 1);
  assert.match(found[0] ?? '', /aliases that copy more than 100000 values/);
});

test('what the machine says fills in what the file leaves out', () => {
  const config = loaded(SMALL_CONFIG);
  assert.equal(config.hostName, 'test-host');
  assert.equal(config.workers, 4);
  assert.equal(loaded(`${SMALL_CONFIG}workers: 2\nhost: { name: edge-9 }\n`).workers, 2);
});

test('the config is plain JSON and frozen to its last value', () => {
  const config = loaded(`${SMALL_CONFIG}metrics: { bind: "127.0.0.1:9464" }\n`);
  assert.deepEqual(JSON.parse(JSON.stringify(config)), config);
  const assertFrozen = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    assert.ok(Object.isFrozen(value));
    Object.values(value).forEach(assertFrozen);
  };
  assertFrozen(config);
});

test('the hash is of the fleet part alone, and does not depend on how the file is written', () => {
  const { hash } = loaded(SMALL_CONFIG);
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.equal(loaded(`# a comment\n${SMALL_CONFIG}workers: 3\nhost: { name: other }\n`).hash, hash);
  assert.equal(loaded(SMALL_CONFIG.replace('{ service: shop }', '{ match: { path: / }, service: shop, name: shop }')).hash, hash);
  assert.notEqual(loaded(SMALL_CONFIG.replace('9001', '9002')).hash, hash);
  const two = SMALL_CONFIG.replace('clusters:\n', 'clusters:\n  two: { endpoints: ["http://127.0.0.1:9002"] }\n');
  const swapped = SMALL_CONFIG.replace('services:\n', '  two: { endpoints: ["http://127.0.0.1:9002"] }\nservices:\n');
  assert.equal(loaded(two).hash, loaded(swapped).hash);
});

test('routes without a name are called after their service, around names that are taken', () => {
  const config = loaded(
    SMALL_CONFIG.replace(
      '  - { service: shop }\n',
      '  - { service: shop }\n  - { name: shop-2, service: shop, match: { path: /a } }\n  - { service: shop, match: { path: /b } }\n',
    ),
  );
  assert.deepEqual(
    config.routes.map(({ name }) => name),
    ['shop', 'shop-2', 'shop-3'],
  );
});

test('a reference to something that is itself wrong is no second problem', () => {
  const text = SMALL_CONFIG.replace('{ endpoints: ["http://127.0.0.1:9001"] }', '17');
  assert.deepEqual(
    problemsOf(text).map((line) => line.split(': ')[1]),
    ['clusters.one'],
  );
});

test('a file without listeners still has its other problems told', () => {
  const found = problemsOf('version: 1\nclusters: { one: { endpoints: ["http://a"] } }\nroutes: [{ service: shop }]\n');
  assert.equal(found.length, 2);
  assert.match(found[0] ?? '', /^1:1: "listeners" is missing/);
  assert.match(found[1] ?? '', /^3:21: routes\[0\]\.service: unknown service "shop"; the file names none/);
});

test('no value a file can hold makes loading throw', () => {
  const values = [
    '',
    'null',
    '1',
    '-1',
    'true',
    'text',
    '[]',
    '{}',
    '[null]',
    '{ a: null }',
    '{ a: {} }',
    '[[1]]',
    '{ 0: { 1: 2 } }',
    '"\\0"',
  ];
  const keys = Object.keys(loaded(SMALL_CONFIG)).filter((key) => key !== 'hash');
  for (const key of ['version', 'host', 'state', 'admin', 'agents', 'metrics', 'workers', 'accessLog', ...keys]) {
    for (const value of values) {
      for (const text of [`version: 1\n${key}: ${value}\n`, `version: 1\n${key}: { x: ${value} }\n`, `version: 1\n${key}: [ ${value} ]\n`])
        assert.doesNotThrow(() => load(text), text);
    }
  }
  for (const part of ['endpoints', 'tls', 'health', 'outlier', 'capacity', 'balance', 'connectTimeout'])
    for (const value of values)
      assert.doesNotThrow(() => load(SMALL_CONFIG.replace('endpoints: [', `${part}: ${value}, endpointz: [`)), `${part}: ${value}`);
  for (const part of ['name', 'listeners', 'match', 'service', 'filters'])
    for (const value of values)
      assert.doesNotThrow(() => load(SMALL_CONFIG.replace('{ service: shop }', `{ ${part}: ${value} }`)), `${part}: ${value}`);
  for (const part of ['versions', 'split', 'steer', 'retries', 'timeouts'])
    for (const value of values)
      assert.doesNotThrow(() => load(SMALL_CONFIG.replace('{ versions:', `{ ${part}: ${value}, versionz:`)), `${part}: ${value}`);
});

test('10,000 routes load in a time that grows with their number, not its square', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => `  - { service: shop, match: { path: /r${index} } }\n`).join('');
  const before = process.cpuUsage();
  assert.equal(loaded(SMALL_CONFIG + many).routes.length, 10_001);
  const used = process.cpuUsage(before);
  // About 1 s of one core; a step that compares all pairs takes 10^8 comparisons and more.
  assert.ok((used.user + used.system) / 1e6 < 20);
});
