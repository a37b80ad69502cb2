// Which route a request gets: the precedence of the Kubernetes Gateway API, by table and against a matcher that tries everything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PathMatch, RouteConfig, RouteMatch } from '../../../balancer/config/config.ts';
import type { FieldMatch } from '../../../balancer/config/match-config.ts';
import { compileRouter, type RoutableRequest } from '../../../balancer/route/router.ts';

const prefix = (value: string): PathMatch => ({ kind: 'prefix', value });
const exact = (value: string): PathMatch => ({ kind: 'exact', value });
const regex = (value: string): PathMatch => ({ kind: 'regex', value });

function route(name: string, match: Partial<RouteMatch>, listeners: readonly string[] = []): RouteConfig {
  return {
    name,
    listeners,
    paths: { escapedSlashes: 'keep', mergeSlashes: true, parameters: 'keep' },
    service: 'shop',
    priorityClass: 'normal',
    clientCertificate: 'none',
    filters: [],
    match: { hosts: [], path: prefix('/'), methods: [], headers: [], query: [], ...match },
  };
}

function request(url: string, more: { readonly method?: string; readonly fields?: string[] } = {}): RoutableRequest {
  const [, host = '', path = '/', query = ''] = /^([^/]*)(\/[^?]*|\*)(?:\?(.*))?$/.exec(url) ?? [];
  return { host, path, query, method: more.method ?? 'GET', fields: more.fields ?? [] };
}

function winner(routes: readonly RouteConfig[], asked: RoutableRequest, listener = 'web'): string | null {
  return routes[compileRouter(routes, listener).match(asked)]?.name ?? null;
}

test('an exact host wins over a wildcard, a longer wildcard over a shorter one, and a wildcard over none', () => {
  const routes = [
    route('any', {}),
    route('wide', { hosts: ['*.example.com'] }),
    route('narrow', { hosts: ['*.shop.example.com'] }),
    route('exact', { hosts: ['a.shop.example.com', 'example.com'] }),
  ];
  assert.equal(winner(routes, request('a.shop.example.com/')), 'exact');
  assert.equal(winner(routes, request('b.shop.example.com/')), 'narrow');
  assert.equal(winner(routes, request('c.b.shop.example.com/')), 'narrow');
  assert.equal(winner(routes, request('shop.example.com/')), 'wide');
  assert.equal(winner(routes, request('example.com/')), 'exact');
  assert.equal(winner(routes, request('badexample.com/')), 'any');
  assert.equal(winner(routes, request('.example.com/')), 'any');
  assert.equal(winner(routes, request('/')), 'any');
});

test('a host whose routes do not fit leaves the request to the next wider host', () => {
  const routes = [
    route('any', { path: prefix('/c') }),
    route('wide', { hosts: ['*.example.com'], path: prefix('/b') }),
    route('exact', { hosts: ['a.example.com'], path: prefix('/a') }),
  ];
  assert.equal(winner(routes, request('a.example.com/a')), 'exact');
  assert.equal(winner(routes, request('a.example.com/b')), 'wide');
  assert.equal(winner(routes, request('a.example.com/c')), 'any');
  assert.equal(winner(routes, request('a.example.com/d')), null);
});

test('a prefix matches whole elements of the path only', () => {
  const routes = [route('api', { path: prefix('/api') })];
  for (const path of ['/api', '/api/', '/api/x', '/api//x']) assert.equal(winner(routes, request(`h${path}`)), 'api', path);
  for (const path of ['/apix', '/ap', '/', '/API', '/x/api', '*']) assert.equal(winner(routes, request(`h${path}`)), null, path);
});

test('an exact path wins over a pattern, a pattern over a prefix, a longer prefix over a shorter one', () => {
  const routes = [
    route('root', {}),
    route('short', { path: prefix('/a') }),
    route('long', { path: prefix('/a/b/c') }),
    route('pattern', { path: regex('/a/[^/]+') }),
    route('exact', { path: exact('/a/b') }),
  ];
  assert.equal(winner(routes, request('h/a/b')), 'exact');
  assert.equal(winner(routes, request('h/a/x')), 'pattern');
  assert.equal(winner(routes, request('h/a/b/c')), 'long');
  assert.equal(winner(routes, request('h/a/b/x')), 'short');
  assert.equal(winner(routes, request('h/b')), 'root');
  assert.equal(winner(routes, request('h/a/b/')), 'short');
});

