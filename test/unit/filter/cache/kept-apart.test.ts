// Whose answer a stored one is: by URL, by what the answer varies by, by caller, and by whatever else the service is told.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Identity } from '../../../../balancer/message/identity.ts';
import type { CanonicalRequest } from '../../../../balancer/message/request.ts';
import { CachedRoute, type ServiceAnswer } from '../../../support/cached-route.ts';

type Facts = Partial<CanonicalRequest>;
const PUBLIC: ServiceAnswer = { fields: ['cache-control', 'public, max-age=60'] };

/** Whether what `first` was answered is served to `second`. */
function isShared(first: Facts, second: Facts, answer = PUBLIC, options = '{}'): boolean {
  const route = new CachedRoute(options);
  route.ask(first, answer);
  return route.ask(second, answer).stored;
}

const identity = (facts: Partial<Identity> = {}): Facts => ({
  identity: { ...{ consumer: 'acme', method: 'jwt', credential: '', groups: [], scopes: [], claims: null }, ...facts },
});
const varying = (names: string): ServiceAnswer => ({ fields: [...(PUBLIC.fields ?? []), 'vary', names] });

describe('a stored answer is served for', () => {
  it('the same URL and no other', () => {
    assert.ok(isShared({ path: '/a', query: 'x=1', hasQuery: true }, { path: '/a', query: 'x=1', hasQuery: true }));
    const others: Facts[] = [
      { path: '/b' },
      { scheme: 'https' },
      { authority: 'shop.example:8080' },
      { query: 'x=2', hasQuery: true },
      { hasQuery: true },
    ];
    for (const other of others) assert.ok(!isShared({}, other), JSON.stringify(other));
  });

  it('requests that say the same under the names of vary', () => {
    const speaking = (...fields: string[]): Facts => ({ fields });
    const german = speaking('accept-language', 'de, en');
    assert.ok(isShared(german, speaking('accept-language', 'de,en'), varying('Accept-Language')));
    assert.ok(isShared(german, speaking('accept-language', 'de', 'accept-language', 'en'), varying('Accept-Language')));
    assert.ok(!isShared(german, speaking('accept-language', 'en'), varying('Accept-Language')));
    assert.ok(!isShared(german, {}, varying('x-a, Accept-Language')));
    assert.ok(!isShared(speaking('x-a', ''), {}, varying('x-a')));
    assert.ok(isShared(speaking('accept-encoding', 'gzip, BR'), speaking('accept-encoding', 'gzip,br'), varying('accept-encoding')));
  });

  it('each of several requests that differ', () => {
    const route = new CachedRoute();
    for (const language of ['de', 'en', 'fr'])
      route.ask({ fields: ['accept-language', language] }, { ...varying('accept-language'), body: [language] });
    for (const language of ['de', 'en', 'fr']) assert.equal(route.ask({ fields: ['accept-language', language] }).body, language);
    assert.equal(route.ask({ fields: ['accept-language', 'it'] }).fields['cache-status'], 'weir; fwd=vary-miss');
  });

  it('nobody, where it varies by everything or by what is another one each time', () => {
    for (const names of ['*', 'accept, *', 'X-Forwarded-For', 'forwarded']) assert.ok(!isShared({}, {}, varying(names)), names);
    assert.ok(isShared({}, {}, varying('x-forwarded-proto, host')));
  });

  it('one caller, unless the file says that they are all alike', () => {
    assert.ok(isShared(identity(), identity(), PUBLIC));
    const others: Facts[] = [
      {},
      identity({ consumer: 'globex' }),
      identity({ groups: ['partners'] }),
      identity({ scopes: ['orders:read'] }),
      identity({ claims: { iss: 'https://id.example', sub: 'u1' } }),
    ];
    for (const other of others) {
      assert.ok(!isShared(identity(), other), JSON.stringify(other));
      assert.ok(!isShared(other, identity()), JSON.stringify(other));
      assert.ok(isShared(identity(), other, PUBLIC, '{ callers: together }'));
    }
  });

  it('nobody, where a token names nobody', () => {
    const nameless = identity({ consumer: '', claims: { iss: 'https://id.example' } });
    assert.ok(!isShared(nameless, nameless));
    assert.ok(isShared(nameless, nameless, PUBLIC, '{ callers: together }'));
  });

  it('one certificate of which the service is told', () => {
    const proved = (fingerprint: string, told: string[]): Facts => ({
      clientCertificate: { subject: 'CN=a', alternativeNames: [], fingerprint, told },
    });
    const told = ['client-cert', ':AAAA:'];
    assert.ok(isShared(proved('a', told), proved('a', told)));
    assert.ok(!isShared(proved('a', told), proved('b', told)));
    assert.ok(isShared(proved('a', []), proved('b', [])));
    assert.ok(!isShared(proved('a', told), proved('a', told), { fields: ['cache-control', 'max-age=60'] }));
  });

  it('what the service sees in place of what was asked', () => {
    const rewritten = (target: string): Facts => ({ rewritten: { target, host: '' } });
    assert.ok(isShared(rewritten('/users/1'), rewritten('/users/1')));
    assert.ok(!isShared(rewritten('/users/1'), rewritten('/users/2')));
  });

  it('the same URL as a trusted peer tells it, so that no answer is poisoned by it', () => {
    const told = (...fields: string[]): Facts => ({ peerTrusted: true, fields });
    const clean = told('x-forwarded-for', '192.0.2.1', 'forwarded', 'for=192.0.2.1;host=shop.example');
    assert.ok(isShared(clean, told('x-forwarded-for', '192.0.2.2', 'forwarded', 'for=192.0.2.2;host=shop.example')));
    const poison = [
      ['x-forwarded-host', 'evil.example'],
      ['x_forwarded_host', 'evil.example'],
      ['x-forwarded-prefix', '/evil'],
      ['x-original-url', '/admin'],
      ['x-rewrite-url', '/admin'],
      ['forwarded', 'for=192.0.2.1;host=evil.example'],
    ];
    for (const fields of poison) assert.ok(!isShared(told(...fields), clean), fields.join());
  });
});
