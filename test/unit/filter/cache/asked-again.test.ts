// Stored answers that do not hold any more: the service is asked whether they changed, and what it says counts.
import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import type { Fields } from '../../../../balancer/message/fields.ts';
import { CachedRoute, type ServiceAnswer } from '../../../support/cached-route.ts';
import { startOrigin } from '../../../support/origin.ts';
import { startProxy } from '../../../support/proxy.ts';

const PAGE: Fields = ['cache-control', 'max-age=60', 'etag', '"1"', 'content-type', 'text/plain', 'x-version', '1'];

/** A route whose stored answer has come to its end. */
function stale(fields: Fields = PAGE): CachedRoute {
  const route = new CachedRoute();
  route.ask({}, { fields, body: ['the page'] });
  route.clock.advance(61_000);
  return route;
}

const unchanged = (...fields: Fields): ServiceAnswer => ({ status: 304, fields, body: [] });

describe('an answer that has come to its end', () => {
  it('is given to who asked once the service says that it has not changed, and holds anew', () => {
    const route = stale();
    const first = route.ask({}, unchanged('cache-control', 'max-age=90', 'etag', '"1"', 'x-version', '2'));
    assert.deepEqual([first.stored, first.status, first.body], [false, 200, 'the page']);
    assert.deepEqual([first.fields['x-version'], first.fields['content-type']], ['2', 'text/plain']);
    assert.equal(first.fields['cache-status'], 'weir; fwd=stale; fwd-status=304; stored');
    route.clock.advance(80_000);
    const second = route.ask();
    assert.deepEqual([second.stored, second.body, second.fields['x-version'], second.fields['age']], [true, 'the page', '2', '80']);
  });

  it('has the new fields at the very age at which it was served with the old ones', () => {
    const route = new CachedRoute();
    route.ask({}, { fields: PAGE, body: ['the page'] });
    assert.deepEqual([route.ask().fields['x-version'], route.ask().fields['age']], ['1', '0']);
    route.clock.advance(61_000);
    route.ask({}, unchanged('cache-control', 'max-age=60', 'x-version', '2'));
    const { stored, fields } = route.ask();
    assert.deepEqual([stored, fields['x-version'], fields['age']], [true, '2', '0']);
  });

  it('is asked about by its tag and its date', () => {
    const asked = (fields: Fields): Fields => {
      const sent = stale(fields).begin();
      sent.answer();
      return sent.fields();
    };
    const date = 'Fri, 20 Nov 2026 08:00:00 GMT';
    assert.deepEqual(asked([...PAGE, 'last-modified', date]), ['if-none-match', '"1"', 'if-modified-since', date]);
    assert.deepEqual(asked(['cache-control', 'max-age=60', 'last-modified', date]), ['if-modified-since', date]);
    assert.deepEqual(asked(['cache-control', 'max-age=60']), []);
  });

  it('is replaced by what the service says instead', () => {
    const route = stale();
    assert.equal(route.ask({}, { fields: [...PAGE], body: ['another'] }).body, 'another');
    assert.deepEqual([route.ask().stored, route.ask().body], [true, 'another']);
  });

  it('is not served where the service fails or refuses', () => {
    for (const status of [401, 500, 503]) assert.equal(stale().ask({}, { status, fields: [], body: ['no'] }).body, 'no', `${status}`);
  });

  it('is not stored on where the service says so now, or sets a cookie', () => {
    for (const fields of [
      ['cache-control', 'private'],
      ['cache-control', 'no-store'],
      ['set-cookie', 'a=b'],
    ]) {
      const route = stale();
      const got = route.ask({}, unchanged(...fields));
      assert.deepEqual([got.status, got.body, got.fields[fields[0] ?? '']], [200, 'the page', fields[1]]);
      assert.equal(route.ask({}, { fields: [], body: ['new'] }).body, 'new', fields.join());
    }
  });

  it('is told to a client that asked for itself as the service tells it, and holds anew all the same', () => {
    const route = stale();
    const known = route.ask({ fields: ['if-none-match', '"1"'] }, unchanged('etag', '"1"', 'cache-control', 'max-age=60'));
    assert.deepEqual([known.status, known.body], [304, '']);
    assert.ok(route.ask().stored);
    const other = stale();
    other.ask({ fields: ['if-none-match', '"2"'] }, unchanged('etag', '"2"', 'cache-control', 'max-age=60'));
    assert.ok(!other.ask({}, unchanged('etag', '"1"')).stored);
  });

  it('is not stored on where it changed while the service was asked', () => {
    const route = stale();
    const asked = route.begin();
    route.ask({ method: 'DELETE' }, { status: 204, fields: [], body: [] });
    assert.equal(asked.answer(unchanged('cache-control', 'max-age=60')).body, 'the page');
    assert.ok(!route.ask({}, { body: ['new'] }).stored);
  });
});

test('an answer that holds for no time is asked about each time, and its body comes once', async (t) => {
  const bodies: number[] = [];
  const origin = await startOrigin(t, (request, response) => {
    response.setHeader('cache-control', 'no-cache').setHeader('etag', '"7"');
    const known = request.headers['if-none-match'] === '"7"';
    bodies.push(known ? 0 : 1);
    if (known) response.writeHead(304).end();
    else response.end('a page');
  });
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { filters: [{ cache: {} }, { compress: { minSize: 0 } }] } });
  for (let turn = 0; turn < 3; turn += 1) {
    const response = await fetch(proxy.url);
    assert.deepEqual([response.status, await response.text()], [200, 'a page']);
  }
  assert.deepEqual(bodies, [1, 0, 0]);
});
