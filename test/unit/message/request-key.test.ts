// Keys are read as they came; a request without one has none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cookieValue, parseKeySource, requestKey } from '../../../balancer/message/request-key.ts';

const request = {
  fields: ['x-user', 'ann', 'cookie', 'sid=1; theme=dark', 'cookie', 'sid2=2'],
  query: 'user=bob&x=',
  clientAddress: '192.0.2.1',
};
const keyOf = (text: string) => {
  const source = parseKeySource(text);
  assert.ok(source !== null, text);
  return requestKey(source, request);
};

test('a key is read from where the config says', () => {
  assert.equal(keyOf('header:X-User'), 'ann');
  assert.equal(keyOf('cookie:theme'), 'dark');
  assert.equal(keyOf('cookie:sid2'), '2');
  assert.equal(keyOf('query:user'), 'bob');
  assert.equal(keyOf('address'), '192.0.2.1');
});

test('what is missing or empty is no key', () => {
  for (const source of ['header:x-other', 'cookie:si', 'cookie:SID', 'query:x', 'query:use']) assert.equal(keyOf(source), null, source);
});

test('the first cookie of a name counts, blanks around it do not', () => {
  assert.equal(cookieValue(['cookie', '  a=1 ;b=2;  b=3'], 'a'), '1');
  assert.equal(cookieValue(['cookie', 'a=1; b=2; b=3'], 'b'), '2');
  assert.equal(cookieValue(['cookie', 'a'], 'a'), null);
});

test('other texts name no key', () => {
  for (const text of ['', 'header', 'header:', 'header:a b', 'claim:sub', 'address:', 7, null]) assert.equal(parseKeySource(text), null);
});
