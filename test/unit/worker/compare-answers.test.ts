// Two answers are the same when status and body are; of JSON, without what may differ, whatever the order of keys and the coding.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { compareAnswers, type WholeAnswer } from '../../../balancer/worker/compare-answers.ts';

const COMPARE = { body: true, ignore: ['/at', '/items/*/id', '/a~1b'], maxBodyBytes: 1024 };

const answer = (body: string | Buffer | null, fields: readonly string[] = [], status = 200): WholeAnswer => ({
  ...{ status, fields: [...fields] },
  body: typeof body === 'string' ? Buffer.from(body) : body,
});
const compared = (one: WholeAnswer, other: WholeAnswer, compare = COMPARE): Promise<string> => compareAnswers(one, other, compare);

test('the status counts first', async () => {
  assert.equal(await compared(answer('x'), answer('x', [], 404)), 'status');
  assert.equal(await compared(answer('x'), answer('y'), { ...COMPARE, body: false }), 'same');
});

test('bodies that are no JSON are compared byte by byte', async () => {
  assert.equal(await compared(answer('abc'), answer('abc')), 'same');
  assert.equal(await compared(answer('abc'), answer('abd')), 'body');
});

test('JSON is compared as values, without what may differ at any depth', async () => {
  const one = '{"at":1,"items":[{"id":1,"name":"tea"},{"id":2,"name":"oil"}],"a/b":1}';
  const other = '{"a/b":2,"items":[{"name":"tea","id":8},{"name":"oil","id":9}],"at":7}';
  assert.equal(await compared(answer(one), answer(other)), 'same');
  assert.equal(await compared(answer(one), answer(other.replace('oil', 'ale'))), 'body');
  assert.equal(await compared(answer(one), answer(other), { ...COMPARE, ignore: [] }), 'body');
  assert.equal(await compared(answer('{"items":[{}]}'), answer('{"items":[{},{}]}')), 'body');
});

test('what is compressed is compared by what it says', async () => {
  const body = '{"at":1,"name":"tea"}';
  const zipped = answer(gzipSync(body), ['content-encoding', 'gzip']);
  assert.equal(await compared(zipped, answer(brotliCompressSync(body), ['content-encoding', 'br'])), 'same');
  assert.equal(await compared(zipped, answer('{"at":2,"name":"tea"}')), 'same');
  assert.equal(await compared(zipped, answer('{"at":1,"name":"oil"}')), 'body');
  const bomb = answer(gzipSync(Buffer.alloc(1024 * 1024)), ['content-encoding', 'gzip']);
  assert.equal(await compared(bomb, answer('x')), 'too_large');
});

test('what both have too much of is not compared; what one has too much of differs', async () => {
  assert.equal(await compared(answer(null), answer(null)), 'too_large');
  assert.equal(await compared(answer(null), answer('x')), 'body');
});
