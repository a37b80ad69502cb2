// What callers may do: the first rule that fits decides, and where none does nothing goes on.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { authorize } from '../../../balancer/filter/authorize.ts';
import { Doubt } from '../../../balancer/message/path-readings.ts';
import type { Identity } from '../../../balancer/message/identity.ts';
import { aFilterEnvironment } from '../../support/filter-environment.ts';
import { filterOptions, filterProblems } from '../../support/filter-options.ts';
import { aRequest } from '../../support/request.ts';

const acme: Identity = {
  consumer: 'acme',
  method: 'key',
  credential: 'acme_1',
  groups: ['partners'],
  scopes: ['orders:read'],
  claims: null,
};

async function codeOf(
  options: string,
  identity: Identity | null,
  [method, path]: readonly [string, string] = ['GET', '/'],
): Promise<string> {
  const filter = authorize.create(filterOptions('authorize', options), aFilterEnvironment());
  const verdict = await filter.onRequest?.(aRequest({ method, path, identity }));
  if (verdict === undefined) return 'allowed';
  return 'code' in verdict ? verdict.code : 'answered';
}

describe('the filter authorize', () => {
  it('refuses whom nobody has proved', async () => assert.equal(await codeOf('{ rules: [{}] }', null), 'access_denied'));

  it('refuses what no rule is about', async () => {
    assert.equal(await codeOf('{ rules: [{ groups: [admins] }] }', acme), 'access_denied');
    assert.equal(await codeOf('{ rules: [{ groups: [admins, partners] }] }', acme), 'allowed');
    assert.equal(await codeOf('{ rules: [{ consumers: [other] }] }', acme), 'access_denied');
    assert.equal(await codeOf('{ rules: [{ consumers: [acme] }] }', acme), 'allowed');
  });

  it('goes by method and by path, element by element', async () => {
    const options = '{ rules: [{ methods: [GET], path: /orders }] }';
    assert.equal(await codeOf(options, acme, ['GET', '/orders']), 'allowed');
    assert.equal(await codeOf(options, acme, ['GET', '/orders/1']), 'allowed');
    assert.equal(await codeOf(options, acme, ['GET', '/ordersx']), 'access_denied');
    assert.equal(await codeOf(options, acme, ['GET', '/ORDERS']), 'access_denied');
    assert.equal(await codeOf(options, acme, ['POST', '/orders']), 'access_denied');
    assert.equal(await codeOf(options, acme, ['get', '/orders']), 'access_denied');
  });

  it('lets the first rule that fits decide', async () => {
    const options = '{ rules: [{ path: /orders/secret, then: deny }, { path: /orders }] }';
    assert.equal(await codeOf(options, acme, ['GET', '/orders/secret/1']), 'access_denied');
    assert.equal(await codeOf(options, acme, ['GET', '/orders/1']), 'allowed');
  });

  it('refuses members of a denied group whatever the rules say', async () =>
    assert.equal(await codeOf('{ deny: { groups: [partners] }, rules: [{}] }', acme), 'access_denied'));

  it('tells a caller whose scopes do not reach which ones would', async () => {
    const filter = authorize.create(
      filterOptions('authorize', '{ rules: [{ scopes: [orders:write, orders:read] }] }'),
      aFilterEnvironment(),
    );
    assert.deepEqual(await filter.onRequest?.(aRequest({ identity: acme })), {
      code: 'scope_insufficient',
      detail: 'acme has not all of the scopes orders:write orders:read',
      fields: ['www-authenticate', 'Bearer error="insufficient_scope", scope="orders:write orders:read"'],
    });
    assert.equal(await codeOf('{ rules: [{ scopes: [orders:read] }] }', acme), 'allowed');
  });

  it('reads claims, in objects and in lists, and nothing that objects bring along', async () => {
    const claims = { tenant: 'blue', admin: true, realm: { roles: ['clerk', 'boss'] }, 'https://example/team': 'a' };
    const caller = { ...acme, claims };
    const rule = (name: string, ...oneOf: readonly string[]): Promise<string> =>
      codeOf(JSON.stringify({ rules: [{ claims: [{ name, oneOf }] }] }), caller);
    assert.equal(await rule('tenant', 'green', 'blue'), 'allowed');
    assert.equal(await rule('admin', 'true'), 'allowed');
    assert.equal(await rule('realm/roles', 'boss'), 'allowed');
    assert.equal(await rule('https://example/team', 'a'), 'allowed');
    assert.equal(await rule('tenant', 'red'), 'access_denied');
    assert.equal(await rule('realm', '[object Object]'), 'access_denied');
    assert.equal(await rule('constructor/name', 'Object'), 'access_denied');
    assert.equal(await rule('toString', 'x'), 'access_denied');
    assert.equal(await codeOf('{ rules: [{ claims: [{ name: tenant, oneOf: [blue] }] }] }', acme), 'access_denied');
  });

  it('asks conditions, and takes one without a value against the caller', async () => {
    const gold = { ...acme, claims: { tier: 'gold' } };
    const allow = `{ rules: [{ when: "claims.tier == 'gold'" }] }`;
    assert.equal(await codeOf(allow, gold), 'allowed');
    assert.equal(await codeOf(allow, { ...acme, claims: { tier: 'tin' } }), 'access_denied');
    assert.equal(await codeOf(allow, acme), 'access_denied');
    const deny = `{ rules: [{ when: "claims.tier == 'tin'", then: deny }, {}] }`;
    assert.equal(await codeOf(deny, gold), 'allowed');
    assert.equal(await codeOf(deny, acme), 'access_denied');
    const either = `{ rules: [{ when: "claims.tier == 'gold'" }, { groups: [partners] }] }`;
    assert.equal(await codeOf(either, acme), 'allowed');
  });

  it('asks conditions in every reading of the path', async () => {
    const options = filterOptions('authorize', `{ rules: [{ when: "request.path.startsWith('/admin')", then: deny }, {}] }`);
    const filter = authorize.create(options, aFilterEnvironment());
    const verdictOn = (path: string) => filter.onRequest?.(aRequest({ path, pathDoubts: Doubt.DoubleSlash, identity: acme }));
    assert.equal(await verdictOn('//open'), undefined);
    const verdict = await verdictOn('//admin');
    assert.ok(verdict !== undefined && 'code' in verdict && verdict.code === 'access_denied');
  });

  it('counts conditions without a value, and says why in the log', async () => {
    const environment = aFilterEnvironment();
    const filter = authorize.create(filterOptions('authorize', `{ rules: [{ when: "claims.tier == 'gold'" }] }`), environment);
    const verdict = await filter.onRequest?.(aRequest({ path: '/x', identity: acme }));
    assert.ok(verdict !== undefined && 'detail' in verdict);
    assert.equal(verdict.detail, 'no rule lets acme do GET /x; a condition has no value: claims.tier is not there');
    const [told] = environment.meter.takeDelta();
    assert.deepEqual([told?.name, told?.labels, told?.value], ['weir_condition_failures_total', ['shop', 'missing'], 1]);
  });

  it('has its conditions checked with the file', () => {
    assert.deepEqual(filterProblems('authorize', `{ rules: [{}, { when: "clams.tier == 'gold'" }] }`), [
      `routes[0].filters[0].authorize.rules[1].when: at character 1, "clams.tier == 'gold'": there is no "clams"; did you mean "claims"?`,
    ]);
  });
});
