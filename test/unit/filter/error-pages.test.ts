// Errors as the file words them: which page a client gets, what may stand in it, and what becomes of the service's own.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { loadConfig } from '../../../balancer/config/load.ts';
import { EXTENSIONS } from '../../../balancer/registries.ts';
import { SMALL_CONFIG, TEST_ENVIRONMENT } from '../../support/config-text.ts';
import { errorPages } from '../../../balancer/filter/error-pages/error-pages.ts';
import { ERRORS, type ErrorCode } from '../../../balancer/errors.ts';
import type { Fields } from '../../../balancer/message/fields.ts';
import { aFilterEnvironment, asRecord } from '../../support/filter-environment.ts';
import { filterOptions, filterProblems } from '../../support/filter-options.ts';
import { startOrigin, type Answer } from '../../support/origin.ts';
import { startProxy, type Proxy } from '../../support/proxy.ts';
import { aRequest } from '../../support/request.ts';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const HTML = '{ template: "<p>${title}</p>" }';

/** The page that weir's own error gets, or what it was. */
function pageFor(options: string, code: ErrorCode, accept: string | null, requestId = 'test-1'): string {
  const { status } = ERRORS[code];
  const filter = errorPages.create(filterOptions('errorPages', options), aFilterEnvironment());
  const own = { body: 'as it was', code };
  const fields: Fields = ['content-type', 'application/problem+json', 'retry-after', '7'];
  filter.onResponse?.(aRequest({ requestId, fields: accept === null ? [] : ['accept', accept] }), { status, fields, own });
  assert.equal(asRecord(fields)['retry-after'], '7');
  return own.body === 'as it was' ? own.body : `${asRecord(fields)['content-type'] ?? ''}: ${own.body}`;
}

describe('a page for an error of weir', () => {
  it('for its code goes before one for its status, and that before one for all', () => {
    const options =
      '{ pages: [{ template: all }, { statuses: "500-599", template: fifth }, { statuses: 429, template: four }, { codes: [rate_limited], template: limit }] }';
    const text = (code: ErrorCode): string => pageFor(options, code, BROWSER).replace(/.*: /, '');
    assert.deepEqual([text('rate_limited'), text('connect_failed'), text('access_denied')], ['limit', 'fifth', 'all']);
  });

  it('is the one that the client accepts, and none where it would rather have the error as it is', () => {
    const options =
      '{ pages: [{ template: page }, { type: application/xml, template: xml }, { type: text/plain, statuses: 403, template: plain }] }';
    const text = (accept: string | null): string => pageFor(options, 'access_denied', accept).replace(/.*: /, '');
    assert.equal(text(BROWSER), 'page');
    assert.equal(text('text/html;q=0.1, application/xml'), 'xml');
    assert.equal(text('application/json'), 'as it was');
    assert.equal(text('application/json, text/plain, */*'), 'plain');
    assert.equal(text('application/problem+json, text/html;q=0.9'), 'as it was');
    assert.equal(text('image/png'), 'as it was');
    assert.equal(text('*/*'), 'plain');
    assert.equal(text(null), 'plain');
  });

  it('holds values that are escaped for its type', () => {
    const hostile = `<script>"&'\\`;
    const text = (type: string): string =>
      pageFor(`{ pages: [{ type: ${type}, template: "[\${request.id}|\${status}|\${code}|$\${x}]" }] }`, 'access_denied', '*/*', hostile);
    assert.equal(text('text/html'), 'text/html: [&lt;script&gt;&quot;&amp;&#39;\\|403|access_denied|${x}]');
    assert.equal(text('application/json'), `application/json: [<script>\\"&'\\\\|403|access_denied|\${x}]`);
    assert.equal(text('text/plain'), `text/plain: [${hostile}|403|access_denied|\${x}]`);
  });

  it('leaves calls of gRPC their status', () => {
    const filter = errorPages.create(filterOptions('errorPages', `{ pages: [${HTML}] }`), aFilterEnvironment());
    const own = { body: '', code: 'access_denied' as const };
    filter.onResponse?.(aRequest(), { status: 200, fields: ['content-type', 'application/grpc', 'grpc-status', '7'], own });
    assert.equal(own.body, '');
  });
});

