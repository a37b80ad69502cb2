// A provider ends sessions from server to server: those that it names and no others, by tokens that are right in every claim, once.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { Browser } from '../../../support/browser.ts';
import { codeOf, startLoginRoute, type LoginRoute } from '../../../support/login-route.ts';
import { aLogoutToken, LOGOUT_EVENT, tellLogout, type LogoutFacts } from '../../../support/logout-token.ts';
import { countOf } from '../../../support/proxy.ts';
import { aKey, aToken } from '../../../support/token-issuer.ts';
import { until } from '../../../support/until.ts';

const PATH = '/login/ended';

const startRoute = (t: TestContext, login: Readonly<Record<string, unknown>> = {}): Promise<LoginRoute> =>
  startLoginRoute(t, { login: { backChannel: PATH, ...login } });

/** A browser that has signed in, in a session that the provider calls so. */
async function signedIn({ url, provider }: LoginRoute, sid: string | null, subject = 'anna'): Promise<Browser> {
  provider.subject = subject;
  provider.claims = sid === null ? {} : { sid };
  const browser = new Browser();
  assert.equal((await browser.visit(url())).status, 200);
  return browser;
}

const statusOf = async (browser: Browser, { url }: LoginRoute): Promise<number> => (await browser.fetch(url())).status;

const told = async ({ url, provider }: LoginRoute, facts: LogoutFacts): Promise<number> =>
  (await tellLogout(url(PATH), await aLogoutToken(provider, facts))).status;

test('the session that is named ends, with every copy of its cookie, and other sessions of the person go on', async (t) => {
  const route = await startRoute(t);
  const [one, other] = [await signedIn(route, 'session 1'), await signedIn(route, 'session 2')];
  const stolen = one.copy();
  const answer = await tellLogout(route.url(PATH), await aLogoutToken(route.provider, { claims: { sid: 'session 1', sub: 'anna' } }));
  assert.deepEqual([answer.status, answer.headers['cache-control'], answer.body], [200, 'no-store', '']);
  assert.deepEqual([await statusOf(one, route), await statusOf(stolen, route), await statusOf(other, route)], [401, 401, 200]);
  await until(() => countOf(route.proxy, 'weir_logins_total', 'all', 'ended_by_provider') === 1, 'it is counted');
});

test('where only the person is named all sessions that had begun end, and who signs in again is in', async (t) => {
  const route = await startRoute(t);
  const [one, unnamed, bert] = [
    await signedIn(route, 'session 1'),
    await signedIn(route, null),
    await signedIn(route, 'session 3', 'bert'),
  ];
  assert.equal(await told(route, { claims: { sub: 'anna' } }), 200);
  assert.deepEqual([await statusOf(one, route), await statusOf(unnamed, route), await statusOf(bert, route)], [401, 401, 200]);
  const again = await signedIn(route, 'session 4');
  assert.equal(await statusOf(again, route), 200);
});

test('of sessions that the provider never named all of the person end, since one of them may be meant', async (t) => {
  const route = await startRoute(t);
  const [unnamed, named] = [await signedIn(route, null), await signedIn(route, 'session 2')];
  assert.equal(await told(route, { claims: { sid: 'session 1' } }), 200);
  assert.deepEqual([await statusOf(unnamed, route), await statusOf(named, route)], [200, 200], 'nobody says whose it is');
  assert.equal(await told(route, { claims: { sid: 'session 1', sub: 'anna' } }), 200);
  assert.deepEqual([await statusOf(unnamed, route), await statusOf(named, route)], [401, 200]);
});

test('a session keeps its name when it is refreshed by an ID token that does not say it', async (t) => {
  const route = await startRoute(t);
  const { provider } = route;
  provider.expiresS = 20;
  const browser = await signedIn(route, 'session 1');
  provider.claims = {};
  provider.expiresS = 300;
  assert.equal(await statusOf(browser, route), 200);
  assert.equal(provider.asked.at(-1)?.['grant_type'], 'refresh_token');
  assert.equal(await told(route, { claims: { sid: 'session 1' } }), 200);
  assert.equal(await statusOf(browser, route), 401);
});

test('a token is good once: told again it is answered, and ends nothing that has begun since', async (t) => {
  const route = await startRoute(t);
  await signedIn(route, 'session 1');
  const token = await aLogoutToken(route.provider, { claims: { sub: 'anna' } });
  assert.equal((await tellLogout(route.url(PATH), token)).status, 200);
  const later = await signedIn(route, 'session 2');
  assert.equal((await tellLogout(route.url(PATH), token)).status, 200);
  assert.equal(await statusOf(later, route), 200);
  await until(() => countOf(route.proxy, 'weir_logins_total', 'all', 'logout_repeated') === 1, 'it is counted');
});

