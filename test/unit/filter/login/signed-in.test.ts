// People sign in at a real provider through a real worker: they come back to the page they asked for, and the service hears who they are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Browser } from '../../../support/browser.ts';
import { codeOf, seenBy, startLoginRoute } from '../../../support/login-route.ts';
import { CLIENT } from '../../../support/oidc-provider.ts';
import { countOf } from '../../../support/proxy.ts';
import { connectRaw } from '../../../support/raw-client.ts';
import { until } from '../../../support/until.ts';

test('who asks for a page signs in and comes back to it; the service hears the consumer, groups and claims, and sees no cookie of weir', async (t) => {
  const claims = { 'x-user': 'sub', 'x-mail': 'email' };
  const { browser, provider, url, proxy } = await startLoginRoute(t, { login: { forward: { claims } }, issuer: { groupsClaim: 'roles' } });
  provider.claims = { email: 'anna@shop.example', roles: ['clerk'] };
  browser.keep('theme=dark; Path=/', false);
  const page = await browser.visit(url('/orders/7?show=all&page=2'));
  assert.equal(page.status, 200, page.body);
  const seen = seenBy(page);
  assert.equal(seen['url'], '/orders/7?show=all&page=2');
  const told = [seen['x-consumer'], seen['x-consumer-groups'], seen['x-user'], seen['x-mail'], seen['cookie'], seen['authorization']];
  assert.deepEqual(told, ['acme', 'partners,clerk', 'anna', 'anna@shop.example', 'theme=dark', undefined]);
  const [asked] = provider.visits;
  assert.deepEqual([asked?.searchParams.get('scope'), asked?.searchParams.get('client_id')], ['openid profile', CLIENT]);
  assert.equal(provider.asked[0]?.proof, 'basic');
  assert.deepEqual(browser.names, ['theme', 'weir_session']);
  assert.equal([...browser.cookies.keys()].length, 2, 'the login under way is over');
  const liar = await browser.ask(url(), { headers: { 'x-consumer': 'root', 'x-consumer-groups': 'admins', 'x-user': 'root' } });
  assert.deepEqual(
    [seenBy(liar)['x-consumer'], seenBy(liar)['x-consumer-groups'], seenBy(liar)['x-user']],
    ['acme', 'partners,clerk', 'anna'],
  );
  assert.equal(provider.asked.length, 1, 'nobody is asked about a session');
  for (const outcome of ['begun', 'completed'])
    await until(() => countOf(proxy, 'weir_logins_total', 'all', outcome) === 1, `${outcome} is counted`);
  await until(() => countOf(proxy, 'weir_authentications_total', 'all', 'login') === 2, 'proofs are counted');
  await until(() => countOf(proxy, 'weir_consumer_requests_total', 'acme', '2xx') === 2, 'answers to the consumer are counted');
});

test('a browser is sent to sign in, and nothing may remember that', async (t) => {
  const { browser, url } = await startLoginRoute(t);
  const page = await browser.step(url('/cart'), 'cross-site');
  assert.deepEqual([page.status, page.headers['cache-control'], page.body], [302, 'no-store', '']);
  const [cookie = ''] = page.headers['set-cookie'] ?? [];
  assert.match(cookie, /^weir_session-login-[\w-]+=[\w.-]+; Max-Age=900; Path=\/; HttpOnly; SameSite=Lax$/);
});

test('what is no navigation of a person gets 401 as a problem, and is not led away', async (t) => {
  const { browser, url, provider } = await startLoginRoute(t);
  const page = { accept: 'text/html' };
  const asked: Readonly<Record<string, Parameters<Browser['ask']>[1]>> = {
    'a script': { headers: { accept: 'application/json' } },
    'a program': { headers: { accept: '*/*' } },
    'a post of a form': { method: 'POST', headers: page, body: 'a=b' },
    'a script that takes pages': { headers: { ...page, 'sec-fetch-mode': 'cors' } },
    'a script that says so': { headers: { ...page, 'x-requested-with': 'XMLHttpRequest' } },
    'a page in advance': { headers: { ...page, 'sec-purpose': 'prefetch;prerender' } },
    'pages unwanted': { headers: { accept: 'application/json, text/html;q=0' } },
    'a change': { method: 'DELETE', headers: page },
  };
  for (const [what, wish] of Object.entries(asked)) {
    const { status, headers, body } = await browser.ask(url('/cart'), wish);
    assert.deepEqual([status, headers.location, headers['set-cookie']], [401, undefined, undefined], what);
    assert.match(body, /credentials_missing/, what);
  }
  assert.equal(provider.documentsRead, 0);
});

test('who names no host is not led away either, as there is no place to come back to', async (t) => {
  const { proxy } = await startLoginRoute(t);
  const client = await connectRaw(t, proxy.port);
  client.send('GET / HTTP/1.0\r\nAccept: text/html\r\n\r\n');
  assert.match(await client.untilClosed(), /^HTTP\/1\.[01] 401 /);
});

test('what browsers see may be said in the file, where another host ends TLS', async (t) => {
  const { browser, url } = await startLoginRoute(t, { login: { origin: 'https://Shop.example:8443' } });
  const page = await browser.step(url('/cart'));
  const asked = new URL(page.headers.location ?? '').searchParams;
  assert.equal(asked.get('redirect_uri'), 'https://shop.example:8443/login/callback');
  assert.match(page.headers['set-cookie']?.[0] ?? '', /^__Host-weir_session-login-.*; Secure$/);
});

