// Why a request gets its route: the order that is told is the router's, and what is said to be missing is what is missing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouteConfig, RouteMatch } from '../../../balancer/config/config.ts';
import { fittingRoutes, nearestRoutes, type Asked } from '../../../balancer/route/explain-route.ts';
import { compileRouter, type RoutableRequest } from '../../../balancer/route/router.ts';

const ANYTHING: RouteMatch = { hosts: [], path: { kind: 'prefix', value: '/' }, methods: [], headers: [], query: [] };

function route(name: string, match: Partial<RouteMatch>, listeners: readonly string[] = []): RouteConfig {
  return {
    name,
    listeners,
    match: { ...ANYTHING, ...match },
    paths: { escapedSlashes: 'keep', mergeSlashes: true, parameters: 'keep' },
    service: 'shop',
    priorityClass: 'normal',
    clientCertificate: 'none',
    filters: [],
  };
}

const ROUTES = [
  route('any', {}),
  route('wild', { hosts: ['*.example.com'] }),
  route('host', { hosts: ['shop.example.com'] }),
  route('api', { hosts: ['shop.example.com'], path: { kind: 'prefix', value: '/api' } }),
  route('gold', {
    hosts: ['shop.example.com'],
    path: { kind: 'prefix', value: '/api' },
    headers: [{ name: 'x-tier', match: { kind: 'exact', value: 'gold' } }],
  }),
  route('exact', { hosts: ['shop.example.com'], path: { kind: 'exact', value: '/api/items' } }),
  route('post', { hosts: ['shop.example.com'], methods: ['POST'] }),
];

function asked(request: Partial<RoutableRequest> = {}, listener = 'web'): Asked {
  return {
    listener,
    protocol: 'http',
    request: { host: 'shop.example.com', path: '/api/items', query: '', method: 'GET', fields: [], ...request },
  };
}

test('all routes that fit are told in the order of the router, each with what puts it before the next', () => {
  assert.deepEqual(fittingRoutes(ROUTES, asked({ fields: ['x-tier', 'gold'] })), [
    { route: 'exact', because: 'before gold: an exact path goes before a prefix' },
    { route: 'gold', because: 'before api: it asks for more header fields' },
    { route: 'api', because: 'before host: its path is longer' },
    { route: 'host', because: 'before wild: its host is more exact' },
    { route: 'wild', because: 'before any: its host is more exact' },
  ]);
});

test('the first is the one that the router takes', () => {
  const router = compileRouter(ROUTES, 'web');
  for (const host of ['shop.example.com', 'a.example.com', 'other.test'])
    for (const path of ['/', '/api', '/api/items', '/apix'])
      for (const method of ['GET', 'POST']) {
        const what = asked({ host, path, method });
        assert.equal(fittingRoutes(ROUTES, what)[0]?.route, ROUTES[router.match(what.request)]?.name);
      }
});

test('where none fits, the one that lacks least comes first, and it fits once that is changed', () => {
  const only = ROUTES.slice(2);
  const cases: readonly (readonly [request: Partial<RoutableRequest>, route: string, because: string])[] = [
    [{ host: 'shop.test' }, 'host', 'host shop.example.com, not shop.test'],
    [{ host: '' }, 'host', 'host shop.example.com, not none'],
  ];
  for (const [request, name, because] of cases) assert.deepEqual(nearestRoutes(only, asked(request))[0], { route: name, because });
  const posts = [route('orders', { path: { kind: 'prefix', value: '/orders' }, methods: ['POST'] }), route('tls', {}, ['tls'])];
  assert.deepEqual(nearestRoutes(posts, asked({ path: '/orders' })), [
    { route: 'orders', because: 'method POST, not GET' },
    { route: 'tls', because: 'listener tls, not web' },
  ]);
});

test('of several paths that do not fit the one that begins alike is the nearest', () => {
  const paths = ['/cart', '/orders'].map((value) => route(value.slice(1), { path: { kind: 'prefix', value } }));
  assert.deepEqual(nearestRoutes(paths, asked({ path: '/order' }))[0], { route: 'orders', because: 'path from /orders down, not /order' });
});
