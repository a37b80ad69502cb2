// What attackers do with logins, by a real browser's rules against a real worker: none of it gets anybody in, or anywhere else.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it, test, type TestContext } from 'node:test';
import { UnsecuredJWT } from 'jose';
import { Browser, type Page } from '../../../support/browser.ts';
import { codeOf, seenBy, startLoginRoute, type LoginRoute } from '../../../support/login-route.ts';
import { CLIENT, type OidcProvider } from '../../../support/oidc-provider.ts';
import { aKey, aToken } from '../../../support/token-issuer.ts';

const SESSION = 'weir_session';

/** As far as the provider has sent the browser back, which has not followed yet. */
async function cameBack({ browser, url }: Pick<LoginRoute, 'browser' | 'url'>, path = '/'): Promise<URL> {
  const begun = await browser.step(url(path));
  const back = await browser.step(begun.headers.location ?? '');
  return new URL(back.headers.location ?? '');
}

const withParameter = (url: URL, name: string, value: string | null): string => {
  const other = new URL(url);
  if (value === null) other.searchParams.delete(name);
  else other.searchParams.set(name, value);
  return other.href;
};

async function assertRefused(browser: Browser, url: string, why: string, code = 'login_failed'): Promise<void> {
  const page = await browser.step(url);
  assert.equal(codeOf(page), code, why);
  assert.deepEqual(browser.names, [], why);
}

test('the answer of one browser is nothing in another: nobody is signed in as somebody else by a link', async (t) => {
  const route = await startLoginRoute(t);
  const back = await cameBack(route);
  const victim = new Browser();
  await assertRefused(victim, back.href, 'a browser that has begun nothing');
  await victim.step(route.url('/mine'));
  await assertRefused(victim, back.href, 'a browser that has begun another login');
  assert.equal(route.provider.asked.length, 0, 'the code was not used');
  assert.equal((await route.browser.visit(back.href)).status, 200);
});

test('a code is good once, for the login it belongs to, in the browser that began it', async (t) => {
  const route = await startLoginRoute(t);
  const { browser, provider } = route;
  const [first, second, third] = [await cameBack(route), await cameBack(route), await cameBack(route)];
  const thief = browser.copy();
  await assertRefused(browser.copy(), withParameter(first, 'code', third.searchParams.get('code')), 'the code of another login');
  assert.equal(provider.asked.length, 1);
  assert.equal((await browser.visit(second.href)).status, 200);
  assert.equal(codeOf(await thief.step(second.href)), 'login_failed', 'a copy of everything, too late');
  assert.equal(provider.asked.length, 2, 'it is not even asked about');
  assert.equal(seenBy(await browser.visit(second.href))['url'], '/', 'who goes back in the history is signed in already');
});

test('an answer that was changed, or is not of the provider, is refused before any code is used', async (t) => {
  const route = await startLoginRoute(t);
  const wrong: readonly (readonly [string, (back: URL) => string])[] = [
    ['no state', (back) => withParameter(back, 'state', null)],
    ['an empty state', (back) => withParameter(back, 'state', '')],
    ['another state', (back) => withParameter(back, 'state', `${back.searchParams.get('state')?.slice(0, -1) ?? ''}~`)],
    ['a state that names another cookie', (back) => withParameter(back, 'state', '=x; a')],
    ['two states', (back) => `${back.href}&state=${back.searchParams.get('state') ?? ''}`],
    ['no code', (back) => withParameter(back, 'code', null)],
    ['two codes', (back) => `${back.href}&code=x`],
    ['a code without end', (back) => withParameter(back, 'code', 'x'.repeat(5000))],
    ['another provider', (back) => withParameter(back, 'iss', 'https://evil.example')],
    ['no provider', (back) => withParameter(back, 'iss', null)],
    ['two providers', (back) => `${back.href}&iss=https://evil.example`],
  ];
  for (const [why, change] of wrong) {
    const browser = new Browser();
    await assertRefused(browser, change(await cameBack({ ...route, browser })), why);
  }
  assert.equal(route.provider.asked.length, 0);
});

test('a login that the provider refuses says so to the log and nothing to the page', async (t) => {
  const { browser, url, provider } = await startLoginRoute(t);
  provider.denies = 'access_denied"><script>';
  const page = await browser.visit(url());
  assert.deepEqual([page.status, codeOf(page)], [400, 'login_failed']);
  assert.doesNotMatch(page.body, /script|access_denied/);
  assert.equal(browser.cookies.size, 0);
});

