// One path for routing, policies and the origin: written differently it is still the same, and what it cannot be is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalTarget } from '../../../balancer/message/canonical-path.ts';

const path = (target: string): string | null => canonicalTarget(target)?.path ?? null;

for (const [written, canonical] of [
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/%61dmin', '/admin'],
  ['/a%2fb', '/a%2Fb'],
  ['/a%5cb', '/a%5Cb'],
  ['/100%25ab', '/100%25ab'],
  ['/a/../b', '/b'],
  ['/a/%2e%2E/b', '/b'],
  ['/a/./b/.', '/a/b/'],
  ['/a/b/..', '/a/'],
  ['/../../a', '/a'],
  ['/a//b', '/a//b'],
  ['/...', '/...'],
  ['/.well-known/x', '/.well-known/x'],
  ['/a;b=c', '/a;b=c'],
] as const) {
  test(`${written} is ${canonical}`, () => assert.equal(path(written), canonical));
}

for (const target of [
  '',
  'a',
  '*',
  '/a b',
  '/a#b',
  '/a\\b',
  '/%',
  '/%4',
  '/%zz',
  '/%00',
  '/a\u0000',
  '/\u00e9',
  '/a\r\nb',
  '/a\tb',
  '/a//../b',
  '/a%2F..%2fb',
  '/a/..;/b',
  '/%252e%252e/a',
  '/a%2500',
  '/a/..%253Bx/b',
  '/a;x%2Fy/b',
  '/a/./b//c',
  '/a\u007f',
]) {
  test(`${JSON.stringify(target)} is no path`, () => assert.equal(path(target), null));
}

test('a query is left as it is, and an empty one is told from none', () => {
  assert.deepEqual(canonicalTarget('/a/../b?c=/../%2e&d?'), { path: '/b', query: 'c=/../%2e&d?', hasQuery: true, doubts: 0 });
  assert.deepEqual(canonicalTarget('/?'), { path: '/', query: '', hasQuery: true, doubts: 0 });
  assert.deepEqual(canonicalTarget('/'), { path: '/', query: '', hasQuery: false, doubts: 0 });
});

test('a canonical path is canonical, and never climbs', () => {
  const part = fc.constantFrom('/', '.', '..', 'a', '%2e', '%2F', '%41', '%25', ';', '~');
  const property = fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
    const once = path(`/${parts.join('')}`);
    if (once === null) return;
    assert.equal(path(once), once);
    assert.ok(!once.split('/').some((segment) => segment === '.' || segment === '..'));
  });
  fc.assert(property, { seed: 7, numRuns: 500 });
});
