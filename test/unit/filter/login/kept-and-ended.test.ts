// Sessions over time: refreshed before their access token ends, once; over when the provider says so; signed out by the own pages only.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Browser, type Page } from '../../../support/browser.ts';
import { codeOf, seenBy, startLoginRoute, type LoginRoute } from '../../../support/login-route.ts';
import { CLIENT } from '../../../support/oidc-provider.ts';
import { countOf } from '../../../support/proxy.ts';
import { aToken } from '../../../support/token-issuer.ts';
import { until } from '../../../support/until.ts';

const SESSION = 'weir_session';
const OUT = 'weir_session.out';
const refreshes = ({ provider }: LoginRoute): number => provider.asked.filter((form) => form['grant_type'] === 'refresh_token').length;

test('an access token that is about to end is replaced, once for all requests that come meanwhile and bring the one before', async (t) => {
  const route = await startLoginRoute(t, { login: { forward: { accessToken: 'x-access-token' } } });
  const { browser, url, provider, proxy } = route;
  provider.expiresS = 20;
  await browser.visit(url());
  const [first, before] = [String(provider.given['access_token']), refreshes(route)];
  provider.expiresS = 300;
  const copies = Array.from({ length: 8 }, () => browser.copy());
  const pages = await Promise.all(copies.map((copy) => copy.fetch(url())));
  const second = String(provider.given['access_token']);
  assert.notEqual(second, first);
  assert.deepEqual(new Set(pages.map((page) => seenBy(page)['x-access-token'])), new Set([second]));
  assert.equal(seenBy(await browser.fetch(url()))['x-access-token'], second, 'one that comes late');
  assert.equal(refreshes(route), before + 1);
  assert.equal(seenBy(await browser.fetch(url()))['x-access-token'], second, 'by the cookie it has now');
  assert.equal(refreshes(route), before + 1);
  await until(() => countOf(proxy, 'weir_logins_total', 'all', 'refreshed') === before + 1, 'it is counted');
});

test('what a refresh says of the person holds from then on; that of another person ends the session', async (t) => {
  const { browser, url, provider } = await startLoginRoute(t, { login: { forward: { claims: { 'x-role': 'role' } } } });
  provider.expiresS = 20;
  provider.claims = { role: 'clerk' };
  assert.equal(seenBy(await browser.visit(url()))['x-role'], 'clerk');
  provider.claims = { role: 'boss' };
  assert.equal(seenBy(await browser.fetch(url()))['x-role'], 'boss');
  provider.subject = 'mallory';
  const page = await browser.fetch(url());
  assert.deepEqual([page.status, codeOf(page), browser.names], [401, 'credentials_missing', []]);
});

test('what the provider says besides the ID token is asked for where the file says so, with each refresh anew', async (t) => {
  const login = { userInfo: true, forward: { claims: { 'x-mail': 'email', 'x-user': 'sub' } } };
  const { browser, url, provider } = await startLoginRoute(t, { login, issuer: { groupsClaim: 'roles' } });
  provider.info = { roles: ['clerk'], email: 'of the info' };
  provider.claims = { email: 'of the token' };
  const told = ({ body }: Page): readonly unknown[] => ['x-consumer-groups', 'x-mail', 'x-user'].map((name) => seenBy({ body })[name]);
  assert.deepEqual(told(await browser.visit(url())), ['partners,clerk', 'of the token', 'anna']);
  assert.deepEqual(told(await browser.fetch(url())), ['partners,clerk', 'of the token', 'anna']);
  provider.expiresS = 20;
  const short = new Browser();
  await short.visit(url());
  provider.info = { roles: ['boss'] };
  assert.deepEqual(told(await short.fetch(url())), ['partners,boss', 'of the token', 'anna']);
  provider.info = { roles: ['guest'] };
  provider.answer = { id_token: undefined };
  assert.deepEqual(told(await short.fetch(url())), ['partners,guest', 'of the token', 'anna'], 'without another ID token too');
  provider.answer = {};
  provider.info = { sub: 'mallory' };
  assert.deepEqual([(await short.fetch(url())).status, short.names], [401, []]);
  assert.equal(codeOf(await new Browser().visit(url())), 'login_failed', 'what is said of another person');
});

test('where the provider has no place for it nobody signs in', async (t) => {
  const { browser, url } = await startLoginRoute(t, { login: { userInfo: true } });
  assert.equal(codeOf(await browser.visit(url())), 'login_failed');
});

