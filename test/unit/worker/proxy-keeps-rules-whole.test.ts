// What is spelled so that a rule does not see it and an origin does: paths with several readings, and field names with underscores.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { named, startOrigin, type Origin } from '../../support/origin.ts';
import { countOf, startProxy, type Proxy, type ProxyOptions } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

const GUARDED = { name: 'admin', match: { path: '/admin' }, filters: [{ headers: { response: { set: { 'x-guard': 'admin' } } } }] };

describe('a path with several readings', () => {
  it('never reaches an origin past the rules of the route that guards one of them', async (t) => {
    const { proxy, origin } = await startPair(t, { moreRoutes: [GUARDED] });
    const outcomes: Record<string, string> = {};
    for (const path of ['/admin', '//admin', '/admin%2Fx', '/%2Fadmin', '/admin;x/y', '/a%2f..%2fadmin', '/a%2Fb', '/a;b', '/a//b']) {
      const received = await ask(t, proxy, path);
      const guard = received.includes('\r\nx-guard: admin\r\n') ? ' guarded' : '';
      outcomes[path] = `${received.slice(9, 12)}${guard} ${origin.requests.at(-1)?.url ?? ''}`;
    }
    assert.deepEqual(outcomes, {
      '/admin': '200 guarded /admin',
      '//admin': '200 guarded /admin',
      '/admin%2Fx': '400 /admin',
      '/%2Fadmin': '400 /admin',
      '/admin;x/y': '400 /admin',
      '/a%2f..%2fadmin': '400 /admin',
      '/a%2Fb': '200 /a%2Fb',
      '/a;b': '200 /a;b',
      '/a//b': '200 /a/b',
    });
    await until(() => countOf(proxy, 'weir_local_replies_total', 'web', 'ambiguous_path') === 3, 'three refused');
  });

  it('is answered with a redirect where the route says so', async (t) => {
    const { proxy, origin } = await startPair(t, { route: { paths: { escapedSlashes: 'redirect' } } });
    const received = await ask(t, proxy, '/a%2fb%5Cc?d=%2f');
    assert.match(received, /^HTTP\/1\.1 307 /);
    assert.match(received, /\r\nlocation: \/a\/b\/c\?d=%2f\r\n/);
    assert.equal(origin.requests.length, 0);
  });

  it('keeps its slashes where the route says so', async (t) => {
    const { proxy, origin } = await startPair(t, { route: { paths: { mergeSlashes: false, parameters: 'strip' } } });
    await ask(t, proxy, '/https://a.example//b;c');
    assert.equal(origin.requests[0]?.url, '/https://a.example//b');
  });
});

describe('a request field with an underscore in its name', () => {
  it('is left out by default, and the origin is none the wiser', async (t) => {
    const { proxy, origin } = await startPair(t, {});
    await ask(t, proxy, '/', 'X_User: root', 'Transfer_Encoding: chunked', 'X-User: me');
    assert.deepEqual(
      Object.keys(origin.requests[0]?.headers ?? {}).filter((name) => name.includes('_')),
      [],
    );
    assert.equal(origin.requests[0]?.headers['x-user'], 'me');
  });

  it('costs its request 400 where the listener refuses it', async (t) => {
    const { proxy, origin } = await startPair(t, { listener: { headers: { underscores: 'reject' } } });
    assert.match(await ask(t, proxy, '/', 'X_User: root'), /^HTTP\/1\.1 400 /);
    assert.equal(origin.requests.length, 0);
  });

  it('goes on where the listener keeps it', async (t) => {
    const { proxy, origin } = await startPair(t, { listener: { headers: { underscores: 'keep' } } });
    await ask(t, proxy, '/', 'X_User: root');
    assert.equal(origin.requests[0]?.headers['x_user'], 'root');
  });
});

async function startPair(
  t: TestContext,
  options: Omit<ProxyOptions, 'endpoints'>,
): Promise<{ readonly proxy: Proxy; readonly origin: Origin }> {
  const origin = await startOrigin(t, named('origin'));
  return { origin, proxy: await startProxy(t, { endpoints: [origin.endpoint], ...options }) };
}

/** All that comes back for a path that is sent exactly so. */
async function ask(t: TestContext, proxy: Proxy, path: string, ...fields: readonly string[]): Promise<string> {
  const client = await connectRaw(t, proxy.port);
  client.send([`GET ${path} HTTP/1.1`, 'Host: shop.example', ...fields, 'Connection: close', '', ''].join('\r\n'));
  return client.untilClosed();
}
