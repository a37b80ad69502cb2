// What a purge takes of what a worker has stored: all that it names and nothing else, once, and nothing that was on its way comes after it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RouteStores } from '../../../../balancer/filter/cache/route-stores.ts';
import type { ResponseStore } from '../../../../balancer/filter/cache/response-store.ts';
import type { StoredResponse } from '../../../../balancer/filter/cache/stored-response.ts';
import { MOST_PURGES, type Purge } from '../../../../balancer/intent/purge.ts';
import type { Fields } from '../../../../balancer/message/fields.ts';
import { Meter } from '../../../../balancer/telemetry/meter.ts';
import { CachedRoute } from '../../../support/cached-route.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const PAGES = [
  'http://a.example/p/1',
  'https://a.example:8443/p/1',
  'http://a.example./p/1',
  'http://a.example/p/1?q',
  'http://b.example/p/10',
  'http://[::1]:80/',
];

const response = (uri: string, tags: readonly string[] = []): StoredResponse => ({
  ...{ uri, partition: '', varies: [], values: [], status: 200, fields: [], body: Buffer.from('page') },
  ...{ lifetimeMs: 60_000, bornMs: 0, stale: { revalidatingMs: 0, failingMs: 0 }, tags },
});

const purge = (facts: Partial<Purge>): Purge => ({
  at: '2026-11-21T10:00:00.000Z',
  soft: false,
  route: null,
  urls: [],
  prefixes: [],
  tags: [],
  ...facts,
});

function storesOf(
  routes: readonly string[],
  previous: RouteStores | null = null,
): { stores: RouteStores; of: (route: string) => ResponseStore; meter: Meter } {
  const meter = new Meter();
  const stores = new RouteStores(previous, { clock: new ManualClock(), meter });
  const of = (name: string): ResponseStore => stores.of({ name, service: 'shop', filters: [] }, 1_000_000);
  for (const route of routes) of(route);
  return { stores, of, meter };
}

const has = (store: ResponseStore, uri: string): boolean => typeof store.find(uri, '', []) !== 'string';

function left(facts: Partial<Purge>, tags: Readonly<Record<string, readonly string[]>> = {}): readonly number[] {
  const { stores, of } = storesOf(['shop']);
  for (const uri of PAGES) of('shop').add(response(uri, tags[uri]));
  stores.purge({ 1: purge(facts) });
  return PAGES.flatMap((uri, index) => (has(of('shop'), uri) ? [index] : []));
}

describe('a purge takes', () => {
  it('a URL by whatever scheme, port and spelling of the host it was asked for, and no other', () => {
    assert.deepEqual(left({ urls: ['a.example/p/1'] }), [3, 4, 5]);
    assert.deepEqual(left({ urls: ['a.example/p/1?q', '[::1]/'] }), [0, 1, 2, 4]);
    assert.deepEqual(left({ urls: ['a.example/p'] }), [0, 1, 2, 3, 4, 5]);
  });

  it('all that begins so, on one host or on all', () => {
    assert.deepEqual(left({ prefixes: ['/p/1'] }), [5]);
    assert.deepEqual(left({ prefixes: ['a.example/p/'] }), [4, 5]);
    assert.deepEqual(left({ prefixes: ['a.example/q', 'example/', '[::1]/'] }), [0, 1, 2, 3, 4]);
  });

  it('what has one of its tags, all it names together, and everything where it names nothing', () => {
    const [first = '', , third = ''] = PAGES;
    assert.deepEqual(left({ tags: ['x'] }, { [first]: ['x', 'y'], [third]: ['X', 'xx'] }), [1, 2, 3, 4, 5]);
    assert.deepEqual(left({ tags: ['X'], urls: ['b.example/p/10'] }, { [third]: ['X'] }), [0, 1, 3, 5]);
    assert.deepEqual(left({}), []);
  });

  it('of its route alone, and counts it', () => {
    const { stores, of, meter } = storesOf(['shop', 'news']);
    for (const route of ['shop', 'news']) for (const uri of PAGES) of(route).add(response(uri));
    stores.purge({ 1: purge({ route: 'news' }) });
    assert.deepEqual([of('shop').objects, of('news').objects, of('news').bytes], [PAGES.length, 0, 0]);
    assert.deepEqual(meter.takeDelta(), [{ name: 'weir_cache_purged_total', labels: ['news'], value: PAGES.length }]);
  });
});