test('a refresh may bring no other ID token and no other refresh token', async (t) => {
  const route = await startLoginRoute(t, { login: { forward: { claims: { 'x-user': 'sub' } } } });
  const { browser, url, provider } = route;
  provider.expiresS = 20;
  await browser.visit(url());
  const before = refreshes(route);
  provider.answer = { id_token: undefined, refresh_token: undefined };
  assert.equal(seenBy(await browser.fetch(url()))['x-user'], 'anna');
  assert.equal(seenBy(await browser.fetch(url()))['x-user'], 'anna');
  assert.equal(refreshes(route), before + 1, 'the same refresh token was used a moment ago');
});

test('who is locked out at the provider is signed out here: scripts hear it, and pages lead to sign in', async (t) => {
  const { browser, url, provider, proxy } = await startLoginRoute(t);
  provider.expiresS = 20;
  await browser.visit(url());
  provider.lockOut();
  const other = browser.copy();
  const page = await browser.fetch(url());
  assert.deepEqual([page.status, codeOf(page), browser.names], [401, 'credentials_missing', []]);
  const begun = await other.step(url());
  assert.deepEqual([begun.status, other.names], [302, []]);
  await until(() => countOf(proxy, 'weir_logins_total', 'all', 'refresh_refused') === 1, 'it is counted');
});

test('a provider that does not answer ends no session before the access token ends, and then nobody is sent away', async (t) => {
  const { browser, url, provider } = await startLoginRoute(t);
  provider.expiresS = 20;
  await browser.visit(url());
  const valid = browser.copy();
  provider.expiresS = 0;
  await browser.fetch(url());
  provider.away = (response) => void response.writeHead(503).end();
  assert.equal((await valid.copy().fetch(url('/?valid'))).status, 200);
  const page = await browser.fetch(url());
  assert.deepEqual([page.status, codeOf(page), page.headers['retry-after']], [503, 'authentication_unavailable', '5']);
  assert.deepEqual(browser.names, [SESSION]);
  provider.away = null;
  provider.expiresS = 300;
  await until(async () => (await browser.fetch(url())).status === 200, 'it goes on when the provider is back');
});

test('with refresh: false no refresh token is kept, and where the cluster gets the access token a session ends with it', async (t) => {
  const route = await startLoginRoute(t, { login: { refresh: false } });
  route.provider.expiresS = 0;
  await route.browser.visit(route.url());
  assert.equal((await route.browser.fetch(route.url())).status, 200);
  assert.equal(refreshes(route), 0);
  const told = await startLoginRoute(t, { login: { refresh: false, forward: { accessToken: 'x-access-token' } } });
  told.provider.expiresS = 1;
  await told.browser.visit(told.url());
  await until(async () => (await told.browser.fetch(told.url())).status === 401, 'it has ended');
});

test('signing out drops the session and leads over the provider, which hears whom it is about, back to the page of the file', async (t) => {
  const { browser, url, provider } = await startLoginRoute(t, {
    login: { afterLogout: '/bye' },
    moreRoutes: [{ match: { path: '/bye' } }],
  });
  await browser.visit(url());
  const idToken = String(provider.given['id_token']);
  const page = await browser.visit(url('/logout'), 'same-origin');
  assert.deepEqual([page.status, page.url.pathname, browser.names], [200, '/bye', [OUT]]);
  const asked = provider.visits.at(-1)?.searchParams;
  const said = ['id_token_hint', 'client_id', 'post_logout_redirect_uri'].map((name) => asked?.get(name));
  assert.deepEqual(said, [idToken, CLIENT, url('/bye')]);
  assert.equal((await browser.fetch(url())).status, 401);
});

test('an answer that was under way while somebody signed out does not bring the session back', async (t) => {
  const { browser, url } = await startLoginRoute(t);
  await browser.visit(url());
  const late = browser.cookies.get(SESSION);
  await browser.step(url('/logout'), 'same-origin');
  assert.ok(late !== undefined);
  browser.cookies.set(SESSION, late);
  assert.equal((await browser.fetch(url())).status, 401);
  assert.equal((await browser.visit(url())).status, 200, 'who signs in again is in');
  assert.deepEqual(browser.names, [SESSION]);
});