test('several tabs sign in at once, each to its page, and the cookies of those that nobody ends do not pile up', async (t) => {
  const { browser, url } = await startLoginRoute(t);
  const tabs = [];
  for (const path of ['/one', '/two', '/three']) tabs.push(await browser.step(url(path)));
  const backs = [];
  for (const tab of tabs) backs.push(await browser.step(tab.headers.location ?? ''));
  const pages = [];
  for (const back of backs.reverse()) pages.push(seenBy(await browser.visit(back.headers.location ?? ''))['url']);
  assert.deepEqual(pages, ['/three', '/two', '/one']);
  const other = new Browser();
  for (let one = 0; one < 9; one += 1) await other.step(url());
  assert.equal(other.cookies.size, 4);
});

test('a secret is shown as the file says, and a public client has none', async (t) => {
  const post = await startLoginRoute(t, { login: { proof: 'post' } });
  assert.equal((await post.browser.visit(post.url())).status, 200);
  const none = await startLoginRoute(t, { login: { secret: undefined } });
  assert.equal((await none.browser.visit(none.url())).status, 200);
  assert.deepEqual([post.provider.asked[0]?.proof, none.provider.asked[0]?.proof], ['post', 'none']);
});

test('scopes that were granted are those of the caller, and endpoints may stand in the file', async (t) => {
  const { browser, url, provider } = await startLoginRoute(t, {
    filters: [
      {
        authorize: {
          rules: [
            { path: '/mail', scopes: ['mail'] },
            { path: '/base', scopes: ['base', 'profile'] },
          ],
        },
      },
    ],
    login: { scopes: ['openid', 'profile', 'mail'], parameters: { prompt: 'login', realm: 'shop' } },
  });
  provider.answer = { scope: 'openid profile' };
  assert.equal((await browser.visit(url('/base'))).status, 200);
  assert.equal(codeOf(await browser.fetch(url('/mail'))), 'scope_insufficient');
  assert.equal(provider.visits[0]?.searchParams.get('prompt'), 'login');
  const told = { authorization: `${provider.issuer}/authorize?realm=shop`, token: `${provider.issuer}/token` };
  const second = await startLoginRoute(t, { login: { endpoints: told } }, provider);
  const before = provider.documentsRead;
  assert.equal((await second.browser.visit(second.url())).status, 200);
  assert.equal(provider.documentsRead, before);
});

test('tokens that are too long for one cookie are divided, and come together again; what no browser would keep is refused', async (t) => {
  const { browser, url, provider } = await startLoginRoute(t, { login: { forward: { claims: { 'x-user': 'sub' } } } });
  provider.claims = { much: 'x'.repeat(4000) };
  assert.equal(seenBy(await browser.visit(url()))['x-user'], 'anna');
  assert.deepEqual(browser.names, ['weir_session', 'weir_session.1', 'weir_session.2']);
  provider.claims = {};
  assert.equal((await browser.visit(url('/login/callback?state=x'))).status, 200);
  const whole = browser.copy();
  browser.cookies.delete('weir_session.1');
  assert.equal((await browser.fetch(url())).status, 401);
  assert.equal(seenBy(await browser.visit(url()))['x-user'], 'anna');
  assert.deepEqual(browser.names, ['weir_session'], 'what is left of a longer one is dropped');
  assert.equal((await whole.fetch(url())).status, 200);
  provider.claims = { much: 'x'.repeat(12_100) };
  const other = new Browser();
  assert.equal(codeOf(await other.visit(url())), 'login_failed');
  assert.deepEqual(other.names, []);
});

test('the access token goes to the cluster where the file names a field for it', async (t) => {
  const route = await startLoginRoute(t, { login: { forward: { accessToken: 'authorization' } } });
  const { browser, url, provider } = route;
  const seen = seenBy(await browser.visit(url()));
  assert.equal(seen['authorization'], `Bearer ${String(provider.given['access_token'])}`);
  const named = await startLoginRoute(t, { login: { forward: { accessToken: 'x-access-token' } } });
  const other = seenBy(await named.browser.visit(named.url()));
  assert.equal(other['x-access-token'], String(named.provider.given['access_token']));
});

test('a route of the same file without logins does not show sessions to its cluster either', async (t) => {
  const { browser, url } = await startLoginRoute(t, { moreRoutes: [{ name: 'open', match: { path: '/open' } }] });
  await browser.visit(url());
  browser.keep('theme=dark; Path=/', false);
  const seen = seenBy(await browser.fetch(url('/open/page')));
  assert.deepEqual([seen['cookie'], seen['x-consumer']], ['theme=dark', undefined]);
});

test('without keys nobody has a session and nobody can begin one', async (t) => {
  const { browser, url } = await startLoginRoute(t, { login: { session: { keys: { env: 'WEIR_TEST_NO_SUCH_KEYS' } } } });
  const page = await browser.step(url());
  assert.deepEqual([page.status, codeOf(page), page.headers['retry-after']], [503, 'authentication_unavailable', '5']);
  assert.equal((await browser.fetch(url())).status, 401);
});
