// Bodies of stored answers: whole or not at all, within the memory that the file gives, and gone when they changed.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ResponseStore } from '../../../../balancer/filter/cache/response-store.ts';
import { sizeOf, type StoredResponse } from '../../../../balancer/filter/cache/stored-response.ts';
import { UNTIL_CLOSE } from '../../../../balancer/message/exchange.ts';
import { CachedRoute } from '../../../support/cached-route.ts';

describe('a body is stored', () => {
  const isStored = (answer: Parameters<CachedRoute['ask']>[1], options?: string): boolean => {
    const route = new CachedRoute(options);
    route.ask({}, answer);
    return route.ask().stored;
  };

  it('as it came, in however many pieces', () => {
    const route = new CachedRoute();
    assert.equal(route.ask({}, { body: ['one', '', 'two', 'three'] }).body, 'onetwothree');
    assert.equal(route.ask().body, 'onetwothree');
    assert.ok(isStored({ body: [] }));
    assert.ok(isStored({ body: ['four'], bodyLength: 4 }));
  });

  it('never where it was broken off, is not as long as it says, or ends with its connection', () => {
    assert.ok(!isStored({ body: ['half'], broken: true }));
    assert.ok(!isStored({ body: ['half'], bodyLength: 8 }));
    assert.ok(!isStored({ body: ['all?'], bodyLength: UNTIL_CLOSE }));
    assert.ok(!isStored({ trailers: ['x-sum', '1'] }));
  });

  it('up to the largest that the file allows; a larger one passes', () => {
    const options = '{ size: 4KiB, maxObject: 1KiB }';
    const piece = 'x'.repeat(512);
    assert.ok(isStored({ body: [piece, piece] }, options));
    assert.ok(!isStored({ body: [piece, piece, 'x'] }, options));
    assert.ok(!isStored({ body: ['x'], bodyLength: 1025 }, options));
    assert.equal(new CachedRoute(options).ask({}, { body: [piece, piece, piece] }).body, piece.repeat(3));
  });

  it('not while bodies on their way take all the memory there is for them, which they give back', () => {
    const crowded = new ResponseStore(4096);
    const route = new CachedRoute('{ size: 4KiB, maxObject: 1KiB }', crowded);
    assert.ok(crowded.reserve(1000));
    route.ask({ path: '/full' }, { body: ['x'.repeat(100)] });
    assert.ok(!route.ask({ path: '/full' }, { body: ['x'.repeat(100)], broken: true }).stored);
    crowded.release(1000);
    route.ask({ path: '/full' }, { body: ['x'.repeat(100)] });
    assert.ok(route.ask({ path: '/full' }).stored);
    assert.ok(crowded.reserve(1024));
  });
});

describe('what is stored', () => {
  const response = (uri: string, bytes: number, values: readonly string[] = []): StoredResponse => ({
    ...{ uri, partition: '', varies: values.map((_, i) => `x-${i}`), values, status: 200, fields: [] },
    ...{ body: Buffer.alloc(bytes), lifetimeMs: 1000, bornMs: 0, stale: { revalidatingMs: 0, failingMs: 0 }, tags: [] },
  });

  it('stays within its memory; what was not asked for the longest goes', () => {
    const store = new ResponseStore(3 * sizeOf(response('a', 1000)));
    for (const uri of ['a', 'b', 'c']) assert.equal(store.add(response(uri, 1000)), 0);
    store.find('a', '', []);
    assert.equal(store.add(response('d', 1000)), 1);
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].filter((uri) => typeof store.find(uri, '', []) !== 'string'),
      ['a', 'c', 'd'],
    );
  });

  it('counts what it holds, whatever comes and goes', () => {
    const step = fc.record({
      uri: fc.constantFrom('a', 'b', 'c'),
      value: fc.constantFrom('1', '2', '3'),
      bytes: fc.nat(3000),
      how: fc.constantFrom('add', 'add', 'add', 'invalidate', 'remove'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const store = new ResponseStore(8000);
        for (const { uri, value, bytes, how } of steps) {
          if (how === 'add') store.add(response(uri, bytes, [value]));
          else if (how === 'invalidate') store.invalidate(uri);
          else {
            const found = store.find(uri, '', ['x-0', value]);
            if (typeof found !== 'string') store.remove(found);
          }
          assert.ok(store.bytes >= 0 && store.bytes <= 8000);
        }
        for (const uri of ['a', 'b', 'c']) store.invalidate(uri);
        assert.equal(store.bytes, 0);
      }),
      { numRuns: 100 },
    );
  });

  it('has few variants of one URL, however many a client makes up', () => {
    const store = new ResponseStore(1_000_000);
    for (let i = 0; i < 100; i += 1) store.add(response('a', 10, [`,${i}`]));
    assert.equal(typeof store.find('a', '', ['x-0', '0']), 'string');
    assert.notEqual(typeof store.find('a', '', ['x-0', '99']), 'string');
    assert.ok(store.bytes < 33 * sizeOf(response('a', 10, [',99'])));
  });
});

describe('a change', () => {
  it('drops what is stored for its URL, and what was asked for before it', () => {
    const route = new CachedRoute();
    route.ask({ path: '/a' });
    route.ask({ path: '/b' });
    const before = route.begin({ path: '/a', fields: ['cache-control', 'no-cache'] });
    route.ask({ method: 'PUT', path: '/a' }, { status: 204, fields: [], body: [] });
    before.answer({ body: ['old'] });
    assert.ok(!route.ask({ path: '/a' }, { body: ['new'] }).stored);
    assert.equal(route.ask({ path: '/a' }).body, 'new');
    assert.ok(route.ask({ path: '/b' }).stored);
  });

  it('that failed drops nothing, and one by another name does', () => {
    const route = new CachedRoute();
    route.ask();
    route.ask({ method: 'POST' }, { status: 409, fields: [] });
    assert.ok(route.ask().stored);
    route.ask({ otherMethods: ['DELETE'] }, { status: 200, fields: [] });
    assert.ok(!route.ask().stored);
  });
});
