// Rules that take requests before the split, as the file says them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loaded, problemsOf, SMALL_CONFIG } from '../../support/config-text.ts';

const withAssign = (assign: string): string => SMALL_CONFIG.replace('{ one: {} } } } }', `{ one: {} } } }, assign: ${assign} }`);

test('a rule has conditions on fields, parameters, cookies and a bucket, which is apart from the places of sticky clients', () => {
  const text = withAssign(
    '[ { to: blue, match: { headers: { X-Beta: "1" }, query: { v: { present: true } }, cookies: { group: { regex: "a+" } }, bucket: { key: "cookie:uid", upTo: 10% } } } ]',
  );
  assert.deepEqual(loaded(text).services['shop']?.assign, [
    {
      to: 'blue',
      headers: [{ name: 'x-beta', match: { kind: 'exact', value: '1' } }],
      query: [{ name: 'v', match: { kind: 'present' } }],
      cookies: [{ name: 'group', match: { kind: 'regex', value: 'a+' } }],
      bucket: { key: { kind: 'cookie', name: 'uid' }, salt: 'shop-assign', from: 0, upTo: 0.1 },
    },
  ]);
});

test('a service that says nothing has no rules', () => {
  assert.deepEqual(loaded(SMALL_CONFIG).services['shop']?.assign, []);
});

for (const [wrong, said] of [
  ['[ { to: bleu, match: { headers: { a: b } } } ]', /assign\[0\]\.to: unknown version "bleu"; did you mean "blue"\?/],
  ['[ { to: blue, match: {} } ]', /assign\[0\]\.match: .*at least one condition, such as \{ headers: \{ x-beta: "1" \} \}/],
  ['[ { to: blue } ]', /assign\[0\]: .*match/],
  [
    '[ { to: blue, match: { bucket: { key: "cookie:uid", from: 10%, upTo: 10% } } } ]',
    /bucket\.upTo: the bucket from 10% up to 10% holds nobody/,
  ],
  ['[ { to: blue, match: { bucket: { key: uid, upTo: 10% } } } ]', /bucket\.key: .*cookie:NAME/],
  ['[ { to: blue, match: { headers: { Host: a } } } ]', /match\.headers\.Host: the host is matched by hosts/],
] as const) {
  test(`${wrong} is refused with its place and what was expected`, () => {
    assert.match(problemsOf(withAssign(wrong)).join('\n'), said);
  });
}