test('then a method, then more header fields, then more query parameters, then the order of the file', () => {
  const one: readonly FieldMatch[] = [{ name: 'x', match: { kind: 'present' } }];
  const two: readonly FieldMatch[] = [...one, { name: 'y', match: { kind: 'present' } }];
  const routes = [
    route('first', {}),
    route('second', {}),
    route('query', { query: one }),
    route('queries', { query: two }),
    route('header', { headers: one }),
    route('headers', { headers: two }),
    route('method', { methods: ['POST', 'PUT'] }),
  ];
  assert.equal(winner(routes, request('h/')), 'first');
  assert.equal(winner(routes, request('h/?x=1')), 'query');
  assert.equal(winner(routes, request('h/?y=1&x')), 'queries');
  assert.equal(winner(routes, request('h/?y=1&x', { fields: ['x', '1'] })), 'header');
  assert.equal(winner(routes, request('h/', { fields: ['x', '1', 'y', ''] })), 'headers');
  assert.equal(winner(routes, request('h/?x=1', { fields: ['x', '1', 'y', ''], method: 'PUT' })), 'method');
});

test('methods are compared with their case', () => {
  const routes = [route('get', { methods: ['GET'] })];
  assert.equal(winner(routes, request('h/')), 'get');
  assert.equal(winner(routes, request('h/', { method: 'get' })), null);
  assert.equal(winner(routes, request('h/', { method: 'HEAD' })), null);
});

test('header conditions look at all values of a repeated field as one', () => {
  const routes = [route('beta', { headers: [{ name: 'x-group', match: { kind: 'exact', value: 'a, b' } }] })];
  assert.equal(winner(routes, request('h/', { fields: ['x-group', 'a', 'accept', 'x-group', 'x-group', 'b'] })), 'beta');
  assert.equal(winner(routes, request('h/', { fields: ['x-group', 'a'] })), null);
});

test('conditions ask for a value, a pattern, presence or absence', () => {
  const by = (match: FieldMatch['match']): readonly RouteConfig[] => [route('hit', { headers: [{ name: 'x', match }] })];
  const sent = (value: string): RoutableRequest => request('h/', { fields: ['x', value] });
  assert.equal(winner(by({ kind: 'regex', value: '[0-9]+' }), sent('12')), 'hit');
  assert.equal(winner(by({ kind: 'regex', value: '[0-9]+' }), sent('12a')), null);
  assert.equal(winner(by({ kind: 'regex', value: '.*' }), request('h/')), null);
  assert.equal(winner(by({ kind: 'present' }), sent('')), 'hit');
  assert.equal(winner(by({ kind: 'absent' }), sent('')), null);
  assert.equal(winner(by({ kind: 'absent' }), request('h/')), 'hit');
});

test('query parameters are compared after percent-decoding, the first of a name counts, and names are compared too', () => {
  const routes = [route('hit', { query: [{ name: 'größe', match: { kind: 'exact', value: 'a b&c' } }] })];
  assert.equal(winner(routes, request('h/?x=1&gr%C3%B6%C3%9Fe=a%20b%26c')), 'hit');
  assert.equal(winner(routes, request('h/?gr%C3%B6%C3%9Fe=no&gr%C3%B6%C3%9Fe=a%20b%26c')), null);
  assert.equal(winner(routes, request('h/?gr%C3%B6%C3%9Fe=a%20b%26c%FF')), null);
  assert.equal(winner(routes, request('h/?')), null);
});

test('a listener that passes bytes through has only the routes that name it; no server name is any', () => {
  const routes = [route('http', {}), route('any', {}, ['pass']), route('one', { hosts: ['a.example'] }, ['pass', 'other'])];
  const to = (host: string): string | undefined => {
    const asked = { host, path: '/', query: '', method: '', fields: [] };
    return routes[compileRouter(routes, 'pass', 'tls-passthrough').match(asked)]?.name;
  };
  assert.deepEqual(['a.example', 'b.example', ''].map(to), ['one', 'any', 'any']);
  assert.equal(compileRouter(routes.slice(0, 1), 'pass', 'tcp').match(request('/')), -1);
});

test('a route is for the listeners it names, and for all when it names none', () => {
  const routes = [route('inside', { path: prefix('/admin') }, ['internal']), route('everywhere', {})];
  assert.equal(winner(routes, request('h/admin'), 'internal'), 'inside');
  assert.equal(winner(routes, request('h/admin'), 'web'), 'everywhere');
  assert.equal(winner([], request('h/')), null);
});