describe('a worker', () => {
  const [page = ''] = PAGES;
  const everything = (from: number, count: number): Record<number, Purge> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [from + index, purge({ urls: [`n${from + index}.example/`] })]));

  it('applies each once, and all that are new, over every reload', () => {
    const first = storesOf(['shop']);
    first.stores.purge({ 3: purge({}) });
    first.of('shop').add(response(page));
    const second = storesOf(['shop'], first.stores);
    second.stores.settle();
    second.stores.purge({ 3: purge({}), 4: purge({ tags: ['x'] }) });
    assert.ok(has(second.of('shop'), page));
    second.stores.purge({ 3: purge({}), 4: purge({ tags: ['x'] }), 5: purge({}) });
    assert.ok(!has(second.of('shop'), page));
  });

  it('applies another one of the same number: two hosts may have made it, and one of them stayed', () => {
    const { stores, of } = storesOf(['shop']);
    stores.purge({ 3: purge({ tags: ['x'] }) });
    of('shop').add(response(page));
    stores.purge({ 3: purge({ urls: ['a.example/p/1'] }) });
    assert.ok(!has(of('shop'), page));
  });

  it('drops all it has where so many came that it may have missed some, and only then', () => {
    for (const [seen, kept] of [
      [1, false],
      [MOST_PURGES, true],
    ] as const) {
      const { stores, of } = storesOf(['shop']);
      stores.purge(everything(1, seen));
      of('shop').add(response(page));
      stores.purge(everything(seen === 1 ? 10 : 2, MOST_PURGES));
      assert.equal(has(of('shop'), page), kept, `${seen}`);
    }
  });

  it('finds nothing any more in what another config did not take over', () => {
    const first = storesOf(['shop', 'gone']);
    for (const route of ['shop', 'gone']) first.of(route).add(response(page));
    const gone = first.of('gone');
    const second = storesOf(['shop'], first.stores);
    second.stores.settle();
    first.stores.retire(second.stores);
    assert.deepEqual([has(second.of('shop'), page), has(gone, page)], [true, false]);
    gone.add(response(page));
    assert.ok(!has(gone, page));
  });
});

describe('what is on its way', () => {
  const FRESH: Fields = ['cache-control', 'max-age=60', 'etag', '"1"'];

  it('is not stored where it may be of before, and is where it cannot', () => {
    for (const [facts, stored] of [
      [{ urls: ['shop.example/'] }, false],
      [{ prefixes: ['/'] }, false],
      [{ tags: ['x'] }, false],
      [{}, false],
      [{ soft: true }, false],
      [{ urls: ['shop.example/other'] }, true],
      [{ prefixes: ['/other'], route: null }, true],
      [{ route: 'other' }, true],
    ] as const) {
      const route = new CachedRoute();
      const asked = route.begin();
      route.purge({ 1: facts });
      asked.answer({ fields: FRESH });
      assert.equal(route.ask({}, { fields: FRESH }).stored, stored, JSON.stringify(facts));
    }
  });

  it('nor where its body is still to come, nor where the service says that nothing has changed', () => {
    const route = new CachedRoute();
    route.ask({}, { fields: FRESH });
    route.clock.advance(61_000);
    const asked = route.begin();
    route.purge({ 1: {} });
    asked.answer({ status: 304, fields: FRESH, body: [] });
    assert.equal(route.ask({}, { body: ['new'] }).body, 'new');
  });

  it('nor what is asked for behind the backs of clients', () => {
    const route = new CachedRoute();
    route.ask({}, { fields: ['cache-control', 'max-age=60, stale-while-revalidate=60'], body: ['old'] });
    route.clock.advance(61_000);
    const { behind } = route.ask();
    route.purge({ 1: {} });
    behind?.answer({ body: ['old'] });
    assert.equal(route.ask({}, { body: ['new'] }).body, 'new');
  });
});

