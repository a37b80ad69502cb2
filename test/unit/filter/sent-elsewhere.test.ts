// Requests that are sent elsewhere: redirects, answers of the file's own, and other paths for the cluster, over HTTP/1.1 and HTTP/2.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { redirect } from '../../../balancer/filter/redirect.ts';
import { rewriting } from '../../../balancer/filter/path-pattern.ts';
import { withPrefix } from '../../../balancer/filter/path-prefix.ts';
import type { CanonicalRequest } from '../../../balancer/message/request.ts';
import { aFilterEnvironment, asRecord } from '../../support/filter-environment.ts';
import { filterOptions, filterProblems } from '../../support/filter-options.ts';
import { startH2Origin } from '../../support/h2-origin.ts';
import { startOrigin } from '../../support/origin.ts';
import { startProxy } from '../../support/proxy.ts';
import { aRequest } from '../../support/request.ts';

async function locationOf(options: string, facts: Partial<CanonicalRequest>): Promise<string | null> {
  const filter = redirect.create(filterOptions('redirect', options), aFilterEnvironment());
  const verdict = await filter.onRequest?.(aRequest(facts));
  if (verdict === undefined || !('status' in verdict)) return null;
  return `${verdict.status} ${asRecord(verdict.fields)['location'] ?? ''}`;
}

describe('a redirect', () => {
  const asked = { path: '/a/b', query: 'x=1', hasQuery: true, authority: 'shop.example:8080', host: 'shop.example' };

  it('to another scheme leaves the port of the old one behind', async () => {
    assert.equal(await locationOf('{ scheme: https }', asked), '308 https://shop.example/a/b?x=1');
    assert.equal(await locationOf('{ scheme: https, port: 8443 }', asked), '308 https://shop.example:8443/a/b?x=1');
  });

  it('to another host, path or beginning of the path keeps the rest', async () => {
    assert.equal(await locationOf('{ host: new.example, status: 301 }', asked), '301 http://new.example:8080/a/b?x=1');
    assert.equal(await locationOf('{ path: /gone, query: false }', asked), '308 http://shop.example:8080/gone');
    assert.equal(await locationOf('{ prefix: { from: /a, to: /c/d } }', asked), '308 http://shop.example:8080/c/d/b?x=1');
  });

  it('to where the request is already is none', async () => {
    assert.equal(await locationOf('{ scheme: https }', { ...asked, scheme: 'https', authority: 'shop.example' }), null);
    assert.equal(await locationOf('{ prefix: { from: /z, to: /c } }', asked), null);
  });

  it('says what it changes', () => {
    assert.match(filterProblems('redirect', '{}').join(), /sent around in a circle/);
    assert.match(filterProblems('redirect', '{ path: /a, prefix: { from: /a, to: /b } }').join(), /keep one of them/);
    assert.match(filterProblems('redirect', '{ scheme: ftp }').join(), /http or https/);
  });
});

describe('another beginning of a path', () => {
  it('stands there by whole elements', () => {
    const to = (path: string, from: string, to: string): string => withPrefix(path, { from, to });
    assert.equal(to('/api/x', '/api', '/'), '/x');
    assert.equal(to('/api', '/api', '/'), '/');
    assert.equal(to('/api/', '/api', '/'), '/');
    assert.equal(to('/apix', '/api', '/'), '/apix');
    assert.equal(to('/x', '/', '/v1'), '/v1/x');
    assert.equal(to('/api//x', '/api/', '/v1/'), '/v1//x');
  });
});