test('who has no session can sign out all the same, and where the provider has no place for it, or is away, here alone', async (t) => {
  const { url, provider } = await startLoginRoute(t);
  provider.document = { end_session_endpoint: undefined };
  const page = await new Browser().step(url('/logout'), 'same-origin');
  assert.deepEqual([page.status, page.headers.location], [303, url('/')]);
  const away = await startLoginRoute(t);
  away.provider.away = (response) => void response.destroy();
  away.browser.keep(`${SESSION}=1.old; Path=/`, false);
  const other = await away.browser.step(away.url('/logout'), 'same-origin');
  assert.deepEqual([other.status, other.headers.location, away.browser.names], [303, away.url('/'), [OUT]]);
});

test('nobody is signed out by a page of another site', async (t) => {
  const { browser, url } = await startLoginRoute(t);
  await browser.visit(url());
  const own = new URL(url()).origin;
  const attempts: Readonly<Record<string, Parameters<Browser['ask']>[1]>> = {
    'a link of another site': { headers: { 'sec-fetch-site': 'cross-site', referer: `${own}/` } },
    'a page of another host of the site': { headers: { 'sec-fetch-site': 'same-site', origin: own } },
    'a form of another site': { method: 'POST', headers: { origin: 'https://evil.example' } },
    'a form that hides where it is from': { method: 'POST', headers: { origin: 'null', referer: `${own}/` } },
    'a link in an old browser': { headers: { referer: 'https://evil.example/' } },
    'a link to a host that begins alike': { headers: { referer: `${own}.evil.example/` } },
    'a picture that says nothing': {},
  };
  for (const [what, wish] of Object.entries(attempts)) {
    const page = await browser.ask(url('/logout'), wish);
    assert.deepEqual([page.status, codeOf(page), page.headers['set-cookie']], [403, 'cross_origin', undefined], what);
  }
  assert.equal((await browser.fetch(url())).status, 200);
  const ways: readonly Parameters<Browser['ask']>[1][] = [
    { method: 'POST', headers: { 'sec-fetch-site': 'same-origin' }, body: 'a=b' },
    { headers: { 'sec-fetch-site': 'none' } },
    { method: 'POST', headers: { origin: own } },
    { headers: { referer: `${own}/cart` } },
  ];
  for (const wish of ways) assert.equal((await browser.copy().ask(url('/logout'), wish)).status, 303);
});

test('until the provider was heard of, nobody is led anywhere: 503, and it is asked again', async (t) => {
  const { browser, url, provider, proxy } = await startLoginRoute(t);
  const bad: readonly (() => void)[] = [
    () => (provider.away = (response) => void response.writeHead(404).end()),
    () => (provider.away = (response) => void response.end('<html>')),
    () => (provider.away = (response) => void response.end('x'.repeat(100_000))),
    () => (provider.document = { issuer: 'https://evil.example' }),
    () => (provider.document = { authorization_endpoint: 'javascript:alert(1)' }),
    () => (provider.document = { authorization_endpoint: 'http://login.example/authorize' }),
    () => (provider.document = { token_endpoint: undefined }),
    () => (provider.document = { token_endpoint: 7 }),
  ];
  for (const [index, change] of bad.entries()) {
    [provider.away, provider.document] = [null, {}];
    change();
    const page = await browser.step(url());
    assert.deepEqual([page.status, codeOf(page), page.headers['retry-after']], [503, 'authentication_unavailable', '5'], `${index}`);
  }
  [provider.away, provider.document] = [null, {}];
  assert.equal((await browser.visit(url())).status, 200);
  await until(() => countOf(proxy, 'weir_logins_total', 'all', 'unavailable') === bad.length, 'each is counted');
  const before = provider.documentsRead;
  await new Browser().visit(url());
  assert.equal(provider.documentsRead, before, 'it is remembered');
});

test('a provider that is lost while a code is changed for tokens is no fault of the person', async (t) => {
  const { browser, url, provider } = await startLoginRoute(t);
  const begun = await browser.step(url('/cart'));
  const back = await browser.step(begun.headers.location ?? '');
  provider.away = (response) => void response.writeHead(500).end();
  const page = await browser.step(back.headers.location ?? '');
  assert.deepEqual([page.status, codeOf(page), browser.cookies.size], [503, 'authentication_unavailable', 0]);
});