test('what is wrong in any one thing ends nothing', async (t) => {
  const route = await startRoute(t);
  const { provider, url } = route;
  const browser = await signedIn(route, 'session 1');
  const nowS = Math.floor(Date.now() / 1000);
  const event = { [LOGOUT_EVENT]: {} };
  const bad: Readonly<Record<string, LogoutFacts>> = {
    'of another issuer': { claims: { iss: 'https://evil.example' } },
    'for another client': { claims: { aud: 'another' } },
    'for nobody': { claims: { aud: undefined } },
    'signed by somebody else': { key: { ...aKey('ES256'), keyId: provider.key.keyId } },
    'signed by another algorithm': { key: aKey('EdDSA') },
    over: { claims: { exp: nowS - 61 } },
    'without an end': { claims: { exp: undefined } },
    'of the future': { claims: { iat: nowS + 120 } },
    'too old': { claims: { iat: nowS - 700 } },
    'without a time': { claims: { iat: undefined } },
    'without an id': { claims: { jti: undefined } },
    'with an empty id': { claims: { jti: '' } },
    'with an id that is no text': { claims: { jti: 7 } },
    'with a nonce, as ID tokens have': { claims: { nonce: 'n' } },
    'without an event': { claims: { events: undefined } },
    'with another event': { claims: { events: { 'http://schemas.openid.net/event/other': {} } } },
    'with an event that is no object': { claims: { events: { [LOGOUT_EVENT]: true } } },
    'with an event that is a list': { claims: { events: { [LOGOUT_EVENT]: [] } } },
    'with events as a list': { claims: { events: [LOGOUT_EVENT] } },
    'with an inherited event': { claims: { events: JSON.parse(`{"__proto__":${JSON.stringify(event)}}`) as object } },
    'of another kind': { header: { typ: 'at+jwt' } },
    'that names nobody': { claims: { sub: undefined, sid: undefined } },
    'of an empty person': { claims: { sub: '', sid: 'session 1' } },
    'of a session that is no text': { claims: { sid: ['session 1'] } },
  };
  for (const [what, facts] of Object.entries(bad)) {
    const named = { sid: 'session 1', sub: 'anna', ...facts.claims };
    const page = await tellLogout(url(PATH), await aLogoutToken(provider, { ...facts, claims: named }));
    assert.deepEqual([page.status, codeOf(page), page.headers['cache-control']], [400, 'logout_failed', 'no-store'], what);
  }
  const idToken = String(provider.given['id_token']);
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${idToken.split('.')[1]}.`;
  for (const token of [idToken, unsigned, '', 'a.b', 'x'.repeat(20_000)])
    assert.equal((await tellLogout(url(PATH), token)).status, 400, token.slice(0, 20));
  assert.equal(await statusOf(browser, route), 200);
});

test('only a form with one token is read, and no more of it than a token needs', async (t) => {
  const route = await startRoute(t);
  const { url, provider, service } = route;
  const browser = await signedIn(route, 'session 1');
  const token = await aLogoutToken(provider, { claims: { sub: 'anna' } });
  const seen = service.requests.length;
  const ask = (body: string, type = 'application/x-www-form-urlencoded') =>
    new Browser().ask(url(PATH), { method: 'POST', headers: { 'content-type': type }, body });
  for (const page of [await ask(''), await ask(`logout_token=${token}&logout_token=${token}`), await ask(`token=${token}`)])
    assert.deepEqual([page.status, codeOf(page)], [400, 'logout_failed']);
  assert.equal((await ask(JSON.stringify({ logout_token: token }), 'application/json')).status, 400);
  assert.equal((await ask(`a=${'x'.repeat(40_000)}`)).status, 413);
  assert.equal(await statusOf(browser, route), 200);
  assert.equal((await ask(`logout_token=${token}`, 'Application/x-www-form-urlencoded; charset=utf-8')).status, 200);
  assert.equal(await statusOf(browser, route), 401);
  assert.equal(service.requests.length, seen + 1, 'the service has seen nothing of it');
});

test('a body that comes in pieces without a length is read whole, and one that is too long is refused on the way', async (t) => {
  const route = await startRoute(t);
  const token = await aLogoutToken(route.provider, { claims: { sub: 'anna' } });
  const post = (pieces: readonly string[]): Promise<Response> => {
    const body = ReadableStream.from(pieces.map((piece) => Buffer.from(piece)));
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return fetch(route.url(PATH), { method: 'POST', headers, body, duplex: 'half' });
  };
  const answer = await post(['logout_', 'token=', token.slice(0, 50), token.slice(50)]);
  assert.equal(answer.status, 200);
  assert.equal((await post(Array.from({ length: 50 }, () => 'x'.repeat(1000)))).status, 413);
});

test('logout tokens end no sessions of another client of the same provider', async (t) => {
  const route = await startRoute(t);
  const browser = await signedIn(route, 'session 1');
  const other = await startLoginRoute(t, { login: { backChannel: PATH, client: 'another' }, keys: route.keys }, route.provider);
  const token = await aToken(route.provider.key, {
    ...{ iss: route.provider.issuer, aud: 'another', iat: Math.floor(Date.now() / 1000), jti: 'one', sub: 'anna', sid: 'session 1' },
    events: { [LOGOUT_EVENT]: {} },
  });
  assert.equal((await tellLogout(other.url(PATH), token)).status, 200);
  assert.equal(await statusOf(browser, route), 200);
});

test('without the option the path is a page like any other', async (t) => {
  const route = await startLoginRoute(t);
  const browser = await signedIn(route, 'session 1');
  const page = await tellLogout(route.url(PATH), await aLogoutToken(route.provider, { claims: { sub: 'anna' } }));
  assert.deepEqual([page.status, codeOf(page)], [401, 'credentials_missing']);
  assert.equal(await statusOf(browser, route), 200);
});
