// Options of login that cannot work: each is told with its place, what is wrong and what would be right.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../../../../balancer/config/load.ts';
import { login } from '../../../../balancer/filter/login/login.ts';
import { EXTENSIONS } from '../../../../balancer/registries.ts';
import { SMALL_CONFIG, TEST_ENVIRONMENT } from '../../../support/config-text.ts';
import { aFilterEnvironment } from '../../../support/filter-environment.ts';
import { filterOptions, filterProblems } from '../../../support/filter-options.ts';

const KEYS = 'session: { keys: { file: session.keys } }';
const problems = (options: string): string => filterProblems('login', `{ issuer: staff, client: web, ${options} }`).join('\n');

test('a file that names the least is complete', () => {
  assert.equal(problems(KEYS), '');
  const options = filterOptions('login', `{ issuer: staff, client: web, ${KEYS} }`) as Record<string, unknown>;
  assert.deepEqual([options['proof'], options['callback'], options['scopes']], ['none', '/login/callback', ['openid', 'profile']]);
});

const wrong: readonly (readonly [string, string, RegExp])[] = [
  ['an issuer nobody declares', `issuer: other, ${KEYS}`, /issuer "other" is not declared; expected one of issuers: staff/],
  ['no place of keys', 'session: { keys: {} }', /session\.keys: expected where the secret is/],
  ['two places of a secret', `secret: { file: a, env: B }, ${KEYS}`, /secret: expected where the secret is, either/],
  ['scopes without openid', `scopes: [profile], ${KEYS}`, /scopes: openid is not among them/],
  ['a parameter of weir', `parameters: { state: x }, ${KEYS}`, /parameters\.state: state is what weir writes itself/],
  ['an origin that is many', `origin: "https://*.example.com", ${KEYS}`, /origin: .* is not one place; expected such as https:/],
  [
    'tokens in the clear',
    `endpoints: { authorization: "https://a.example/", token: "http://a.example/" }, ${KEYS}`,
    /endpoints\.token: .*in the clear.*https:/,
  ],
  [
    'more of people from nowhere',
    `userInfo: true, endpoints: { authorization: "https://a.example/", token: "https://a.example/" }, ${KEYS}`,
    /userInfo: endpoints do not say where/,
  ],
  ['one path for two things', `logout: /login/callback, ${KEYS}`, /logout: is the path of callback too/],
  ['a page after signing out that signs out', `afterLogout: /logout, ${KEYS}`, /afterLogout: is the path of logout/],
  ['a session without end', 'session: { keys: { file: k }, lifetime: 500h }', /session\.lifetime: is more than 336h/],
  ['idle for longer than it lasts', 'session: { keys: { file: k }, lifetime: 1h, idle: 2h }', /session\.idle: is longer than lifetime/],
  ['a name of a cookie that is none', 'session: { keys: { file: k }, cookie: "a b" }', /session\.cookie: .*letters, digits and _/],
  ['a callback with a query', `callback: "/back?x", ${KEYS}`, /callback/],
];

for (const [what, options, message] of wrong)
  test(what, () => {
    const file = options.startsWith('issuer:') ? `{ client: web, ${options} }` : `{ issuer: staff, client: web, ${options} }`;
    assert.match(filterProblems('login', file).join('\n'), message);
  });

function routed(...routes: readonly string[]): string {
  const text = `${SMALL_CONFIG.replace('  - { service: shop }', () => routes.map((route) => `  - { service: shop, ${route} }`).join('\n'))}issuers: { staff: { issuer: "https://login.example", keys: { url: "https://login.example/keys" } } }\n`;
  const result = loadConfig({ file: '/etc/weir/weir.yaml', text }, EXTENSIONS, TEST_ENVIRONMENT);
  return result.ok ? '' : result.problems.map(({ path, message }) => `${path}: ${message}`).join('\n');
}

const filters = (options = ''): string => `filters: [{ login: { issuer: staff, client: web, ${KEYS}${options} } }]`;

test('paths that no route with the login takes are told, as people would be sent to nothing', () => {
  const told = routed(`match: { path: /app }, ${filters()}`);
  assert.match(
    told,
    /filters\[0\]\.login\.callback: \/login\/callback is taken, by GET, by no route with the filter login.*such as \/app\/…/,
  );
  assert.match(told, /login\.logout: \/logout is taken, by GET, by no route/);
  assert.equal(routed(`match: { path: /app }, ${filters(', callback: /app/back, logout: /app/logout')}`), '');
  assert.match(routed(`match: { path: /app }, ${filters(', callback: /appback, logout: /app/logout')}`), /callback/);
  const shared = `match: { path: /app }, ${filters()}`;
  assert.equal(
    routed(shared, `name: back, match: { exact: /login/callback }, ${filters()}`, `name: out, match: { exact: /logout }, ${filters()}`),
    '',
  );
  assert.match(routed(shared, 'name: all, match: { path: / }'), /callback/, 'a route without the login does not help');
  assert.match(
    routed(`match: { hosts: [a.example], path: /app }, ${filters()}`, `name: b, match: { hosts: [b.example] }, ${filters()}`),
    /callback/,
    'nor one of another host',
  );
  assert.match(routed(`match: { methods: [POST] }, ${filters()}`), /callback/, 'nor one that takes no GET');
});

test('what a host cannot use is told when it is made, without repeating a key', () => {
  const options = filterOptions('login', `{ issuer: staff, client: web, ${KEYS} }`);
  const made = (text: string): void => void login.create(options, aFilterEnvironment({ readSecret: () => text }));
  assert.throws(() => made('too-short'), /login\.session\.keys: .*session\.keys.* cannot be used: key 1 is not 32 bytes in base64/);
  assert.throws(
    () => made('too-short'),
    (error: Error) => !error.message.includes('too-short'),
  );
});