describe('a page that cannot work', () => {
  it('says what is wrong and what was meant', () => {
    const problem = (page: string, more = ''): string => filterProblems('errorPages', `{ pages: [${page}]${more} }`).join('\n');
    assert.match(
      problem('{ codes: [rate_limit], template: a }'),
      /codes\[0\]: there is no error "rate_limit"; did you mean "rate_limited"\?/,
    );
    assert.match(problem('{}'), /expected either template, the page itself, or file/);
    assert.match(problem('{ template: a, file: b }'), /expected either template/);
    assert.match(problem('{ file: missing.html }'), /missing\.html cannot be read/);
    assert.match(problem('{ template: "${client.address}" }'), /stands for nothing here; expected one of request\.id, status, code, title/);
    assert.match(problem('{ type: html, template: a }'), /is not a content type; expected for example text\/html/);
    assert.match(problem(HTML, ', upstream: "300-599"'), /from 400 on/);
  });

  it('says what is wrong in a file when the config is checked', () => {
    const text = SMALL_CONFIG.replace(
      '  - { service: shop }',
      '  - { service: shop, filters: [{ errorPages: { pages: [{ file: page.html }] } }] }',
    );
    const problem = (page: string): string => {
      const result = loadConfig({ file: '/etc/weir/weir.yaml', text }, EXTENSIONS, { ...TEST_ENVIRONMENT, textOf: () => page });
      return result.ok ? '' : result.problems.map(({ path, message }) => `${path}: ${message}`).join();
    };
    assert.equal(problem('<p>${title}</p>'), '');
    assert.match(problem('<p>${titel}</p>'), /pages\[0\]\.file: "\$\{titel\}" stands for nothing here; did you mean "\$\{title\}"\?/);
    assert.match(problem('x'.repeat(2_000_000)), /pages\[0\]\.file: has 2000000 bytes; expected at most/);
  });
});

async function proxyWith(t: TestContext, answer: Answer, filters: readonly object[]): Promise<Proxy> {
  const origin = await startOrigin(t, answer);
  return startProxy(t, { endpoints: [origin.endpoint], route: { filters } });
}

describe('pages through a worker', () => {
  const get = async (url: string, init: RequestInit = {}): Promise<Response> => fetch(url, { headers: { accept: BROWSER }, ...init });

  it('come from files, for errors that weir makes', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-pages-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'denied.html');
    writeFileSync(file, '<h1>${status} ${title}</h1> ${request.id} \u00fc');
    const filters = [{ errorPages: { pages: [{ file }] } }, { addressAccess: { rules: [{ allow: '10.0.0.0/8' }] } }];
    const proxy = await proxyWith(t, (_request, response) => response.end(), filters);
    const denied = await get(proxy.url);
    assert.deepEqual([denied.status, denied.headers.get('content-type')], [403, 'text/html; charset=utf-8']);
    assert.equal(await denied.text(), `<h1>403 The client address may not do this</h1> ${denied.headers.get('x-request-id') ?? ''} \u00fc`);
    assert.match(await (await fetch(proxy.url, { headers: { accept: 'application/json' } })).text(), /"code":"address_denied"/);
  });

  it('stand in place of what the service says, whole, where its status is named', async (t) => {
    const answer: Answer = (request, response) => {
      const status = Number(request.url?.slice(1));
      response.writeHead(status, {
        'content-type': 'text/plain',
        etag: '"a"',
        'cache-control': 'public',
        'set-cookie': 'a=b',
      });
      response.write('stack '.repeat(10_000));
      response.end('trace');
    };
    const proxy = await proxyWith(t, answer, [{ errorPages: { upstream: '500-599', pages: [{ template: '<p>${title}</p>' }] } }]);
    const failed = await get(`${proxy.url}/503`);
    assert.equal(await failed.text(), '<p>Service Unavailable</p>');
    const told = ['content-type', 'etag', 'cache-control', 'set-cookie'].map((name) => failed.headers.get(name));
    assert.deepEqual([failed.status, ...told], [503, 'text/html; charset=utf-8', null, 'no-store', 'a=b']);
    assert.match(await (await get(`${proxy.url}/404`)).text(), /^stack/);
    const head = await get(`${proxy.url}/503`, { method: 'HEAD' });
    assert.deepEqual(
      [head.status, head.headers.get('content-type'), head.headers.get('content-length')],
      [503, 'text/html; charset=utf-8', null],
    );
    // Nothing that is accepted is there.
    assert.match(await (await fetch(`${proxy.url}/503`, { headers: { accept: 'image/png' } })).text(), /^stack/);
  });

  it('stand where respond says a status and nothing more', async (t) => {
    const proxy = await proxyWith(t, (_request, response) => response.end(), [
      { respond: { status: 404 } },
      { errorPages: { pages: [{ statuses: 404, template: 'nothing here' }] } },
    ]);
    const answer = await get(proxy.url);
    assert.deepEqual([answer.status, await answer.text()], [404, 'nothing here']);
  });
});