describe('a soft purge', () => {
  it('ends what it takes, which is served meanwhile where that may be, and is asked about', () => {
    const route = new CachedRoute();
    route.ask({}, { fields: ['cache-control', 'max-age=60, stale-while-revalidate=30', 'cache-tag', 'x', 'etag', '"1"'], body: ['old'] });
    route.clock.advance(10_000);
    route.purge({ 1: { soft: true, tags: ['x'] } });
    route.clock.advance(1000);
    const got = route.ask();
    assert.deepEqual(
      [got.body, got.fields['age'], got.fields['cache-status']],
      ['old', '11', 'weir; hit; ttl=-1; detail="stale-while-revalidate"'],
    );
    assert.deepEqual(got.behind?.fields(), ['if-none-match', '"1"']);
    got.behind.answer({ status: 304, fields: ['cache-control', 'max-age=60'], body: [] });
    assert.equal(route.ask().fields['age'], '0');
    // It has its tags on.
    route.purge({ 2: { tags: ['x'] } });
    assert.equal(route.ask({}, { body: ['new'] }).body, 'new');
  });

  it('drops what is of no use then, and leaves what has ended before as it is', () => {
    const route = new CachedRoute();
    route.ask({}, { fields: ['cache-control', 'max-age=60'] });
    route.ask({ path: '/ended' }, { fields: ['cache-control', 'max-age=1, stale-if-error=60'], body: ['old'] });
    route.clock.advance(50_000);
    route.purge({ 1: { soft: true } });
    assert.equal(route.ask({}, { body: ['new'] }).fields['cache-status'], 'weir; fwd=uri-miss');
    route.clock.advance(10_000);
    assert.equal(route.ask({ path: '/ended' }, { status: 503 }).body, 'old');
    route.clock.advance(1000);
    assert.equal(route.ask({ path: '/ended' }, { status: 503, body: ['no'] }).body, 'no');
  });
});

describe('tags of an answer', () => {
  it('come in two fields, and go to no client', () => {
    const route = new CachedRoute();
    const got = route.ask(
      {},
      { fields: ['cache-tag', 'a, b', 'x-a', '1', 'cache-control', 'max-age=60', 'surrogate-key', 'c  d', 'cache-tag', 'e'] },
    );
    assert.deepEqual(Object.keys(got.fields), ['x-a', 'cache-control', 'cache-status']);
    assert.deepEqual(Object.keys(route.ask().fields), ['x-a', 'cache-control', 'date', 'age', 'cache-status']);
    for (const [index, tag] of ['a', 'b', 'c', 'd', 'e'].entries()) {
      route.ask(
        { path: `/${tag}` },
        { fields: ['cache-tag', 'a, b', 'cache-control', 'max-age=60', 'surrogate-key', 'c d', 'cache-tag', 'e'] },
      );
      route.purge({ [index + 1]: { tags: [tag] } });
      assert.equal(route.ask({ path: `/${tag}` }).stored, false, tag);
    }
  });

  it('that are too many or too long to be kept keep it from being stored', () => {
    const many = Array.from({ length: 101 }, (_, index) => `t${index}`).join();
    for (const tags of [many, 'x'.repeat(257)]) {
      const route = new CachedRoute();
      const fields = ['cache-control', 'max-age=60', 'cache-tag', tags];
      assert.equal(route.ask({}, { fields }).fields['cache-tag'], undefined);
      assert.equal(route.ask({}, { fields }).stored, false);
    }
  });
});
