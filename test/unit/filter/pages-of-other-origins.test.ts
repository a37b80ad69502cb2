// Pages of other origins: what cors lets them read, and what csrf lets them do.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cors } from '../../../balancer/filter/cors.ts';
import { csrf } from '../../../balancer/filter/csrf.ts';
import type { Fields } from '../../../balancer/message/fields.ts';
import { aFilterEnvironment, asRecord } from '../../support/filter-environment.ts';
import { filterOptions, filterProblems } from '../../support/filter-options.ts';
import { aRequest } from '../../support/request.ts';

const APP = 'https://app.example.com';

async function answered(
  options: string,
  fields: Fields,
  { method = 'GET', service = [] as Fields } = {},
): Promise<Readonly<Record<string, string>>> {
  const filter = cors.create(filterOptions('cors', options), aFilterEnvironment());
  const request = aRequest({ method, fields });
  const verdict = await filter.onRequest?.(request);
  assert.ok(verdict === undefined || 'status' in verdict);
  const response = { status: verdict?.status ?? 200, fields: verdict === undefined ? [...service] : [...verdict.fields] };
  filter.onResponse?.(request, response);
  return { ...asRecord(response.fields), status: `${response.status}` };
}

describe('an answer that a page reads', () => {
  it('names the origin where it may, and differs by origin in any case', async () => {
    const options = `{ origins: ["${APP}"], expose: [x-total] }`;
    assert.deepEqual(await answered(options, ['origin', APP]), {
      ...{ status: '200', vary: 'origin' },
      ...{ 'access-control-allow-origin': APP, 'access-control-expose-headers': 'x-total' },
    });
    assert.deepEqual(await answered(options, ['origin', 'https://evil.example']), { status: '200', vary: 'origin' });
    assert.deepEqual(await answered(options, []), { status: '200', vary: 'origin' });
  });

  it('says nothing that the service says in its place', async () => {
    const service = ['access-control-allow-origin', '*', 'access-control-allow-credentials', 'true', 'vary', 'Accept-Encoding'];
    assert.deepEqual(await answered(`{ origins: ["${APP}"] }`, ['origin', 'https://evil.example'], { service }), {
      status: '200',
      vary: 'Accept-Encoding, origin',
    });
  });

  it('fits names below a wildcard by whole names, and no sandbox', async () => {
    const allows = async (origin: string): Promise<boolean> =>
      'access-control-allow-origin' in (await answered('{ origins: ["https://*.example.com"] }', ['origin', origin]));
    assert.equal(await allows('https://a.example.com'), true);
    assert.equal(await allows('https://a.b.example.com'), true);
    assert.equal(await allows('HTTPS://A.EXAMPLE.COM'), true);
    for (const origin of [
      'https://example.com',
      'https://evilexample.com',
      'http://a.example.com',
      'https://a.example.com.evil.net',
      'null',
    ])
      assert.equal(await allows(origin), false, origin);
    assert.equal((await answered('{ origins: ["*"] }', ['origin', 'https://any.example']))['access-control-allow-origin'], '*');
    assert.equal((await answered('{ origins: ["*"] }', ['origin', 'null']))['access-control-allow-origin'], undefined);
  });
});

describe('a preflight', () => {
  const asks = (origin: string, ...more: readonly string[]): Fields => ['origin', origin, 'access-control-request-method', 'PUT', ...more];

  it('is answered without the service', async () => {
    const options = `{ origins: ["${APP}"], methods: [PUT], credentials: true, maxAge: 1h }`;
    const fields = asks(APP, 'access-control-request-headers', 'x-a, x-b');
    assert.deepEqual(await answered(options, fields, { method: 'OPTIONS' }), {
      ...{ status: '204', vary: 'access-control-request-method, access-control-request-headers, origin' },
      ...{ 'access-control-allow-origin': APP, 'access-control-allow-credentials': 'true' },
      ...{ 'access-control-allow-methods': 'PUT', 'access-control-allow-headers': 'x-a, x-b', 'access-control-max-age': '3600' },
    });
  });

  it('of another origin is told nothing, and an OPTIONS request that is none goes on', async () => {
    const options = `{ origins: ["${APP}"] }`;
    assert.equal((await answered(options, asks('https://evil.example'), { method: 'OPTIONS' }))['access-control-allow-methods'], undefined);
    assert.equal((await answered(options, ['origin', APP], { method: 'OPTIONS' }))['status'], '200');
  });

  it('puts nothing into the answer that is no list of names', async () => {
    const fields = asks(APP, 'access-control-request-headers', 'x-a"<script>');
    const { 'access-control-allow-headers': headers } = await answered(`{ origins: ["${APP}"] }`, fields, { method: 'OPTIONS' });
    assert.equal(headers, undefined);
  });
});

describe('a request that changes something', () => {
  const codeOf = async (fields: Fields, method = 'POST'): Promise<string> => {
    const filter = csrf.create(filterOptions('csrf', '{ origins: ["https://admin.example.com"] }'), aFilterEnvironment());
    const verdict = await filter.onRequest?.(aRequest({ method, fields, scheme: 'https', authority: 'shop.example' }));
    return verdict === undefined ? 'passes' : 'code' in verdict ? verdict.code : 'answered';
  };

  it('comes from a page of the own origin, of one that is named, or from what is no browser', async () => {
    assert.equal(await codeOf(['origin', 'https://shop.example']), 'passes');
    assert.equal(await codeOf(['origin', 'https://admin.example.com']), 'passes');
    assert.equal(await codeOf(['sec-fetch-site', 'same-origin']), 'passes');
    assert.equal(await codeOf([]), 'passes');
  });

  it('comes from nowhere else', async () => {
    for (const origin of ['http://shop.example', 'https://shop.example:8443', 'https://shop.example.evil.net', 'null'])
      assert.equal(await codeOf(['origin', origin]), 'cross_origin', origin);
    assert.equal(await codeOf(['sec-fetch-site', 'cross-site']), 'cross_origin');
    assert.equal(await codeOf(['sec-fetch-site', 'same-site']), 'cross_origin');
  });

  it('is not a GET', async () => assert.equal(await codeOf(['origin', 'https://evil.example'], 'GET'), 'passes'));
});

it('every origin with credentials is refused, and what is no origin', () => {
  assert.match(
    filterProblems('cors', '{ origins: ["*"], credentials: true }').join(),
    /would let every page act in the name of its reader/,
  );
  for (const origin of ['app.example.com', 'https://app.example.com/', 'https://*'])
    assert.match(filterProblems('cors', `{ origins: ["${origin}"] }`).join(), /such as https:\/\/app\.example\.com/, origin);
});
