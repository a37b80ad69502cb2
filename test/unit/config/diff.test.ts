// What differs between two configs, as an operator would say it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffConfig } from '../../../balancer/config/diff.ts';
import { loaded, SMALL_CONFIG } from '../../support/config-text.ts';

function diff(after: string, before = SMALL_CONFIG): { readonly differences: readonly string[]; readonly needsRestart: readonly string[] } {
  return diffConfig(loaded(before), loaded(after));
}

const change = (from: string, to: string): string => {
  assert.ok(SMALL_CONFIG.includes(from), `"${from}" is not in the config`);
  return SMALL_CONFIG.replace(from, to);
};

test('the same config, written otherwise, has no differences', () => {
  assert.deepEqual(diff(change('{ service: shop }', '{ service: shop, match: {}, name: shop }')), { differences: [], needsRestart: [] });
});

const TABLE: readonly (readonly [after: string, expected: readonly string[]])[] = [
  [change('9001"]', '9002"]'), ['cluster one: endpoints changed']],
  [
    change('{ endpoints', '{ connectTimeout: 2s, capacity: { rps: 5 }, endpoints'),
    ['cluster one: capacity changed', 'cluster one: connectTimeout changed'],
  ],
  [change('clusters:\n', 'clusters:\n  two: { endpoints: ["http://127.0.0.1:1"] }\n'), ['cluster two added']],
  [change('blue: {', 'green: { clusters: { one: {} } }, blue: {'), ['service shop: version green added', 'service shop: split changed']],
  [change('clusters: { one: {} }', 'clusters: { one: { priority: 1 } }'), ['service shop: version blue: clusters changed']],
  [change('{ versions', '{ onUnavailable: fail, versions'), ['service shop: onUnavailable changed']],
  [change('{ service: shop }', '{ service: shop, filters: [{ stamp: {} }] }'), ['route shop: filters changed']],
  [change('{ service: shop }', '{ service: shop, name: other }'), ['route other added', 'route shop removed']],
  [change('8080', '8081'), ['listener web: bind changed']],
  [`${SMALL_CONFIG}workers: 2\ndrainDeadline: 5s\n`, ['host: workers changed', 'host: drainDeadline changed']],
];

for (const [after, expected] of TABLE) {
  test(`it says: ${expected.join(', ')}`, () => {
    assert.deepEqual(diff(after), { differences: expected, needsRestart: [] });
  });
}

test('what left the file is removed', () => {
  const before = change(
    'services:\n',
    '  two: { endpoints: ["http://127.0.0.1:1"] }\nservices:\n  cart: { versions: { v: { clusters: { two: {} } } } }\n',
  );
  assert.deepEqual(diff(SMALL_CONFIG, before).differences, ['cluster two removed', 'service cart removed']);
});

test('routes in another order are a difference, because the first of equals wins', () => {
  const [one, other] = ['  - { name: a, service: shop }\n', '  - { name: b, service: shop, match: { methods: [GET] } }\n'];
  const routes = (...lines: readonly string[]): string => SMALL_CONFIG.replace('  - { service: shop }\n', lines.join(''));
  assert.deepEqual(diff(routes(other, one), routes(one, other)).differences, ['routes: order changed']);
});

test('among hundreds of routes the one that came, went, changed or moved is named, wherever it stands', () => {
  const line = (index: number): string => `  - { name: r${index}, service: shop, match: { path: /r${index} } }\n`;
  const lines = Array.from({ length: 700 }, (_, index) => line(index));
  const file = (routes: readonly string[]): string => SMALL_CONFIG.replace('  - { service: shop }\n', routes.join(''));
  const differences = (after: readonly string[]): readonly string[] => diff(file(after), file(lines)).differences;
  assert.deepEqual(differences(lines), []);
  for (const at of [0, 255, 256, 400, 699]) {
    assert.deepEqual(differences(lines.toSpliced(at, 0, line(1000))), ['route r1000 added']);
    assert.deepEqual(differences(lines.toSpliced(at, 1)), [`route r${at} removed`]);
    assert.deepEqual(differences(lines.with(at, line(at).replace(`/r${at}`, '/other'))), [`route r${at}: match changed`]);
    assert.deepEqual(differences([...lines.toSpliced(at, 1).toSpliced(100, 0, line(at))]), ['routes: order changed']);
  }
});

test('state, admin, agents, metrics and the name of the host need a restart', () => {
  const after = `${SMALL_CONFIG}host: { name: x }\nstate: { dir: /var/lib/x }\nadmin: { bind: "127.0.0.1:1" }\nagents: { bind: "127.0.0.1:2" }\nmetrics: { bind: "127.0.0.1:3" }\n`;
  const expected = ['host.name changed', 'state.dir changed', 'admin changed', 'agents changed', 'metrics changed'];
  assert.deepEqual(diff(after), { differences: expected, needsRestart: expected });
});
