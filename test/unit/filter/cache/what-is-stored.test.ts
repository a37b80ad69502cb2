// What a shared cache may keep (RFC 9111 section 3), and for how long (section 4.2).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Identity } from '../../../../balancer/message/identity.ts';
import type { CanonicalRequest } from '../../../../balancer/message/request.ts';
import { CachedRoute, FRESH, type ServiceAnswer } from '../../../support/cached-route.ts';
import { filterProblems } from '../../../support/filter-options.ts';

/** Whether a second request of the same kind is answered from memory. */
function isStored(answer: ServiceAnswer, facts: () => Partial<CanonicalRequest> = () => ({}), options = '{}'): boolean {
  const route = new CachedRoute(options);
  assert.equal(route.ask(facts(), answer).stored, false);
  return route.ask(facts(), answer).stored;
}

const saying = (...values: string[]): ServiceAnswer => ({ fields: values.flatMap((value) => ['cache-control', value]) });
const identity = (facts: Partial<Identity> = {}): Identity => ({
  ...{ consumer: 'acme', method: 'key', credential: 'acme_1', groups: [], scopes: [], claims: null },
  ...facts,
});

describe('an answer is stored', () => {
  it('when it says how long it holds', () => {
    assert.ok(isStored(saying('max-age=60')));
    assert.ok(isStored(saying('public, s-maxage=60, max-age=0')));
    assert.ok(isStored(saying('Max-Age="60"')));
    assert.ok(isStored({ fields: ['date', 'Sat, 21 Nov 2026 10:00:00 GMT', 'expires', 'Sat, 21 Nov 2026 10:01:00 GMT'] }));
    assert.ok(isStored({ fields: ['date', 'Sat, 21 Nov 2026 10:00:00 GMT', 'expires', 'Saturday, 21-Nov-26 10:01:00 GMT'] }));
    assert.ok(isStored({ status: 404, fields: FRESH }));
    assert.ok(isStored({ fields: ['cache-control', 'ext="no-store, private", max-age=60'] }));
  });

  it('not when it does not, unless the file gives it a time, and then to nobody in particular only', () => {
    assert.ok(!isStored({ fields: [] }));
    assert.ok(!isStored(saying('public')));
    const options = '{ defaultFreshness: 10s }';
    assert.ok(isStored({ fields: [] }, undefined, options));
    assert.ok(!isStored({ fields: [] }, () => ({ fields: ['cookie', 'session=1'] }), options));
    assert.ok(!isStored(saying('public'), () => ({ fields: ['authorization', 'Bearer x'] }), options));
    assert.ok(!isStored(saying('max-age=0'), undefined, options));
    assert.ok(!isStored({ fields: ['expires', '0'] }, undefined, options));
  });

  it('not when either side forbids it, however it is written', () => {
    const forbidden = ['no-store, max-age=60', 'private, max-age=60', 'PRIVATE="set-cookie", max-age=60', 'max-age=60, no-cache'];
    for (const value of forbidden) assert.ok(!isStored(saying(value)), value);
    assert.ok(!isStored(saying('max-age=60', 'no-store')));
    assert.ok(!isStored(saying(`max-age=60, ${'x'.repeat(2000)}`)));
    assert.ok(!isStored(saying('max-age=60'), () => ({ fields: ['cache-control', 'no-store'] })));
  });

  it('never with a cookie in it', () => {
    assert.ok(!isStored({ fields: ['cache-control', 'public, max-age=60', 'set-cookie', 'session=1'] }));
  });

  it('for requests with credentials only when it says that others may have it', () => {
    const authorized = (): Partial<CanonicalRequest> => ({ fields: ['authorization', 'Bearer x'] });
    assert.ok(!isStored(saying('max-age=60'), authorized));
    assert.ok(!isStored(saying('max-age=60'), () => ({ identity: identity() })));
    for (const value of ['public, max-age=60', 's-maxage=60', 'must-revalidate, max-age=60'])
      assert.ok(isStored(saying(value), authorized), value);
  });

  it('with a status of the list alone, and whole', () => {
    for (const status of [206, 302, 500, 503]) assert.ok(!isStored({ status, fields: FRESH }), `${status}`);
    assert.ok(!isStored({ fields: [...FRESH, 'content-range', 'bytes 0-3/9'] }));
    assert.ok(isStored({ status: 302, fields: FRESH }, undefined, '{ statuses: [302] }'));
    assert.match(filterProblems('cache', '{ statuses: [200, 206] }').join(), /206 has no whole body/);
    assert.match(filterProblems('cache', '{ size: 1MiB, maxObject: 512KiB }').join(), /more than a quarter of size/);
  });

  it('for GET alone; a request with a body, for another method or for another protocol is none', () => {
    assert.ok(!isStored({ fields: FRESH }, () => ({ method: 'POST' })));
    assert.ok(!isStored({ fields: FRESH }, () => ({ otherMethods: ['DELETE'] })));
    const route = new CachedRoute();
    for (const form of [
      { bodyLength: 3, upgrade: '' },
      { bodyLength: 0, upgrade: 'websocket' },
    ]) {
      route.ask({}, {}, form);
      assert.ok(!route.ask({}, {}, form).stored);
    }
    assert.ok(!route.ask().stored);
    assert.ok(route.ask().stored);
    assert.ok(!route.ask({}, {}, { bodyLength: 3, upgrade: '' }).stored);
  });
});