describe('a path made of elements of another', () => {
  const to = (path: string, from: string, written: string): string => rewriting({ from, to: written })(path);

  it('takes what stands at the places, as it is encoded', () => {
    assert.equal(to('/users/7/orders', '/users/{id}/orders', '/orders/of/{id}'), '/orders/of/7');
    assert.equal(to('/a%20b/c', '/{first}/{second}', '/{second}/{first}/{second}'), '/c/a%20b/c');
    assert.equal(to('/files/a/b/', '/files/{rest...}', '/store/{rest}'), '/store/a/b/');
    assert.equal(to('/files/', '/files/{rest...}', '/store/{rest}'), '/store/');
    assert.equal(to('/v1/x.json', '/v1/x.json', '/x'), '/x');
  });

  it('is another only where the whole path fits', () => {
    for (const path of ['/users/7', '/users/7/orders/8', '/users//orders', '/USERS/7/orders', '/'])
      assert.equal(to(path, '/users/{id}/orders', '/orders/of/{id}'), path);
    assert.equal(to('/files', '/files/{rest...}', '/store/{rest}'), '/files');
  });

  it('names places that are there, once, and what takes the rest last', () => {
    const problems = (from: string, written: string): string =>
      filterProblems('rewrite', `{ pattern: { from: "${from}", to: "${written}" } }`).join();
    assert.equal(problems('/users/{id}', '/{id}'), '');
    assert.match(problems('/users/{id}', '/{user}'), /\{user\} in \/\{user\} is no place of \/users\/\{id\}; expected one of \{id\}/);
    assert.match(problems('/{a}/{a}', '/{a}'), /\{a\} stands twice/);
    assert.match(problems('/{a...}/b', '/{a}'), /\{a\.\.\.\} takes all that follows/);
    assert.match(problems('/x{a}', '/{a}'), /"x\{a\}" in \/x\{a\} is neither text nor a place/);
    assert.match(problems('/{a}', '/x?a={a}'), /parameters are set by query\.set/);
    assert.match(filterProblems('rewrite', '{ path: /a, pattern: { from: /b, to: /c } }').join(), /path and pattern stand together/);
  });
});

describe('what the cluster sees', () => {
  const filters = [
    {
      rewrite: { prefix: { from: '/api', to: '/v2' }, host: 'inside.example', query: { set: { 'api-version': '2 b' }, remove: ['debug'] } },
    },
  ];

  it('is another target and host, over HTTP/1.1', async (t) => {
    const origin = await startOrigin(t, (request, response) => response.end(`${request.headers.host ?? ''} ${request.url ?? ''}`));
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { filters } });
    const body = async (path: string): Promise<string> => (await fetch(proxy.url + path)).text();
    assert.equal(await body('/api/x?a=1&debug=1&%64ebug=2&b'), 'inside.example /v2/x?a=1&b&api-version=2%20b');
    assert.equal(await body('/other'), 'inside.example /other?api-version=2%20b');
  });

  it('and over HTTP/2', async (t) => {
    const origin = await startH2Origin(t, ({ stream, headers }) => {
      stream.respond({ ':status': 200 });
      stream.end(`${String(headers[':authority'])} ${String(headers[':path'])}`);
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { filters } });
    assert.equal(await (await fetch(`${proxy.url}/api/x?a=1`)).text(), 'inside.example /v2/x?a=1&api-version=2%20b');
  });
});

describe('an answer of the file', () => {
  it('comes in place of the service, and to a client that must not come in not at all', async (t) => {
    const origin = await startOrigin(t, () => assert.fail('the service is not asked'));
    const answer = { status: 503, body: 'Back at noon.' };
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { filters: [{ respond: answer }] } });
    const response = await fetch(proxy.url);
    assert.deepEqual(
      [response.status, await response.text(), response.headers.get('content-type')],
      [503, 'Back at noon.', 'text/plain; charset=utf-8'],
    );
    const closed = await startProxy(t, {
      endpoints: [origin.endpoint],
      route: { filters: [{ respond: answer }, { authenticate: { key: {} } }] },
    });
    assert.equal((await fetch(closed.url)).status, 401);
  });

  it('has no body where there can be none', () => {
    assert.match(filterProblems('respond', '{ status: 204, body: x }').join(), /an answer 204 has no body/);
  });
});
