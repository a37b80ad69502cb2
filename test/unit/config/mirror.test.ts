// Copies of requests, as the file says them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loaded, problemsOf, SMALL_CONFIG } from '../../support/config-text.ts';

const withMirror = (mirror: string): string => SMALL_CONFIG.replace('{ one: {} } } } }', `{ one: {} } } }, mirror: ${mirror} }`);

test('a service that says nothing copies nothing', () => {
  assert.equal(loaded(SMALL_CONFIG).services['shop']?.mirror, null);
});

test('a mirror copies safe requests, with credentials, and compares only where that is asked for', () => {
  const basics = { to: 'blue', share: 50_000, methods: ['GET', 'HEAD', 'OPTIONS'], timeoutMs: 5000, concurrency: 16, credentials: 'keep' };
  assert.deepEqual(loaded(withMirror('{ to: blue, percent: 5% }')).services['shop']?.mirror, { ...basics, compare: null });
  assert.deepEqual(loaded(withMirror('{ to: blue, percent: 5%, compare: { ignore: [/at] } }')).services['shop']?.mirror?.compare, {
    body: true,
    ignore: ['/at'],
    maxBodyBytes: 65_536,
  });
});

for (const [wrong, said] of [
  ['{ to: bleu, percent: 5% }', /mirror\.to: unknown version "bleu"; did you mean "blue"\?/],
  ['{ to: blue }', /mirror: .*percent/],
  ['{ to: blue, percent: 5 }', /mirror\.percent: .*0% to 100%/],
  ['{ to: blue, percent: 5%, methods: [POST] }', /mirror\.methods\[0\]: .*GET/],
  ['{ to: blue, percent: 5%, compare: { ignore: [at] } }', /compare\.ignore\[0\]: .*\/updatedAt or \/items\/\*\/price/],
] as const) {
  test(`${wrong} is refused with its place and what was expected`, () => {
    assert.match(problemsOf(withMirror(wrong)).join('\n'), said);
  });
}