describe('a stored answer', () => {
  it('holds as long as it says, less the age it came with', () => {
    const route = new CachedRoute();
    route.ask({}, { fields: [...FRESH, 'age', '20'] });
    assert.equal(route.ask().fields['age'], '20');
    route.clock.advance(39_000);
    assert.deepEqual([route.ask().fields['age'], route.ask().fields['cache-status']], ['59', 'weir; hit; ttl=1']);
    route.clock.advance(1000);
    const again = route.ask();
    assert.deepEqual([again.stored, again.fields['cache-status']], [false, 'weir; fwd=stale']);
  });

  it('is as old as its way was long, and as its date says', () => {
    const slow = new CachedRoute();
    const asked = slow.begin();
    slow.clock.advance(5000);
    asked.answer({ fields: [...FRESH, 'age', '10'] });
    assert.equal(slow.ask().fields['age'], '15');
    const dated = new CachedRoute();
    dated.ask({}, { fields: [...FRESH, 'date', 'Sat, 21 Nov 2026 09:59:30 GMT'] });
    assert.equal(dated.ask().fields['age'], '30');
    const old = new CachedRoute();
    old.ask({}, { fields: [...FRESH, 'age', '60'] });
    assert.ok(!old.ask().stored);
  });

  it('says from when it is, and keeps nothing that was for one client', () => {
    const route = new CachedRoute();
    route.ask({}, { fields: [...FRESH, 'x-request-id', 'abc', 'etag', '"1"'] });
    const { fields } = route.ask();
    assert.equal(fields['x-request-id'], undefined);
    assert.deepEqual([fields['date'], fields['etag']], ['Sat, 21 Nov 2026 10:00:00 GMT', '"1"']);
  });

  it('is passed over by clients that want a newer one, and all there is for those that want no other', () => {
    /** A response that is ten seconds old, for a request with this field. */
    const isTaken = (name: string, value: string): boolean => {
      const route = new CachedRoute();
      route.ask();
      route.clock.advance(10_000);
      return route.ask({ fields: [name, value] }).stored;
    };
    for (const value of ['only-if-cached', 'max-age=10, min-fresh=50']) assert.ok(isTaken('cache-control', value), value);
    for (const value of ['max-age=9', 'min-fresh=51', 'no-cache', 'no-store']) assert.ok(!isTaken('cache-control', value), value);
    assert.ok(!isTaken('pragma', 'no-cache'));
    assert.ok(!isTaken('if-match', '"1"'));
    const { status, body } = new CachedRoute().ask({ fields: ['cache-control', 'only-if-cached'] });
    assert.deepEqual([status, body], [504, 'not_stored']);
  });
});
