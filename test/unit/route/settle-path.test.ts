// A path that origins read in more than one way gets one route in all its readings, or none.
import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import type { PathPolicy, RouteConfig } from '../../../balancer/config/config.ts';
import { canonicalTarget } from '../../../balancer/message/canonical-path.ts';
import { ALL_DOUBTS, readAs } from '../../../balancer/message/path-readings.ts';
import { compileRouter } from '../../../balancer/route/router.ts';
import { settlePath } from '../../../balancer/route/settle-path.ts';

const KEEP: PathPolicy = { escapedSlashes: 'keep', mergeSlashes: true, parameters: 'keep' };

function route(path: string, policy: Partial<PathPolicy> = {}): RouteConfig {
  const match = { hosts: [], path: { kind: 'prefix', value: path }, methods: [], headers: [], query: [] } as const;
  return {
    name: path,
    listeners: [],
    match,
    paths: { ...KEEP, ...policy },
    service: 'shop',
    priorityClass: 'normal',
    clientCertificate: 'none' as const,
    filters: [],
  };
}

/** `ROUTE PATH`, `redirect PATH`, `none`, `ambiguous`, or `malformed` when it does not come so far. */
function settled(target: string, routes: readonly RouteConfig[]): string {
  const canonical = canonicalTarget(target);
  if (canonical === null) return 'malformed';
  const router = compileRouter(routes, 'web');
  const request = { host: 'a', query: '', method: 'GET', fields: [], path: canonical.path, pathDoubts: canonical.doubts };
  const result = settlePath(
    request,
    (reading) => router.match(reading),
    (index) => routes[index]?.paths,
  );
  if (result.kind === 'ambiguous') return result.kind;
  if (result.kind === 'redirect') return `redirect ${result.path}`;
  return result.index < 0 ? 'none' : `${routes[result.index]?.name ?? ''} ${request.path}`;
}

describe('a path in doubt', () => {
  const routes = [route('/'), route('/admin'), route('/files', { mergeSlashes: false })];
  for (const [target, outcome] of [
    ['/a%2Fb', '/ /a%2Fb'],
    ['/admin/a%2Fb', '/admin /admin/a%2Fb'],
    ['/admin%2Fsecret', 'ambiguous'],
    ['/admin%5csecret', 'ambiguous'],
    ['/%2Fadmin/secret', 'ambiguous'],
    ['//admin/secret', '/admin /admin/secret'],
    ['/a//b', '/ /a/b'],
    ['/files//a///b', '/files /files//a///b'],
    ['//files/a', 'ambiguous'],
    ['/admin;x/secret', 'ambiguous'],
    ['/;x/admin/secret', 'ambiguous'],
    ['/admin/secret;x=y', '/admin /admin/secret;x=y'],
    ['/a;admin', '/ /a;admin'],
    ['/a%2F..%2Fadmin', 'malformed'],
    ['/a/..;/admin', 'malformed'],
    ['/a//../admin', 'malformed'],
    ['/admin%252Fsecret', 'ambiguous'],
    ['/%2561dmin', 'ambiguous'],
    ['/admin%3Bx', 'ambiguous'],
    ['/a%252Fb%3Bx', '/ /a%252Fb%3Bx'],
    ['/admin/100%25ab', '/admin /admin/100%25ab'],
  ] as const) {
    it(`${target} becomes ${outcome}`, () => {
      // What is in no doubt is not settled at all.
      if (canonicalTarget(target)?.doubts === 0) assert.equal(`/ ${canonicalTarget(target)?.path ?? ''}`, outcome);
      else assert.equal(settled(target, routes), outcome);
    });
  }

  it('has no route when none is for its most daring reading', () => {
    assert.equal(settled('/a%2Fb', [route('/a%2Fb')]), 'none');
  });
});

describe('a route', () => {
  it('may refuse escaped slashes, or send the client to the path with slashes', () => {
    assert.equal(settled('/a%2fb', [route('/', { escapedSlashes: 'reject' })]), 'ambiguous');
    assert.equal(settled('/a%2fb', [route('/', { escapedSlashes: 'redirect' })]), 'redirect /a/b');
    assert.equal(settled('/a//b', [route('/', { escapedSlashes: 'reject' })]), '/ /a/b');
  });

  it('never sends the client to another host', () => {
    assert.equal(settled('/%2Fevil.example', [route('/', { escapedSlashes: 'redirect', mergeSlashes: false })]), 'redirect /evil.example');
    assert.equal(settled('/%5Cevil.example', [route('/', { escapedSlashes: 'redirect' })]), 'redirect /evil.example');
  });

  it('may refuse parameters, or leave them out', () => {
    assert.equal(settled('/a;x=y/b', [route('/', { parameters: 'reject' })]), 'ambiguous');
    assert.equal(settled('/a;x=y/b;z', [route('/', { parameters: 'strip' })]), '/ /a/b');
    assert.equal(settled('/admin;x/b', [route('/'), route('/admin', { parameters: 'strip' })]), '/admin /admin/b');
  });
});

test('whatever goes on leads to the same route in every reading that an origin may make of it', () => {
  const policy = fc.record({
    escapedSlashes: fc.constantFrom('keep', 'reject', 'redirect'),
    mergeSlashes: fc.boolean(),
    parameters: fc.constantFrom('keep', 'reject', 'strip'),
  } as const);
  const part = fc.constantFrom('/', '/', 'a', 'b', '%2F', '%5c', ';', ';a', '.', '..', '%2e', '//', 'c');
  const property = fc.property(
    fc.array(part, { maxLength: 10 }),
    fc.array(fc.record({ path: fc.constantFrom('/', '/a', '/b', '/a/b', '/c', '/b/a'), policy }), { minLength: 1, maxLength: 5 }),
    (parts, made) => {
      const target = canonicalTarget(`/${parts.join('')}`);
      if (target === null || target.doubts === 0) return;
      const routes = made.map(({ path, policy: paths }) => route(path, paths));
      const router = compileRouter(routes, 'web');
      const request = { host: 'a', query: '', method: 'GET', fields: [], path: target.path, pathDoubts: target.doubts };
      const match = (asked: typeof request): number => router.match(asked);
      const result = settlePath(request, match, (index) => routes[index]?.paths);
      if (result.kind !== 'route' || result.index < 0) return;
      const { path } = request;
      assert.ok(path.startsWith('/') && !path.split('/').some((segment) => segment === '.' || segment === '..'));
      for (let acted = 0; acted <= ALL_DOUBTS; acted += 1) assert.equal(match({ ...request, path: readAs(path, acted) }), result.index);
    },
  );
  fc.assert(property, { seed: 5, numRuns: 3000 });
});
