// Listeners that pass bytes on: which routes can be theirs, where these may lead, and what is said of everything else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, loaded, problemsOf } from '../../support/config-text.ts';

interface Wish {
  readonly listeners?: string;
  readonly endpoint?: string;
  readonly placement?: string;
  readonly routes: readonly string[];
}

const LISTENERS = `  web: { bind: "127.0.0.1:8080" }
  db: { bind: "127.0.0.1:5432", protocol: tcp }
  mail: { bind: "127.0.0.1:993", protocol: tls-passthrough }
`;

/** One service in one cluster; every listener of the default has a route, as far as the test is not about that. */
function file({ listeners = LISTENERS, endpoint = 'tcp://10.0.0.1:5432', placement = '{}', routes }: Wish): string {
  return `version: 1
listeners:
${listeners}clusters:
  data: { endpoints: ["${endpoint}"] }
  site: { endpoints: ["http://10.0.0.2"] }
services:
  pg: { versions: { blue: { clusters: { data: ${placement} } } } }
  shop: { versions: { blue: { clusters: { site: {} } } } }
routes:
${routes.map((route) => `  - ${route}\n`).join('')}`;
}

const DB = '{ listeners: [db], service: pg }';
const MAIL = '{ listeners: [mail], service: pg }';
const WEB = '{ service: shop }';

/** The problems without their places in the text. */
const told = (wish: Wish): readonly string[] => problemsOf(file(wish)).map((line) => line.replace(/^\d+:\d+: /, ''));

test('a route of a tcp listener names it and a service; one of a tls-passthrough listener may name servers', () => {
  const { listeners, routes } = loaded(
    file({ routes: [DB, '{ listeners: [mail], match: { hosts: ["*.Mail.example"] }, service: pg, name: m }', WEB] }),
  );
  assert.deepEqual(
    listeners.map(({ protocol }) => protocol),
    ['http', 'tcp', 'tls-passthrough'],
  );
  assert.deepEqual(
    routes.map(({ name, listeners: of, match }) => [name, of, match.hosts]),
    [
      ['pg', ['db'], []],
      ['m', ['mail'], ['*.mail.example']],
      ['shop', [], []],
    ],
  );
});

test('conditions on HTTP and filters are refused on such a route, each by name', () => {
  const match = '{ path: /a, methods: [GET], headers: { x: a }, query: { y: b } }';
  assert.deepEqual(told({ routes: [`{ listeners: [db], match: ${match}, service: pg, filters: [{ stamp: {} }] }`, MAIL, WEB] }), [
    ...['path', 'methods', 'headers', 'query'].map(
      (key) =>
        `routes[0].match.${key}: ${key} is a condition on HTTP requests, and listener db (tcp) passes bytes on unread; remove it, or write protocol: http for the listener`,
    ),
    'routes[0].filters: filters change HTTP messages, and listener db (tcp) passes bytes on unread; remove them, or write protocol: http for the listener',
  ]);
  for (const key of ['exact', 'regex'])
    assert.match(
      told({ routes: [DB, `{ listeners: [mail], match: { ${key}: /a }, service: pg }`, WEB] })[0] ?? '',
      new RegExp(`${key} is a`),
    );
});

test('a tcp listener has no server names to compare', () => {
  assert.deepEqual(told({ routes: ['{ listeners: [db], match: { hosts: [a.example] }, service: pg }', MAIL, WEB] }), [
    'routes[0].match.hosts: a TCP connection names no host, so nothing can be compared; remove hosts, or write protocol: tls-passthrough for listener db to compare the server name of TLS',
  ]);
});

test('a pass-through listener has no certificates', () => {
  const listeners = `${LISTENERS}  odd: { bind: "127.0.0.1:1", protocol: tls-passthrough, tls: { certificates: [{ cert: a, key: b }] } }\n`;
  assert.deepEqual(told({ listeners, routes: [DB, '{ listeners: [mail, odd], service: pg }', WEB] }), [
    'listeners.odd.tls: a tls-passthrough listener hands bytes on as they are and ends no TLS; remove tls, or write protocol: http to end TLS here',
  ]);
});

test('a route is for listeners of one protocol', () => {
  assert.deepEqual(told({ routes: ['{ listeners: [db, mail], service: pg }', WEB] }), [
    'routes[0].listeners: listener db speaks tcp and mail tls-passthrough; write one route for each protocol',
  ]);
  assert.match(told({ routes: ['{ listeners: [web, db], service: pg }', MAIL] })[0] ?? '', /listener web speaks http and db tcp/);
});

test('a route that names no listeners is for http, and is told when there is none', () => {
  const listeners = '  db: { bind: "127.0.0.1:5432", protocol: tcp }\n';
  assert.deepEqual(told({ listeners, endpoint: 'http://10.0.0.1', routes: ['{ service: pg }'] }), [
    'listeners.db: no route names this tcp listener, so it would close every connection; add listeners: [db] to a route',
    'routes[0]: the route names no listeners, so it is for those that speak http, and there is none; write listeners: [db]',
  ]);
});

test('a pass-through listener without a route is told', () => {
  assert.deepEqual(told({ routes: [DB, WEB] }), [
    'listeners.mail: no route names this tls-passthrough listener, so it would close every connection; add listeners: [mail] to a route',
  ]);
});