describe('ID tokens that sign nobody in', () => {
  const other = aKey('ES256');
  const nowS = Math.floor(Date.now() / 1000);
  const wrong: Readonly<Record<string, (provider: OidcProvider) => void>> = {
    'of another login': (provider) => (provider.claims = { nonce: 'x' }),
    'without a nonce': (provider) => (provider.claims = { nonce: undefined }),
    'for another client': (provider) => (provider.claims = { aud: 'mail' }),
    'for nobody': (provider) => (provider.claims = { aud: undefined }),
    'for several clients, made for none in particular': (provider) => (provider.claims = { aud: [CLIENT, 'mail'] }),
    'made for another client': (provider) => (provider.claims = { aud: [CLIENT, 'mail'], azp: 'mail' }),
    'of another issuer': (provider) => (provider.claims = { iss: 'https://evil.example' }),
    'that has expired': (provider) => (provider.claims = { exp: nowS - 300 }),
    'without an expiry': (provider) => (provider.claims = { exp: undefined }),
    'from the future': (provider) => (provider.claims = { iat: nowS + 3600 }),
    'that is old': (provider) => (provider.claims = { iat: nowS - 3600 }),
    'without an age': (provider) => (provider.claims = { iat: undefined }),
    'of nobody': (provider) => (provider.claims = { sub: undefined }),
    'with another access token': (provider) => (provider.claims = { at_hash: 'x' }),
    'signed by another key': (provider) => (provider.idToken = (_good, claims) => aToken({ ...other, keyId: provider.key.keyId }, claims)),
    'signed by nobody': (provider) => (provider.idToken = (_good, claims) => new UnsecuredJWT(claims).encode()),
    'without its signature': (provider) => (provider.idToken = (good) => good.slice(0, good.lastIndexOf('.') + 1)),
    'that are none': (provider) => (provider.idToken = () => 'x'),
    'that are not there': (provider) => (provider.idToken = () => ''),
    'without end': (provider) => (provider.idToken = () => 'x'.repeat(20_000)),
    'with a line end': (provider) => (provider.idToken = (good) => `${good}\r\nx: y`),
    'that are numbers': (provider) => (provider.answer = { id_token: 7 }),
  };
  for (const [what, change] of Object.entries(wrong))
    it(what, async (t) => {
      const { browser, url, provider } = await startLoginRoute(t);
      change(provider);
      const page = await browser.visit(url());
      assert.deepEqual([page.status, codeOf(page)], [400, 'login_failed']);
      assert.deepEqual(browser.names, []);
    });

  it('and one of several clients does that is made for this one', async (t) => {
    const { browser, url, provider } = await startLoginRoute(t);
    provider.claims = { aud: [CLIENT, 'mail'], azp: CLIENT };
    assert.equal((await browser.visit(url())).status, 200);
  });
});

test('a session that was changed, was sealed by other keys, or is that of another client is none', async (t) => {
  const route = await startLoginRoute(t);
  const { browser, url, keys, provider } = route;
  await browser.visit(url());
  const good = browser.cookies.get(SESSION)?.value ?? '';
  const [stranger, sibling] = [
    await startLoginRoute(t, {}, provider),
    await startLoginRoute(t, { keys, issuer: { issuer: 'https://other.example' }, login: { endpoints: endpointsOf(provider) } }, provider),
  ];
  await stranger.browser.visit(stranger.url());
  const begun = await browser.step(`${url()}?again`);
  assert.equal(begun.status, 200);
  const other = new Browser();
  await other.step(url());
  const [, login = ''] = /-login-[^=]+=([^;]+)/.exec([...other.cookies].map(([name, { value }]) => `${name}=${value}`).join(';')) ?? [];
  const wrong: Readonly<Record<string, string>> = {
    changed: `${good.slice(0, -20)}${good.at(-20) === 'A' ? 'B' : 'A'}${good.slice(-19)}`,
    'cut off': good.slice(0, -20),
    'made up': '1.eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..a.b.c',
    'a login under way': `1.${login}`,
    'of other keys': stranger.browser.cookies.get(SESSION)?.value ?? '',
    'without end': `1.${'x'.repeat(10_000)}`,
    empty: '',
  };
  assert.ok(login !== '');
  for (const [what, value] of Object.entries(wrong)) {
    const { status, body } = await new Browser().ask(url(), { headers: { cookie: `${SESSION}=${value}` } });
    assert.deepEqual([status, /credentials_missing/.test(body)], [401, true], what);
  }
  assert.equal(
    (await sibling.browser.ask(sibling.url(), { headers: { cookie: `${SESSION}=${good}` } })).status,
    401,
    'of another provider',
  );
  assert.equal((await new Browser().ask(url(), { headers: { cookie: `${SESSION}=${good}` } })).status, 200);
});

const endpointsOf = ({ issuer }: OidcProvider): object => ({ authorization: `${issuer}/authorize`, token: `${issuer}/token` });

test('two sessions in one request are nobody', async (t) => {
  const route = await startLoginRoute(t);
  const other = new Browser();
  await route.browser.visit(route.url());
  route.provider.subject = 'mallory';
  await other.visit(route.url());
  const [mine, hers] = [route.browser, other].map((browser) => browser.cookies.get(SESSION)?.value ?? '');
  for (const cookie of [`${SESSION}=${mine ?? ''}; ${SESSION}=${hers ?? ''}`, `${SESSION}=${mine ?? ''}; ${SESSION}=${mine ?? ''}`]) {
    const page = await new Browser().ask(route.url(), { headers: { cookie, accept: 'text/html' } });
    assert.deepEqual([page.status, codeOf(page)], [401, 'credentials_ambiguous']);
  }
});

