// Answers that have come to their end and are served all the same (RFC 5861): while one request asks for what holds, and where the service fails.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ErrorCode } from '../../../../balancer/errors.ts';
import type { Fields } from '../../../../balancer/message/fields.ts';
import type { CanonicalRequest } from '../../../../balancer/message/request.ts';
import { CachedRoute, type Begun, type Gotten } from '../../../support/cached-route.ts';
import { filterProblems } from '../../../support/filter-options.ts';

/** A route with an answer that came to its end ten seconds ago. */
function ended(value: string, options = '{}', more: Fields = []): CachedRoute {
  const route = new CachedRoute(options);
  route.ask({}, { fields: ['cache-control', value, ...more], body: ['old'] });
  route.clock.advance(70_000);
  return route;
}

const WHILE = 'max-age=60, stale-while-revalidate=30';
const ERROR = 'max-age=60, stale-if-error=30';

const asking = (...fields: Fields): Partial<CanonicalRequest> => ({ fields });

function behind(got: Gotten): Begun {
  assert.ok(got.behind !== null, 'no request goes to the service');
  return got.behind;
}

describe('while one asks for what holds, an answer that says so', () => {
  it('is served, tells its age and how long it is over, and is there anew when that one has come', () => {
    const route = ended(WHILE);
    const got = route.ask();
    assert.deepEqual([got.stored, got.body, got.fields['age']], [true, 'old', '70']);
    assert.equal(got.fields['cache-status'], 'weir; hit; ttl=-10; detail="stale-while-revalidate"');
    behind(got).answer({ body: ['new'] });
    const next = route.ask();
    assert.deepEqual([next.stored, next.body, next.fields['cache-status'], next.behind], [true, 'new', 'weir; hit; ttl=60', null]);
  });

  it('is asked about once at a time, by what it can be asked about, and for all of it', () => {
    const route = ended(WHILE, '{}', ['etag', '"1"']);
    const first = behind(route.ask(asking('range', 'bytes=0-1', 'if-none-match', '"0"', 'accept', 'text/html')));
    assert.deepEqual(first.fields(), ['accept', 'text/html', 'if-none-match', '"1"']);
    assert.deepEqual([route.ask().behind, route.ask({ method: 'HEAD' }).behind], [null, null]);
    first.answer({ status: 304, fields: ['cache-control', WHILE, 'etag', '"1"'], body: [] });
    assert.deepEqual([route.ask().body, route.ask().fields['age']], ['old', '0']);
  });

  it('is asked about for each variant', () => {
    const route = new CachedRoute();
    const languages = ['de', 'en'].map((language) => asking('accept-language', language));
    for (const facts of languages) route.ask(facts, { fields: ['cache-control', WHILE, 'vary', 'accept-language'] });
    route.clock.advance(70_000);
    for (const facts of languages) behind(route.ask(facts));
  });

  it('stays where that one fails, and is asked about again, though not at once', () => {
    for (const failure of [{ status: 503 }, { status: 500 }, { status: 429 }, { error: 'connect_failed' as const }, { broken: true }]) {
      const route = ended(WHILE);
      behind(route.ask()).answer(failure);
      assert.deepEqual([route.ask().body, route.ask().behind], ['old', null], JSON.stringify(failure));
      route.clock.advance(1000);
      behind(route.ask());
    }
  });

  it('goes where the service has another answer that is for nobody else', () => {
    for (const answer of [{ status: 403, fields: [] }, { fields: ['cache-control', 'no-store'] }]) {
      const route = ended(WHILE);
      behind(route.ask()).answer(answer);
      assert.equal(route.ask({}, { body: ['new'] }).body, 'new', JSON.stringify(answer));
    }
  });

  it('is not served to who wants a newer one, nor later than it says', () => {
    for (const value of ['no-cache', 'max-age=60', 'min-fresh=1'])
      assert.equal(ended(WHILE).ask(asking('cache-control', value), { body: ['new'] }).body, 'new', value);
    const route = ended(WHILE);
    route.clock.advance(20_000);
    assert.equal(route.ask({}, { body: ['new'] }).body, 'new');
  });

  it('is waited for by who may not have it', () => {
    const route = ended(WHILE, '{ wait: 1s }');
    behind(route.ask());
    assert.throws(() => route.begin(asking('cache-control', 'max-age=60')), /it waits for another request/);
  });
});

