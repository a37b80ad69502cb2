// Routing seen from outside: which service answers a request, by host, path, method, header and query, and which route wins.
import assert from 'node:assert/strict';
import type { OutgoingHttpHeaders } from 'node:http';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { startOrigin } from '../support/origin.ts';

/** Service by the match of its route. In no good order on purpose: precedence must not come from the order in the file. */
const ROUTES: Readonly<Record<string, string>> = {
  'any-root': 'path: /',
  'any-api': 'path: /api',
  'any-api-items': 'path: /api/items',
  'any-exact': 'exact: /api/items',
  'any-regex': 'regex: "/api/v[0-9]+/users"',
  'post-api': 'path: /api, methods: [POST, PUT]',
  'header-api': 'path: /api, headers: { x-tier: gold }',
  'two-headers-api': 'path: /api, headers: { x-tier: gold, x-beta: { present: true } }',
  'header-regex': 'path: /labels, headers: { x-label: { regex: "blue-[0-9]+" } }',
  'header-absent': 'path: /anonymous, headers: { authorization: { present: false } }',
  'query-api': 'path: /api, query: { "debug mode": "on" }',
  'host-root': 'hosts: [shop.example.com], path: /',
  'host-api': 'hosts: [shop.example.com], path: /api',
  'wild-root': 'hosts: ["*.example.com"], path: /',
  'wild-deep': 'hosts: ["*.eu.example.com"], path: /',
};

interface Case {
  readonly host?: string;
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly service: string;
}

const CASES: readonly Case[] = [
  // Prefixes go by path element; the longest wins.
  { path: '/', service: 'any-root' },
  { path: '/other', service: 'any-root' },
  { path: '/api', service: 'any-api' },
  { path: '/api/', service: 'any-api' },
  { path: '/api/x', service: 'any-api' },
  { path: '/apix', service: 'any-root' },
  { path: '/api/items/7', service: 'any-api-items' },
  { path: '/api/itemset', service: 'any-api' },
  // Exact before prefix.
  { path: '/api/items', service: 'any-exact' },
  { path: '/api/items?page=2', service: 'any-exact' },
  // A pattern is for the whole path.
  { path: '/api/v2/users', service: 'any-regex' },
  { path: '/api/v2/users/7', service: 'any-api' },
  { path: '/api/vx/users', service: 'any-api' },
  // What the path is, not how it is written.
  { path: '/%61pi/x', service: 'any-api' },
  { path: '/other/../api/items', service: 'any-exact' },
  { path: '/api/./items', service: 'any-exact' },
  { path: '/API/items', service: 'any-root' },
  // A method before headers, headers before query, more headers before fewer.
  { path: '/api/x', method: 'POST', service: 'post-api' },
  { path: '/api/x', method: 'DELETE', service: 'any-api' },
  { path: '/api/x', headers: { 'x-tier': 'gold' }, service: 'header-api' },
  { path: '/api/x', headers: { 'X-Tier': 'gold' }, service: 'header-api' },
  { path: '/api/x', headers: { 'x-tier': 'silver' }, service: 'any-api' },
  { path: '/api/x', headers: { 'x-tier': 'gold', 'x-beta': '' }, service: 'two-headers-api' },
  { path: '/api/x', method: 'PUT', headers: { 'x-tier': 'gold', 'x-beta': '1' }, service: 'post-api' },
  { path: '/api/x?debug%20mode=on', service: 'query-api' },
  { path: '/api/x?debug+mode=on', service: 'any-api' },
  { path: '/api/x?a=1&debug%20mode=%6Fn', service: 'query-api' },
  { path: '/api/x?debug%20mode=off', service: 'any-api' },
  { path: '/api/x?debug%20mode=on', headers: { 'x-tier': 'gold' }, service: 'header-api' },
  { path: '/labels', headers: { 'x-label': 'blue-17' }, service: 'header-regex' },
  { path: '/labels', headers: { 'x-label': 'a blue-17' }, service: 'any-root' },
  { path: '/anonymous', service: 'header-absent' },
  { path: '/anonymous', headers: { authorization: 'Bearer x' }, service: 'any-root' },
  // The host comes first: exact, then the longest wildcard, then any; case and port do not matter.
  { host: 'shop.example.com', path: '/other', service: 'host-root' },
  { host: 'Shop.Example.Com:8080', path: '/api/x', service: 'host-api' },
  { host: 'shop.example.com', path: '/api/items', service: 'host-api' },
  { host: 'blog.example.com', path: '/api/items', service: 'wild-root' },
  { host: 'a.b.example.com', path: '/', service: 'wild-root' },
  { host: 'a.eu.example.com', path: '/', service: 'wild-deep' },
  { host: 'example.com', path: '/other', service: 'any-root' },
  { host: 'notexample.com', path: '/other', service: 'any-root' },
];

test('every request of the table is answered by the service of the route that should win', async (t) => {
  // The host field of a service's requests names the service.
  const origin = await startOrigin(t, (request, response) => response.end(request.headers.host));
  const appliance = await startAppliance(t, { yaml: config(origin.endpoint), workers: 1 });
  for (const { host, method = 'GET', path, headers = {}, service } of CASES) {
    // Given as it is: a URL would be normalised before it is sent.
    const answer = await appliance.get('/', { method, path, headers: { ...(host === undefined ? {} : { host }), ...headers } });
    const what = `${method} ${host ?? ''}${path} ${JSON.stringify(headers)}`;
    assert.deepEqual([answer.status, answer.body], [200, service], what);
  }
  const untested = Object.keys(ROUTES).filter((name) => !CASES.some(({ service }) => service === name));
  assert.deepEqual(untested, [], 'every route wins at least once');
});

function config(endpoint: string): string {
  const names = Object.keys(ROUTES);
  return `clusters:
  east: { endpoints: ["${endpoint}"] }
services:
${names.map((name) => `  ${name}: { versions: { blue: { clusters: { east: { host: ${name} } } } } }`).join('\n')}
routes:
${names.map((name) => `  - { service: ${name}, match: { ${ROUTES[name] ?? ''} } }`).join('\n')}
`;
}