test('an answer that anybody may keep is not kept with a session in it', async (t) => {
  const route = await startLoginRoute(t, { filters: [{ headers: { response: { set: { 'cache-control': 'public, max-age=60' } } } }] });
  route.provider.expiresS = 20;
  await route.browser.visit(route.url());
  const renewed = await route.browser.fetch(route.url());
  assert.ok(renewed.headers['set-cookie'] !== undefined);
  assert.equal(renewed.headers['cache-control'], 'private');
});

test('beside authenticate a session is one of the ways in: who has none may show a token, and a browser that shows nothing signs in', async (t) => {
  const filters = [{ authenticate: { jwt: { issuers: ['staff'] }, key: {} } }, { authorize: { rules: [{ groups: ['partners'] }] } }];
  const { browser, url, provider, proxy } = await startLoginRoute(t, { filters });
  const nowS = Math.floor(Date.now() / 1000);
  const token = await aToken(provider.key, { iss: provider.issuer, sub: 'anna', exp: nowS + 60 });
  const program = new Browser();
  const bearing = { authorization: `Bearer ${token}` };
  const seen = seenBy(await program.fetch(url(), { headers: bearing }));
  assert.deepEqual([seen['x-consumer'], seen['authorization']], ['acme', `Bearer ${token}`]);
  assert.equal((await program.ask(url(), { headers: { ...bearing, accept: 'text/html', 'sec-fetch-mode': 'navigate' } })).status, 200);
  const missing = await program.fetch(url());
  assert.deepEqual([missing.status, codeOf(missing), missing.headers.location], [401, 'credentials_missing', undefined]);
  assert.match(String(missing.headers['www-authenticate']), /Bearer/);
  const wrong = await program.ask(url(), { headers: { authorization: 'Bearer x', accept: 'text/html' } });
  assert.equal(codeOf(wrong), 'credentials_invalid', 'who shows something wrong is told, and not sent away');
  const page = await browser.visit(url('/cart'));
  assert.deepEqual([page.status, seenBy(page)['x-consumer'], seenBy(page)['cookie']], [200, 'acme', undefined]);
  const both = await browser.fetch(url(), { headers: { authorization: 'Bearer x' } });
  assert.equal(both.status, 200);
  await until(
    () => countOf(proxy, 'weir_authentications_total', 'all', 'login') === 2,
    'sessions are counted with the other methods, once',
  );
  await until(() => countOf(proxy, 'weir_consumer_requests_total', 'acme', '2xx') === 4, 'answers are counted once');
});

test('with all, both a session and credentials of the same consumer are needed', async (t) => {
  const consumers = { acme: { subjects: ['anna'] }, other: { subjects: ['otto'] } };
  const filters = [{ authenticate: { require: 'all', jwt: { issuers: ['staff'] } } }];
  const { browser, url, provider } = await startLoginRoute(t, { filters, consumers });
  const exp = Math.floor(Date.now() / 1000) + 60;
  const [anna, otto] = [
    await aToken(provider.key, { iss: provider.issuer, sub: 'anna', exp }),
    await aToken(provider.key, { iss: provider.issuer, sub: 'otto', exp }),
  ];
  const by = (token: string): { headers: Record<string, string> } => ({ headers: { authorization: `Bearer ${token}` } });
  assert.equal(codeOf(await new Browser().fetch(url(), by(anna))), 'credentials_missing', 'a token alone');
  const begun = await browser.visit(url());
  assert.equal(begun.url.pathname, '/');
  assert.equal(codeOf(await browser.fetch(url())), 'credentials_missing', 'a session alone');
  assert.equal((await browser.fetch(url(), by(anna))).status, 200);
  assert.equal(codeOf(await browser.fetch(url(), by(otto))), 'credentials_invalid', 'of two people');
});

test('where callers without credentials count as somebody, the path that begins a login is the way in', async (t) => {
  const consumers = { guest: {}, acme: { subjects: ['anna'] } };
  const filters = [{ authenticate: { key: {}, anonymous: 'guest' } }];
  const { browser, url } = await startLoginRoute(t, { filters, consumers, login: { start: '/login' } });
  assert.equal(seenBy(await browser.visit(url('/cart')))['x-consumer'], 'guest');
  const page = await browser.visit(url('/login?to=/cart'));
  assert.deepEqual([seenBy(page)['url'], seenBy(page)['x-consumer']], ['/cart', 'acme']);
});