test('two routes of a tcp listener, and two of a tls-passthrough listener for one name, are one too many', () => {
  const second = '{ listeners: [db], service: pg, name: second }';
  assert.match(told({ routes: [DB, second, MAIL, WEB] })[0] ?? '', /^routes\[1\]: route "second" can never match: route "pg" above it/);
  const named = (name: string): string => `{ listeners: [mail], match: { hosts: [a.example] }, service: pg, name: ${name} }`;
  assert.match(told({ routes: [DB, WEB, named('x'), named('y')] })[0] ?? '', /^routes\[3\]: route "y" can never match/);
});

test('a route for http and one for a pass-through listener take nothing from each other', () => {
  loaded(
    file({
      endpoint: 'https://10.0.0.1',
      routes: ['{ service: pg }', '{ listeners: [mail], service: pg, name: m }'],
      listeners: LISTENERS.replace(/.*tcp.*\n/, ''),
    }),
  );
});

test('endpoints must be able to take what the listener accepts', () => {
  const problem = (endpoint: string, route: string): string | undefined => {
    const others = [DB, MAIL].filter((other) => other !== route).map((other) => other.replace('pg', 'fits'));
    const text = file({ endpoint, routes: [route, ...others, WEB] })
      .replace('clusters:\n', 'clusters:\n  both: { endpoints: ["tcp://10.0.0.9:1"] }\n')
      .replace('services:\n', 'services:\n  fits: { versions: { blue: { clusters: { both: {} } } } }\n');
    const result = load(text);
    return result.ok ? undefined : result.problems.map(({ path, message }) => `${path}: ${message}`).join('\n');
  };
  const where = 'routes[0].service: service "pg" runs in cluster data, whose endpoint';
  assert.equal(problem('tcp://10.0.0.1:5432', DB), undefined);
  assert.equal(problem('http://10.0.0.1', DB), undefined);
  assert.equal(
    problem('https://10.0.0.1', DB),
    `${where} https://10.0.0.1:443 is reached over TLS, which a tcp listener does not add; write tcp:// for it`,
  );
  assert.equal(problem('tcp://10.0.0.1:5432', MAIL), undefined);
  assert.equal(problem('https://10.0.0.1', MAIL), undefined);
  assert.equal(problem('http://10.0.0.1', MAIL), `${where} http://10.0.0.1:80 speaks no TLS; write https:// or tcp:// for it`);
  assert.equal(
    problem('tcp://10.0.0.1:5432', '{ service: pg, match: { path: /pg } }'),
    `${where} tcp://10.0.0.1:5432 is not known to speak HTTP; write http:// or https:// for it, or name listeners with protocol tcp or tls-passthrough`,
  );
});

test('a cluster whose connections begin with a client cannot take the requests of many', () => {
  const text = file({ endpoint: 'https://10.0.0.1', routes: ['{ service: pg }', MAIL.replace('}', ', name: m }')] })
    .replace(/  db: .*\n/, '')
    .replace('data: {', 'data: { proxyProtocol: v2,');
  assert.deepEqual(
    problemsOf(text).map((line) => line.replace(/^\d+:\d+: /, '')),
    [
      'routes[0].service: service "pg" runs in cluster data, whose connections begin with one client\'s addresses by proxyProtocol, but requests of many clients share them; remove proxyProtocol (requests carry x-forwarded-for), or name listeners with protocol tcp or tls-passthrough',
    ],
  );
});

test('versions that only a Host field tells apart cannot be told apart in bytes', () => {
  assert.deepEqual(told({ placement: '{ host: blue.pg.internal }', routes: [DB, '{ listeners: [mail], service: shop2 }', WEB] }), [
    'routes[0].service: version blue of service "pg" is told apart in cluster data by the host "blue.pg.internal", which a tcp listener cannot change; give the version a cluster of its own',
    'routes[1].service: unknown service "shop2"; did you mean "shop"?',
  ]);
});

test('a listener whose protocol is wrong is one problem, not one for each of its routes', () => {
  const found = told({ listeners: LISTENERS.replace('tcp', 'udp'), routes: [DB, MAIL, WEB] });
  assert.equal(found.length, 1, found.join('\n'));
  assert.match(found[0] ?? '', /^listeners\.db\.protocol: "udp" is not possible here; expected http, tcp, tls-passthrough or readiness/);
});

test('a readiness listener has no routes and needs none', () => {
  const listeners = `  web: { bind: "127.0.0.1:8080" }\n  ready: { bind: "127.0.0.1:8081", protocol: readiness }\n`;
  assert.equal(loaded(file({ listeners, endpoint: 'http://10.0.0.1', routes: [WEB] })).listeners[1]?.protocol, 'readiness');
  assert.deepEqual(told({ listeners, endpoint: 'http://10.0.0.1', routes: [WEB, '{ listeners: [ready], service: pg, name: r }'] }), [
    'routes[1].listeners: a readiness listener answers by itself and has no routes; name another listener',
  ]);
  const tls = 'tls: { certificates: [{ cert: a.crt, key: a.key }] }';
  assert.match(
    told({ listeners: listeners.replace('readiness', `readiness, ${tls}`), endpoint: 'http://10.0.0.1', routes: [WEB] }).join(),
    /a readiness listener answers in plain HTTP; remove tls/,
  );
});
