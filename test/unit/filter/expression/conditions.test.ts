// Conditions in CEL: what they say of a request, what has no value, and that none of them can take long.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileCondition } from '../../../../balancer/filter/expression/condition.ts';
import { CONDITION_EXAMPLES } from '../../../../balancer/filter/expression/conditions-page.ts';
import { FUNCTIONS } from '../../../../balancer/filter/expression/functions.ts';
import { AskedRequest, REQUEST_VARIABLES } from '../../../../balancer/filter/expression/request-variables.ts';
import { Failed } from '../../../../balancer/filter/expression/values.ts';
import type { Identity } from '../../../../balancer/message/identity.ts';
import type { CanonicalRequest } from '../../../../balancer/message/request.ts';
import { aRequest } from '../../../support/request.ts';

const NOON = Date.parse('2026-03-04T12:30:00Z');

const anna: Identity = {
  consumer: 'anna',
  method: 'jwt',
  credential: '',
  groups: ['staff', 'night'],
  scopes: ['orders:read'],
  claims: { tier: 'gold', level: 3, admin: true, score: 2.5, nothing: null, realm: { roles: ['clerk', 'boss'] }, exp: NOON / 1000 + 60 },
};

function asked(facts: Partial<CanonicalRequest> = {}, identity = anna): AskedRequest {
  const request = aRequest({
    ...{ method: 'GET', path: '/orders/7', query: 'page=2&name=a%20b&twice=1&twice=2', clientAddress: '10.1.2.3' },
    ...{ fields: ['x-tenant', 'blue', 'accept', 'text/html', 'accept', 'text/plain'], ...facts },
  });
  return new AskedRequest(request, request, { identity, tags: ['eu', 'vip'], wallMs: NOON });
}

/** True, false, or why there is no value. */
function said(expression: string, of = asked()): boolean | string {
  const condition = compileCondition(expression, REQUEST_VARIABLES);
  assert.ok(condition.ok, condition.ok ? '' : condition.problem);
  const value = condition.holds(of);
  return value instanceof Failed ? value.reason : value;
}

function problem(expression: string): string {
  const condition = compileCondition(expression, REQUEST_VARIABLES);
  assert.ok(!condition.ok, `${expression} was taken`);
  return condition.problem;
}

describe('a condition', () => {
  const HOLD = [
    'request.method == "GET" && request.path.startsWith("/orders/")',
    'request.headers["x-tenant"] == "blue" && request.headers.accept == "text/html, text/plain"',
    'request.query.page == "2" && request.query["name"] == "a b"',
    'int(request.query.page) + 1 == 3',
    'request.query.page in ["1", "2"] && !("size" in request.query)',
    'cidr("10.0.0.0/8").containsIP(client.address) && !cidr("10.2.0.0/16").containsIP(client.address)',
    'consumer.name == "anna" && "staff" in consumer.groups && "vip" in consumer.tags && consumer.method == "jwt"',
    '"orders:read" in scopes',
    'claims.tier == "gold" && claims["tier"] != "silver" && claims.level >= 3 && claims.score < 2.6',
    'claims.admin == true && claims.nothing == null',
    '"boss" in claims.realm.roles && claims.realm.roles[1] == "boss" && size(claims.realm.roles) == 2',
    'has(claims.tier) && !has(claims.nobody) && has(claims.nothing)',
    'claims.realm.roles.exists(role, role.startsWith("b")) && consumer.groups.all(group, size(group) > 2)',
    'consumer.groups.exists_one(group, group == "staff")',
    'consumer.groups.filter(group, group != "staff") == ["night"] && [1, 2].map(n, n * 2) == [2, 4]',
    'claims.exists(name, name == "tier")',
    'timestamp(claims.exp) - request.time == duration("1m") && request.time < timestamp("2030-01-01T00:00:00Z")',
    'request.time.getHours() == 12 && request.time.getHours("Europe/Berlin") == 13 && request.time.getDayOfWeek() == 3',
    'request.path.matches("^/orders/[0-9]+$") && request.path.matches("rd") && !request.path.matches("^rd")',
    'request.method == "GET" ? claims.level > 1 : false',
    '"Grün".size() == 4 && "a\\u0062" == "ab" && r"a\\d" == "a\\\\d" && \'x\' + "y" == """xy"""',
    '7 / 2 == 3 && -7 / 2 == -3 && 7 % 4 == 3 && 0x10 == 16 && 1.5 + 1.5 == 3.0 && 2 < 2.5',
    '"ABC".lowerAscii() == "abc" && string(claims.level) == "3" && double("1.5") == 1.5 // and so on',
    '[[1, 2], [3]] == [[1, 2], [3]] && [1] != [2]',
    'claims.level == 3.0 && claims.tier != 3',
  ];
  for (const expression of HOLD) it(`holds: ${expression}`, () => assert.equal(said(expression), true));

  it('can be every one of the page, and call all that the page calls', () => {
    for (const [expression] of CONDITION_EXAMPLES) assert.ok(said(expression) !== 'type', expression);
    for (const { example, result } of FUNCTIONS) said(result.kind === 'bool' ? example : `${example} == ${example}`);
  });

  it('has no value where what it compares is not there, whichever way it is turned', () => {
    for (const expression of ['claims.nobody == "x"', 'claims.nobody != "x"', '!(claims.nobody == "x")', 'claims.realm.none.more == 1'])
      assert.equal(said(expression), 'missing', expression);
    assert.equal(said('request.headers["x-none"] == ""'), 'missing');
    assert.equal(said('claims.realm.roles[2] == "x"'), 'missing');
  });

  it('is decided by one side alone where that is enough', () => {
    assert.equal(said('claims.nobody == "x" || true'), true);
    assert.equal(said('claims.nobody == "x" && false'), false);
    assert.equal(said('claims.nobody == "x" && true'), 'missing');
    assert.equal(said('claims.realm.roles.exists(role, role == "boss" || role.none == 1)'), true);
  });

  it('takes nothing for a claim that objects bring along', () => {
    for (const name of ['constructor', '__proto__', 'toString']) {
      assert.equal(said(`has(claims.${name})`), false, name);
      assert.equal(said(`"${name}" in claims.realm`), false, name);
      assert.equal(said(`request.query["${name}"] == ""`), 'missing', name);
    }
  });

  it('has no value for what is of another type than it wants', () => {
    assert.equal(said('claims.tier > 3'), 'type');
    assert.equal(said('claims.level.more == 1'), 'type');
    assert.equal(said('claims.level.startsWith("3")'), 'type');
    assert.equal(said('claims.tier && true'), 'type');
    assert.equal(said('int(claims.tier) == 1'), 'value');
    assert.equal(said('1 / (claims.level == 3 ? 0 : 1) == 1'), 'value');
    assert.equal(said('9007199254740991 + 1 > 0'), 'value');
  });

  it('has no value for a parameter that stands there twice', () => {
    assert.equal(said('request.query.twice == "1"'), 'value');
    assert.equal(said('has(request.query.twice)'), true);
  });

  it('ends where it takes too long, whatever the token is like', () => {
    const many = { ...anna, claims: { all: Array.from({ length: 5000 }, (_, index) => index) } };
    const nested = 'claims.all.all(a, claims.all.all(b, claims.all.all(c, a + 0 != b - 1 || c != a)))'.replaceAll(
      /([abc]) ([+-]) /g,
      'int($1) $2 ',
    );
    const before = performance.now();
    assert.equal(said(nested, asked({}, many)), 'cost');
    // Some 10,000 steps; the bound is three hundred times what they take on an idle machine.
    assert.ok(performance.now() - before < 300);
    assert.equal(said('claims.all == claims.all && claims.all == claims.all && claims.all == claims.all', asked({}, many)), 'cost');
  });
});

