// Served or not, by a plain model of the rules: thousands of answers, moments and requests, and the filter has to agree with what the RFCs say in short.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CachedRoute, type ServiceAnswer } from '../../../support/cached-route.ts';

const seconds = fc.option(fc.integer({ min: 0, max: 40 }), { nil: null });

const said = fc.record({
  'max-age': seconds,
  's-maxage': fc.option(fc.integer({ min: 0, max: 40 }), { nil: null, freq: 1 }),
  'stale-while-revalidate': seconds,
  'stale-if-error': seconds,
  forbids: fc.option(fc.constantFrom('must-revalidate', 'proxy-revalidate', 'no-cache', 'no-store', 'private'), { nil: null, freq: 1 }),
  etag: fc.boolean(),
});

const file = fc.record({
  staleWhileRevalidate: fc.integer({ min: 0, max: 30 }),
  staleIfError: fc.integer({ min: 0, max: 30 }),
  more: fc.integer({ max: 30, min: 0 }),
});

const asked = fc.record({
  'max-age': seconds,
  'min-fresh': fc.option(fc.integer({ min: 0, max: 10 }), { nil: null, freq: 1 }),
  'no-cache': fc.boolean(),
});

const failure = fc.constantFrom<ServiceAnswer | null>(
  null,
  { status: 500 },
  { status: 503 },
  { status: 501 },
  { error: 'no_cluster' },
  { error: 'connect_failed' },
);

interface Case {
  readonly said: typeof said extends fc.Arbitrary<infer T> ? T : never;
  readonly file: typeof file extends fc.Arbitrary<infer T> ? T : never;
  readonly asked: typeof asked extends fc.Arbitrary<infer T> ? T : never;
  readonly failure: ServiceAnswer | null;
  readonly afterSeconds: number;
}

type Expected = 'fresh' | 'stale' | 'stale if error' | 'service';

/** What RFC 9111 sections 4.2, 4.2.4 and 5.2 and RFC 5861 say, with what the file gives. */
function expected({ said: s, file: f, asked: a, failure: fails, afterSeconds: age }: Case): Expected {
  const lifetime = s.forbids === 'no-cache' ? 0 : (s['s-maxage'] ?? s['max-age']);
  if (lifetime === null || s.forbids === 'no-store' || s.forbids === 'private' || a['no-cache']) return 'service';
  const mayBeStale = s.forbids === null && s['s-maxage'] === null;
  const most = Math.max(f.staleWhileRevalidate, f.staleIfError) + f.more;
  const window = (own: number | null, otherwise: number): number => (mayBeStale ? Math.min(most, own ?? otherwise) : 0);
  const [whileAsked, ifError] = [window(s['stale-while-revalidate'], f.staleWhileRevalidate), window(s['stale-if-error'], f.staleIfError)];
  const wanted = age <= (a['max-age'] ?? Infinity) && lifetime - age >= (a['min-fresh'] ?? -Infinity);
  if (age < lifetime && wanted) return 'fresh';
  if (age >= lifetime && age - lifetime < whileAsked && wanted) return 'stale';
  const isFailure = fails !== null && fails.status !== 501;
  return isFailure && age - lifetime < ifError ? 'stale if error' : 'service';
}

const directives = (all: object): string =>
  Object.entries(all)
    .flatMap(([name, value]) => (typeof value === 'number' ? [`${name}=${value}`] : value === true ? [name] : []))
    .join(', ');

function gotten({ said: { forbids, etag, ...times }, file: f, asked: a, failure: fails, afterSeconds }: Case): Expected {
  const most = Math.max(f.staleWhileRevalidate, f.staleIfError) + f.more;
  const route = new CachedRoute(
    `{ staleWhileRevalidate: ${f.staleWhileRevalidate}s, staleIfError: ${f.staleIfError}s, maxStale: ${most}s }`,
  );
  const value = [directives(times), forbids ?? ''].filter((text) => text !== '').join(', ');
  route.ask({}, { fields: ['cache-control', value, ...(etag ? ['etag', '"1"'] : [])], body: ['old'] });
  route.clock.advance(afterSeconds * 1000);
  const control = directives(a);
  const got = route.ask({ fields: control === '' ? [] : ['cache-control', control] }, { body: ['new'], ...fails });
  assert.equal(got.behind !== null, got.fields['cache-status']?.includes('stale-while-revalidate') === true);
  if (got.body !== 'old') return 'service';
  assert.equal(got.status, 200);
  assert.equal(got.fields['age'], String(afterSeconds));
  if (!got.stored || got.fields['cache-status']?.includes('stale-if-error') === true) return 'stale if error';
  return got.behind === null ? 'fresh' : 'stale';
}

test('what is served is what the rules say', () => {
  const seen = new Set<Expected>();
  fc.assert(
    fc.property(fc.record({ said, file, asked, failure, afterSeconds: fc.integer({ min: 0, max: 80 }) }), (one) => {
      const should = expected(one);
      seen.add(should);
      assert.equal(gotten(one), should);
    }),
    { numRuns: 3000, seed: 5861 },
  );
  assert.deepEqual(seen, new Set(['fresh', 'stale', 'stale if error', 'service']));
});
