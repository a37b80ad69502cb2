// Answers that browsers take more care of: the fields of securityHeaders, and what cookies lack.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cookies } from '../../../balancer/filter/cookies.ts';
import { securityHeaders } from '../../../balancer/filter/security-headers.ts';
import type { FilterDefinition } from '../../../balancer/filter/filter.ts';
import type { Fields } from '../../../balancer/message/fields.ts';
import { aFilterEnvironment, asRecord } from '../../support/filter-environment.ts';
import { filterOptions, filterProblems } from '../../support/filter-options.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';
import { aRequest } from '../../support/request.ts';

function answered(definition: FilterDefinition, options: string, fields: Fields, scheme: 'http' | 'https' = 'https'): Fields {
  const filter = definition.create(filterOptions(definition.name, options), aFilterEnvironment());
  filter.onResponse?.(aRequest({ scheme }), { status: 200, fields });
  return fields;
}

describe('fields for browsers', () => {
  it('are there without options, and none tells of the software behind', () => {
    assert.deepEqual(answered(securityHeaders, '{}', ['server', 'x/1', 'x-powered-by', 'y']), [
      'x-content-type-options',
      'nosniff',
      'x-frame-options',
      'DENY',
      'referrer-policy',
      'strict-origin-when-cross-origin',
    ]);
  });

  it('leave what the service says, unless they are to stand in its place', () => {
    const own = (): Fields => ['x-frame-options', 'SAMEORIGIN', 'x-frame-options', 'SAMEORIGIN'];
    assert.deepEqual(answered(securityHeaders, '{ frames: deny }', own()).slice(0, 4), own());
    assert.equal(asRecord(answered(securityHeaders, '{ frames: deny, override: true }', own()))['x-frame-options'], 'DENY');
    assert.ok(!answered(securityHeaders, '{ frames: any, contentTypeOptions: false }', []).includes('x-frame-options'));
  });

  it('ask for https only where the request came by it', () => {
    const options = '{ hsts: { includeSubDomains: true, preload: true } }';
    assert.equal(
      asRecord(answered(securityHeaders, options, []))['strict-transport-security'],
      'max-age=31536000; includeSubDomains; preload',
    );
    assert.ok(!answered(securityHeaders, options, [], 'http').includes('strict-transport-security'));
    assert.match(filterProblems('securityHeaders', '{ hsts: { preload: true } }').join(), /with includeSubDomains and 365 days/);
    assert.match(filterProblems('securityHeaders', '{ hsts: { preload: true, includeSubDomains: true, days: 30 } }').join(), /365 days/);
  });

  it('stand on what weir answers itself too', async (t) => {
    const origin = await startOrigin(t, (_request, response) => response.end());
    const filters = [{ addressAccess: { rules: [{ allow: '10.0.0.0/8' }] } }, { securityHeaders: {} }];
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { filters } });
    const denied = await fetch(proxy.url);
    assert.deepEqual([denied.status, denied.headers.get('x-content-type-options')], [403, 'nosniff']);
  });

  it('hold no line ends', () => {
    assert.notEqual(filterProblems('securityHeaders', '{ contentSecurityPolicy: "a\\r\\nb" }').join(), '');
  });
});

describe('cookies of answers', () => {
  const cookie = (options: string, text: string, scheme: 'http' | 'https' = 'https'): string | undefined =>
    answered(cookies, options, ['set-cookie', text], scheme)[1];

  it('get what they lack, and keep what they say', () => {
    assert.equal(cookie('{}', 'a=b; Path=/'), 'a=b; Path=/; Secure; HttpOnly; SameSite=Lax');
    assert.equal(cookie('{}', 'a=b; samesite=None; secure;HTTPONLY'), 'a=b; samesite=None; secure;HTTPONLY');
    assert.equal(
      cookie('{ sameSite: strict }', 'a=secure; path=/httponly; '),
      'a=secure; path=/httponly; Secure; HttpOnly; SameSite=Strict',
    );
    assert.equal(cookie('{ sameSite: keep, httpOnly: false }', 'a'), 'a; Secure');
  });

  it('are not made useless where the client came by http', () => {
    assert.equal(cookie('{}', 'a=b', 'http'), 'a=b; HttpOnly; SameSite=Lax');
  });

  it('may be named to be read by scripts, or to stay as they are', () => {
    assert.equal(cookie('{ readable: [csrf] }', 'csrf=1'), 'csrf=1; Secure; SameSite=Lax');
    assert.equal(cookie('{ except: [csrf] }', 'csrf=1'), 'csrf=1');
    assert.equal(cookie('{ except: [csrf] }', 'xcsrf=1; csrf=2'), 'xcsrf=1; csrf=2; Secure; HttpOnly; SameSite=Lax');
  });

  it('are each looked at, wherever they stand', () => {
    const fields = answered(cookies, '{}', ['set-cookie', 'a=1', 'x', 'y', 'set-cookie', 'b=2; Secure']);
    assert.deepEqual(fields, [
      'set-cookie',
      'a=1; Secure; HttpOnly; SameSite=Lax',
      'x',
      'y',
      'set-cookie',
      'b=2; Secure; HttpOnly; SameSite=Lax',
    ]);
    assert.match(filterProblems('cookies', '{ sameSite: none, secure: false }').join(), /browsers drop cookies/);
  });
});