test('signing in makes another session than the one that was there, and what was there is not taken over', async (t) => {
  const { browser, url, provider } = await startLoginRoute(t, { login: { start: '/login' } });
  provider.subject = 'mallory';
  await browser.visit(url());
  const planted = browser.cookies.get(SESSION)?.value;
  provider.subject = 'anna';
  const page = await browser.visit(url('/login?to=/mine'));
  assert.deepEqual([seenBy(page)['url'], seenBy(page)['x-consumer']], ['/mine', 'acme']);
  assert.notEqual(browser.cookies.get(SESSION)?.value, planted);
  browser.keep(`${SESSION}=1.planted`, false);
  assert.equal(seenBy(await browser.visit(url()))['x-consumer'], 'acme');
  assert.notEqual(browser.cookies.get(SESSION)?.value, '1.planted');
});

describe('a login leads to the origin it began at, and nowhere else', () => {
  const targets: Readonly<Record<string, string>> = {
    '//evil.example/': '//evil.example/',
    '/\\evil.example': '//evil.example',
    '/%2F%2Fevil.example': '/%2F%2Fevil.example',
    '/%5Cevil.example': '/%5Cevil.example',
    '/a/..//evil.example': '//evil.example',
    '/?next=//evil.example': '/?next=//evil.example',
    '/%0d%0aSet-Cookie:%20a=b': '/%0D%0ASet-Cookie:%20a=b',
  };
  for (const [target, expected] of Object.entries(targets))
    it(target, async (t) => {
      const { browser, url } = await startLoginRoute(t, { route: { paths: { mergeSlashes: false } } });
      assert.equal(await lastRedirect(browser, url(target)), url(expected));
    });

  it('by the path that begins one', async (t) => {
    const { browser, url } = await startLoginRoute(t, { login: { start: '/login' } });
    const origin = new URL(url()).origin;
    const wanted: Readonly<Record<string, string>> = {
      '/cart?a=b': '/cart?a=b',
      [`${origin}/cart`]: '/cart',
      'https://evil.example/cart': '/',
      '//evil.example/cart': '/',
      '/\\evil.example': '/',
      '\\\\evil.example': '/',
      'https:evil.example': '/',
      [`${origin}@evil.example/`]: '/',
      'javascript:alert(1)': '/',
      'data:text/html,x': '/',
    };
    for (const [to, expected] of Object.entries(wanted)) {
      const page = await browser.visit(`${url('/login')}?to=${encodeURIComponent(to)}`);
      assert.deepEqual([page.url.origin, page.url.pathname + page.url.search], [origin, expected], to);
    }
  });

  it('and to its front page from a page whose address is without end', async (t) => {
    const { browser, url } = await startLoginRoute(t);
    assert.equal(seenBy(await browser.visit(url(`/?${'x'.repeat(3000)}`)))['url'], '/');
  });
});

/** The location of the answer to the callback; null: no login was begun. */
async function lastRedirect(browser: Browser, url: string): Promise<string | null> {
  let page: Page = await browser.step(url);
  let last: string | null = null;
  for (let steps = 0; page.status >= 300 && page.status < 400 && steps < 6; steps += 1) {
    const next = new URL(page.headers.location ?? '', page.url);
    if (page.url.pathname === '/login/callback') last = next.href;
    page = await browser.step(next.href);
  }
  return last;
}

test('a host that a request makes up is not where the provider sends anybody, and a login that began at one host does not end at another', async (t) => {
  const { browser, url, provider } = await startLoginRoute(t);
  const headers = { accept: 'text/html', host: 'shop.example' };
  const begun = await browser.ask(url(), { headers });
  const asked = new URL(begun.headers.location ?? '');
  assert.equal(asked.searchParams.get('redirect_uri'), 'http://shop.example/login/callback');
  const state = asked.searchParams.get('state') ?? '';
  await assertRefused(browser, `${url('/login/callback')}?code=x&state=${state}&iss=${provider.issuer}`, 'another host');
});

test('PKCE: the provider gets the hash of what only weir knows, and then that', async (t) => {
  const { browser, url, provider } = await startLoginRoute(t);
  await browser.visit(url());
  const verifier = provider.asked[0]?.['code_verifier'] ?? '';
  assert.match(verifier, /^[\w-]{43}$/);
  assert.equal(provider.visits[0]?.searchParams.get('code_challenge'), createHash('sha256').update(verifier).digest('base64url'));
});

const NAMED: (t: TestContext) => Promise<LoginRoute> = (t) => startLoginRoute(t, { login: { requireConsumer: true } });

test('where a consumer is wanted, others who sign in are nobody', async (t) => {
  const { browser, url, provider } = await NAMED(t);
  provider.subject = 'otto';
  const page = await browser.visit(url());
  assert.deepEqual([page.status, codeOf(page), browser.names], [403, 'access_denied', []]);
  provider.subject = 'anna';
  assert.equal((await browser.visit(url())).status, 200);
});