describe('what is no condition', () => {
  const PROBLEMS: readonly (readonly [string, RegExp])[] = [
    ['clams.tier == "gold"', /^at character 1, "clams\.tier == \\"gold\\"": there is no "clams"; did you mean "claims"\?$/],
    ['request.methd == "GET"', /^at character 1, .*there is no "request\.methd"; did you mean "request\.method"\?/],
    ['request == "GET"', /"request" is no value of its own; expected one of request\.method, /],
    ['request.method == 5', /^at character 1, .*== has a string before it and a int behind it; they can never be equal/],
    ['true && request.method', /^at character 1, .*&& joins conditions, and one side is a string; compare it/],
    ['request.method', /expected a condition, which is true or false, and this is a string/],
    ['claims.admin', /nothing says that this is true or false; compare it/],
    ['request.method = "GET"', /^at character 16, "= \\"GET\\"": "=" means nothing here; equality is ==/],
    ['request.path.matches("(a")', /^at character 22, .*"\(" at 0 is not closed/],
    ['request.path.matches(claims.p)', /^at character 22, .*the pattern of matches must stand there as text/],
    ['"a".matches("(?=a)")', /looking ahead or behind cannot be matched in linear time/],
    ['request.path.startWith("/a")', /there is no method "startWith"; did you mean "startsWith"\?/],
    ['startsWith("a", "b")', /"startsWith" is called another way: request\.path\.startsWith/],
    ['request.path.startsWith(1)', /startsWith does not take string, int; for example/],
    ['claims.level + 1 == 2', /say what it is: int\(…\), double\(…\), string\(…\)/],
    ['cidr("10.0.0.0/33").containsIP(client.address)', /^at character 6, .*is no network; expected for example 10\.0\.0\.0\/8/],
    ['cidr("10.0.0.0/8") == 1', /a network is only asked whether it holds an address/],
    ['[1, 2].exists(1, true)', /exists is called on a list, with a name for its elements/],
    ['has(request.method)', /"request" is no value of its own/],
    ['{"a": 1} == {"a": 1}', /mappings cannot be written here/],
    ['b"a" == b"a"', /values of bytes are not supported/],
    ['1u == 1u', /unsigned numbers are not supported; leave the u away/],
    ['"open', /^at character 1, "\\"open": the text is not closed/],
    ['"\\q" == "q"', /is no escape/],
    ['(true', /^at its end: expected \) behind what stands in parentheses/],
    ['true false', /^at character 6, "false": the expression is complete before this/],
    ['', /^at its end: something is missing here: a value/],
    ['1 in 2', /in has a int before it and a int behind it/],
    ['9007199254740993 > 1', /the number is too large/],
    [`${'('.repeat(60)}true${')'.repeat(60)}`, /parts are nested deeper than 40/],
    [`${'!'.repeat(60)}true`, /parts are nested deeper than 40/],
    [Array.from({ length: 400 }, () => 'true').join(' && '), /it has more than 500 parts/],
    [`"${'x'.repeat(5000)}" == "x"`, /it is 5009 characters long; expected at most 4096/],
    ['if == 1', /"if" is a word of the language/],
  ];
  for (const [expression, expected] of PROBLEMS)
    it(`is refused, with its place: ${expression.slice(0, 60)}`, () => assert.match(problem(expression), expected));
});