/** What precedence means, with no regard for cost: all routes that match, the best of them by rank. */
function reference(routes: readonly RouteConfig[], asked: RoutableRequest): number {
  let best: { readonly index: number; readonly rank: readonly number[] } | null = null;
  for (const [index, { match }] of routes.entries()) {
    for (const host of match.hosts.length === 0 ? [''] : match.hosts) {
      if (!hostMatches(host, asked.host) || !restMatches(match, asked)) continue;
      const rank = [
        hostRank(host),
        pathRank(match.path),
        Math.min(1, match.methods.length),
        match.headers.length,
        match.query.length,
        -index,
      ];
      if (best === null || isHigher(rank, best.rank)) best = { index, rank };
    }
  }
  return best?.index ?? -1;
}

function hostMatches(host: string, asked: string): boolean {
  return host === '' || host === asked || (host.startsWith('*.') && asked.endsWith(host.slice(1)) && asked.length > host.length - 1);
}

const hostRank = (host: string): number => (host === '' ? 0 : host.startsWith('*') ? host.length : 1000);

function pathRank({ kind, value }: PathMatch): number {
  return kind === 'exact' ? 10_000 : kind === 'regex' ? 5000 : value === '/' ? 0 : value.length;
}

function restMatches(match: RouteMatch, asked: RoutableRequest): boolean {
  const { kind, value } = match.path;
  const pathFits =
    kind === 'exact'
      ? asked.path === value
      : kind === 'regex'
        ? new RegExp(`^(?:${value})$`, 'u').test(asked.path)
        : value === '/' || asked.path === value || asked.path.startsWith(`${value}/`);
  const parameters = new Map(asked.query.split('&').map((part) => [part.split('=')[0] ?? '', part.split('=')[1] ?? '']));
  const fields = new Map<string, string>();
  for (let at = 0; at < asked.fields.length; at += 2) fields.set(asked.fields[at] ?? '', asked.fields[at + 1] ?? '');
  return (
    pathFits &&
    (match.methods.length === 0 || match.methods.includes(asked.method)) &&
    match.headers.every((condition) => conditionHolds(condition, fields)) &&
    match.query.every((condition) => conditionHolds(condition, parameters))
  );
}

function conditionHolds({ name, match }: FieldMatch, values: ReadonlyMap<string, string>): boolean {
  if (match.kind === 'present' || match.kind === 'absent') return values.has(name) === (match.kind === 'present');
  return values.get(name) === match.value;
}

function isHigher(a: readonly number[], b: readonly number[]): boolean {
  const differs = a.findIndex((part, at) => part !== b[at]);
  return differs >= 0 && (a[differs] ?? 0) > (b[differs] ?? 0);
}

const element = fc.constantFrom('a', 'b', 'ab', 'abc');
const path = fc.array(element, { maxLength: 3 }).map((elements) => `/${elements.join('/')}`);
const label = fc.constantFrom('a', 'b', 'example', 'com');
const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const condition = fc.record({
  name: fc.constantFrom('x', 'y', 'z'),
  match: fc.oneof(
    fc.record({ kind: fc.constant('exact' as const), value: fc.constantFrom('1', '2') }),
    fc.record({ kind: fc.constantFrom('present' as const, 'absent' as const) }),
  ),
});
const conditions = fc.uniqueArray(condition, { maxLength: 2, selector: ({ name }) => name });
const match: fc.Arbitrary<RouteMatch> = fc.record({
  hosts: fc.uniqueArray(
    fc.oneof(
      host,
      host.map((name) => `*.${name}`),
    ),
    { maxLength: 2 },
  ),
  path: fc.oneof(path.map(prefix), path.map(exact), fc.constantFrom('/a/.*', '/[^/]+', '/a(b|bc)?/b').map(regex)),
  methods: fc.uniqueArray(fc.constantFrom('GET', 'POST'), { maxLength: 2 }),
  headers: conditions,
  query: conditions,
});
const sentValues = fc.uniqueArray(fc.tuple(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('1', '2')), {
  maxLength: 3,
  selector: ([name]) => name,
});
const asked: fc.Arbitrary<RoutableRequest> = fc.record({
  host,
  path: fc.oneof(
    path,
    path.map((start) => `${start}/`),
  ),
  method: fc.constantFrom('GET', 'POST', 'PUT'),
  query: sentValues.map((values) => values.map(([name, value]) => `${name}=${value}`).join('&')),
  fields: sentValues.map((values) => values.flat()),
});

test('the router gives the route that trying all of them and ranking those that match gives', () => {
  fc.assert(
    fc.property(fc.array(match, { maxLength: 25 }), fc.array(asked, { minLength: 1, maxLength: 10 }), (matches, requests) => {
      const routes = matches.map((one, index) => route(`r${index}`, one));
      const router = compileRouter(routes, 'web');
      for (const one of requests) assert.equal(router.match(one), reference(routes, one));
    }),
    { seed: 11, numRuns: 400 },
  );
});