describe('where the service fails, an answer that says so', () => {
  const codes: readonly ErrorCode[] = ['connect_failed', 'connect_timeout', 'connection_reset', 'first_byte_timeout', 'no_cluster'];
  const others: readonly ErrorCode[] = ['no_endpoint', 'overloaded', 'request_deadline', 'tls_failed', 'response_malformed'];

  it('is served in place of its error, and says so', () => {
    for (const status of [500, 502, 503, 504]) {
      const got = ended(ERROR).ask({}, { status, fields: ['retry-after', '1', 'set-cookie', 'a=b'], body: ['oh', ' no'] });
      assert.deepEqual([got.status, got.body, got.fields['age'], got.fields['set-cookie']], [200, 'old', '70', undefined]);
      assert.equal(got.fields['cache-status'], `weir; fwd=stale; fwd-status=${status}; ttl=-10; detail="stale-if-error"`);
    }
  });

  it('is served where no answer comes at all', () => {
    for (const error of [...codes, ...others]) {
      const got = ended(ERROR).ask({}, { error });
      assert.deepEqual([got.status, got.body], [200, 'old'], error);
      assert.equal(got.fields['cache-status'], 'weir; fwd=stale; ttl=-10; detail="stale-if-error"');
    }
  });

  it('is served as it was asked for: to HEAD, in part, and to who has it already', () => {
    const tagged = (): CachedRoute => ended(ERROR, '{}', ['etag', '"1"']);
    assert.deepEqual(
      [tagged().ask({ method: 'HEAD' }, { status: 503 }).status, tagged().ask({ method: 'HEAD' }, { status: 503 }).body],
      [200, ''],
    );
    assert.deepEqual([tagged().ask({}, { status: 503 }).status, tagged().ask({}, { error: 'no_cluster' }).body], [200, 'old']);
    assert.equal(tagged().ask(asking('if-none-match', '"1"'), { error: 'no_cluster' }).status, 304);
    const part = tagged().ask(asking('range', 'bytes=1-'), { status: 502, body: ['nothing'] });
    assert.deepEqual([part.status, part.body, part.fields['content-range']], [206, 'ld', 'bytes 1-2/3']);
  });

  it('is not served for other errors: of the client, of weir itself, or that tell of what was asked for', () => {
    for (const error of ['body_too_large', 'internal', 'upgrade_refused'] as const)
      assert.equal(ended(ERROR).ask({}, { error }).stored, error === 'upgrade_refused', error);
    for (const status of [400, 404, 429, 501, 505])
      assert.equal(ended(ERROR).ask({}, { status, fields: [], body: ['no'] }).body, 'no', `${status}`);
  });

  it('is not served later than it says, nor to who wants it from the service', () => {
    const route = ended(ERROR);
    route.clock.advance(20_000);
    assert.equal(route.ask({}, { status: 503, body: ['no'] }).body, 'no');
    assert.equal(ended(ERROR).ask(asking('cache-control', 'no-cache'), { status: 503, body: ['no'] }).body, 'no');
  });

  it('is not served where it was dropped while the service was asked', () => {
    const route = ended(ERROR);
    const asked = route.begin();
    route.purge({ 2: {} });
    assert.equal(asked.answer({ status: 503, body: ['no'] }).body, 'no');
  });
});

describe('what forbids it', () => {
  it('is obeyed, whatever else the answer and the file say', () => {
    for (const word of ['must-revalidate', 'proxy-revalidate', 'no-cache', 's-maxage=60']) {
      const route = ended(`${WHILE}, stale-if-error=30, ${word}`, '{ staleWhileRevalidate: 1h, staleIfError: 1h }', ['etag', '"1"']);
      const got = route.ask({}, { status: 503, body: ['no'] });
      assert.deepEqual([got.stored, got.body], [false, 'no'], word);
    }
  });

  it('is the file too: its times are for answers that say none, and its most is for all', () => {
    const own = ended('max-age=60', '{ staleWhileRevalidate: 30s }');
    behind(own.ask());
    assert.equal(ended('max-age=60', '{ staleIfError: 30s }').ask({}, { status: 503 }).body, 'old');
    assert.equal(ended('max-age=60, stale-while-revalidate=0', '{ staleWhileRevalidate: 30s }').ask().stored, false);
    assert.equal(ended(WHILE, '{ maxStale: 5s }').ask().stored, false);
    assert.equal(ended('max-age=60').ask({}, { status: 503, body: ['no'] }).body, 'no');
    assert.deepEqual(filterProblems('cache', '{ staleIfError: 2h, maxStale: 1h }'), [
      'routes[0].filters[0].cache.staleIfError: 2h is more than maxStale (1h); expected at most that, or a longer maxStale',
    ]);
  });

  it('is that nothing said how long the answer holds', () => {
    const route = new CachedRoute('{ staleWhileRevalidate: 1h }');
    route.ask({}, { fields: [] });
    assert.equal(route.ask().stored, false);
  });
});
