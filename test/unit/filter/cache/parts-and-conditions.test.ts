// What clients get of a stored body: that they have it already, a part of it, or its head alone.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Fields } from '../../../../balancer/message/fields.ts';
import { CachedRoute, FRESH, type Gotten } from '../../../support/cached-route.ts';

const MODIFIED = 'Fri, 20 Nov 2026 08:00:00 GMT';
const PAGE: Fields = [...FRESH, 'etag', '"v1"', 'last-modified', MODIFIED, 'content-type', 'text/plain', 'content-language', 'en'];

function asking(fields: Fields, method = 'GET', page = PAGE): Gotten {
  const route = new CachedRoute();
  route.ask({}, { fields: page, body: ['0123456789'], bodyLength: 10 });
  const got = route.ask({ method, fields });
  assert.ok(got.stored, `${fields.join(' ')} is answered from memory`);
  return got;
}

const part = (fields: Fields, method = 'GET', page = PAGE): readonly unknown[] => {
  const { status, body, fields: told } = asking(fields, method, page);
  return [status, body, told['content-range']];
};

describe('a client that has the answer already', () => {
  const statusFor = (...fields: Fields): number => asking(fields).status;

  it('is told so by its tag, weak or strong', () => {
    for (const tags of ['"v1"', 'W/"v1"', '"v0", W/"v1"', '*']) assert.equal(statusFor('if-none-match', tags), 304, tags);
    for (const tags of ['"v0"', '"v"', 'v1']) assert.equal(statusFor('if-none-match', tags), 200, tags);
  });

  it('is told so by its date, if it has no tag', () => {
    assert.equal(statusFor('if-modified-since', MODIFIED), 304);
    assert.equal(statusFor('if-modified-since', 'Friday, 20-Nov-26 08:00:00 GMT'), 304);
    assert.equal(statusFor('if-modified-since', 'Fri Nov 20 08:00:00 2026'), 304);
    assert.equal(statusFor('if-modified-since', 'Fri, 20 Nov 2026 07:59:59 GMT'), 200);
    assert.equal(statusFor('if-modified-since', 'yesterday'), 200);
    assert.equal(statusFor('if-none-match', '"v0"', 'if-modified-since', MODIFIED), 200);
  });

  it('gets what holds for what it has, and nothing that tells of a body', () => {
    const { fields, body } = asking(['if-none-match', '"v1"']);
    assert.equal(body, '');
    assert.deepEqual([fields['etag'], fields['cache-control'], fields['age']], ['"v1"', 'max-age=60', '0']);
    assert.deepEqual([fields['content-type'], fields['content-language']], [undefined, undefined]);
  });
});

describe('a client that wants a part', () => {
  it('gets it', () => {
    assert.deepEqual(part(['range', 'bytes=2-4']), [206, '234', 'bytes 2-4/10']);
    assert.deepEqual(part(['range', 'bytes=7-']), [206, '789', 'bytes 7-9/10']);
    assert.deepEqual(part(['range', 'bytes=-3']), [206, '789', 'bytes 7-9/10']);
    assert.deepEqual(part(['range', 'bytes=-30']), [206, '0123456789', 'bytes 0-9/10']);
    assert.deepEqual(part(['range', 'bytes=5-99']), [206, '56789', 'bytes 5-9/10']);
  });

  it('is told where there is none', () => {
    for (const range of ['bytes=10-', 'bytes=-0', 'bytes=99-100']) assert.deepEqual(part(['range', range]), [416, '', 'bytes */10'], range);
  });

  it('gets all where several are asked for, the range is none, or the service gives none', () => {
    for (const range of ['bytes=0-1,4-5', 'bytes=4-2', 'bytes=-', 'lines=1-2', 'bytes=a-b'])
      assert.deepEqual(part(['range', range]), [200, '0123456789', undefined], range);
    assert.equal(part(['range', 'bytes=0-1'], 'GET', [...PAGE, 'accept-ranges', 'none'])[0], 200);
    assert.equal(part(['range', 'bytes=0-1'], 'HEAD')[0], 200);
  });

  it('gets all where its part would be of another body', () => {
    const ranged = (ifRange: string): unknown => part(['range', 'bytes=0-1', 'if-range', ifRange])[0];
    for (const same of ['"v1"', MODIFIED]) assert.equal(ranged(same), 206, same);
    for (const other of ['"v0"', 'W/"v1"', 'Fri, 20 Nov 2026 08:00:01 GMT']) assert.equal(ranged(other), 200, other);
  });
});

it('HEAD is told of the stored body and is sent none', () => {
  const { status, body, fields } = asking([], 'HEAD');
  assert.deepEqual([status, body, fields['etag']], [200, '', '"v1"']);
});
