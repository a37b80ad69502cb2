// Requests of a real worker whose controller is away meet limits: by address, by header, in the shadow, and what answers tell of them.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it, test, type TestContext } from 'node:test';
import { limitKey } from '../../../../balancer/filter/rate-limit/limit-key.ts';
import type { LimitKeyPart } from '../../../../balancer/config/limit-config.ts';
import type { CanonicalRequest } from '../../../../balancer/message/request.ts';
import { problemsWith, problemsWithParts } from '../../../support/filter-options.ts';
import { startOrigin } from '../../../support/origin.ts';
import { countOf, startProxy, type Proxy } from '../../../support/proxy.ts';
import { aRequest } from '../../../support/request.ts';
import { until } from '../../../support/until.ts';

async function limited(t: TestContext, limit: object): Promise<Proxy> {
  const origin = await startOrigin(t, (_request, response) => response.end('served'));
  const parts = { limits: { few: { allow: 2, ...limit } } };
  return startProxy(t, { endpoints: [origin.endpoint], parts, route: { filters: [{ addressLimit: { limits: ['few'] } }] } });
}

const statuses = async (proxy: Proxy, count: number, headers: Readonly<Record<string, string>> = {}): Promise<readonly number[]> => {
  const all: number[] = [];
  for (let one = 0; one < count; one += 1) all.push((await fetch(proxy.url, { headers })).status);
  return all;
};

test('what is above the limit is refused with 429, told when to come again, and counted', async (t) => {
  const proxy = await limited(t, { by: ['address'] });
  assert.deepEqual(await statuses(proxy, 2), [200, 200]);
  const refused = await fetch(proxy.url);
  assert.equal(refused.status, 429);
  assert.equal(((await refused.json()) as { code: string }).code, 'rate_limited');
  assert.ok(Number(refused.headers.get('retry-after')) >= 1);
  assert.equal(refused.headers.get('ratelimit-policy'), '"few";q=2;w=60');
  assert.match(refused.headers.get('ratelimit') ?? '', /^"few";r=0;t=\d+$/);
  await until(() => countOf(proxy, 'weir_rate_limited_total', 'few', 'refused') === 1, 'it is counted');
});

test('who leaves out what is counted by shares the counter of the address', async (t) => {
  const proxy = await limited(t, { by: ['header:X-Tenant'] });
  assert.deepEqual(await statuses(proxy, 3, { 'x-tenant': 'a' }), [200, 200, 429]);
  assert.deepEqual(await statuses(proxy, 3, { 'x-tenant': 'b' }), [200, 200, 429]);
  assert.deepEqual(await statuses(proxy, 3), [200, 200, 429]);
});

describe('a route whose requests cost more', () => {
  async function costed(t: TestContext, options: object, answer: () => Readonly<Record<string, string>>, allow = 10): Promise<Proxy> {
    const origin = await startOrigin(t, (_request, response) => response.writeHead(200, answer()).end('served'));
    const filters = [{ addressLimit: { limits: ['few'], ...options } }];
    return startProxy(t, { endpoints: [origin.endpoint], parts: { limits: { few: { allow, algorithm: 'fixed' } } }, route: { filters } });
  }
  const left = async (proxy: Proxy): Promise<readonly [status: number, left: string | undefined]> => {
    const { status, headers } = await fetch(proxy.url);
    return [status, /r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1]];
  };

  it('takes its cost from the limit', async (t) => {
    const proxy = await costed(t, { cost: 4 }, () => ({}));
    assert.deepEqual(
      [await left(proxy), await left(proxy), await left(proxy)],
      [
        [200, '6'],
        [200, '2'],
        [429, '2'],
      ],
    );
  });

  it('pays what the answer says, even beyond what there was, and the client does not see it', async (t) => {
    let tokens = '3';
    const proxy = await costed(t, { costFromAnswer: { field: 'X-Tokens' } }, () => ({ 'x-tokens': tokens }));
    const first = await fetch(proxy.url);
    assert.equal(first.headers.get('x-tokens'), null);
    tokens = '50';
    assert.deepEqual(await left(proxy), [200, '0'], 'the answer tells what is left behind it');
    assert.deepEqual(await left(proxy), [429, '0']);
  });

  it('has back what the answer says less', async (t) => {
    const proxy = await costed(t, { cost: 8, costFromAnswer: { field: 'x-tokens', keep: true } }, () => ({ 'x-tokens': '1' }));
    assert.equal((await fetch(proxy.url)).headers.get('x-tokens'), '1');
    assert.deepEqual(await left(proxy), [200, '8'], 'of ten, two were one each');
  });

  it('pays its cost where the answer says nothing of use', async (t) => {
    for (const said of ['', '-5', '1e3', 'many', '12345678901']) {
      const proxy = await costed(t, { costFromAnswer: { field: 'x-tokens' } }, () => ({ 'x-tokens': said }));
      await fetch(proxy.url);
      assert.deepEqual(await left(proxy), [200, '8'], said);
    }
  });
});

test('a shadow counts and refuses nobody', async (t) => {
  const proxy = await limited(t, { shadow: true });
  assert.deepEqual(await statuses(proxy, 4), [200, 200, 200, 200]);
  await until(() => countOf(proxy, 'weir_rate_limited_total', 'few', 'shadow') === 2, 'it is counted');
});

test('whatever the order in the file, addresses are limited before anybody proves who calls, and consumers after', async (t) => {
  const origin = await startOrigin(t, (_request, response) => response.end('served'));
  const key = `acme_one.${'a'.repeat(32)}`;
  const proxy = await startProxy(t, {
    endpoints: [origin.endpoint],
    parts: {
      consumers: { acme: { keys: [{ id: 'acme_one', hash: `sha256:${hash('sha256', key)}` }] } },
      limits: { comers: { by: ['address'], allow: 5 }, callers: { by: ['consumer'], allow: 2 } },
    },
    route: { filters: [{ rateLimit: { limits: ['callers'] } }, { authenticate: { key: {} } }, { addressLimit: { limits: ['comers'] } }] },
  });
  // Refused callers use up nothing of a consumer; and once the address has no more, nobody looks at a key.
  assert.deepEqual(await statuses(proxy, 1), [401]);
  assert.deepEqual(await statuses(proxy, 3, { 'x-api-key': key }), [200, 200, 429]);
  assert.deepEqual(await statuses(proxy, 2, { 'x-api-key': 'wrong' }), [401, 429]);
});

test('addresses may be exempt', async (t) => {
  assert.deepEqual(await statuses(await limited(t, { exempt: { addresses: ['127.0.0.0/8'] } }), 4), [200, 200, 200, 200]);
});

test('while nobody can say, the file says what becomes of requests', async (t) => {
  assert.deepEqual(await statuses(await limited(t, { onUnavailable: 'deny' }), 2), [503, 503]);
  assert.deepEqual(await statuses(await limited(t, { onUnavailable: 'allow' }), 4), [200, 200, 200, 200]);
});

test('answers tell of the limit in the seventh and the third version of the draft too, or not at all', async (t) => {
  const third = await fetch((await limited(t, { headers: 'draft-3' })).url);
  assert.deepEqual([third.headers.get('ratelimit-limit'), third.headers.get('ratelimit-remaining')], ['2', '1']);
  const seventh = await fetch((await limited(t, { headers: 'draft-7' })).url);
  assert.equal(seventh.headers.get('ratelimit-policy'), '2;w=60');
  assert.match(seventh.headers.get('ratelimit') ?? '', /^limit=2, remaining=1, reset=\d+$/);
  const none = await fetch((await limited(t, { headers: 'none' })).url);
  assert.equal(none.headers.get('ratelimit'), null);
});

describe('the counter of a request', () => {
  const keyOf = (by: readonly LimitKeyPart[], facts: Partial<CanonicalRequest>): string =>
    limitKey({ by } as Parameters<typeof limitKey>[0], aRequest(facts), 'shop');
  const address = (clientAddress: string): string => keyOf([{ kind: 'address' }], { clientAddress });

  it('is that of the /64 of an IPv6 client, however it is written', () => {
    assert.equal(address('2001:db8:0:1::1'), address('2001:0DB8:0000:0001:ffff::2'));
    assert.notEqual(address('2001:db8:0:1::1'), address('2001:db8:0:2::1'));
    assert.equal(address('::1'), address('::2'));
    assert.equal(address('::ffff:192.0.2.1'), '192.0.2.1');
    assert.notEqual(address('192.0.2.1'), address('192.0.2.2'));
  });

  it('of a consumer is not that of an address of the same name', () => {
    const identity = { consumer: '192.0.2.1', method: 'key', credential: '', groups: [], scopes: [], claims: null };
    assert.notEqual(keyOf([{ kind: 'consumer' }], { identity }), keyOf([{ kind: 'consumer' }], { clientAddress: '192.0.2.1' }));
  });
});

describe('files with limits that mean nothing', () => {
  const limits = (one: string): string => `limits: { few: ${one} }\n`;
  for (const [text, said] of [
    [limits('{ allow: 0 }'), /limits\.few\.allow/],
    [limits('{ allow: 1, per: 1ms }'), /limits\.few\.per: "1ms" is no window of a limit; expected 1s to 24h/],
    [limits('{ allow: 1, burst: 2 }'), /limits\.few\.burst: is for algorithm: token/],
    [limits('{ allow: 1, by: [ip] }'), /limits\.few\.by\[0\]: .*address, consumer, route, host, header:NAME or claim:NAME/],
    [
      limits('{ allow: 1, scope: fleet }'),
      /limits\.few\.scope: all hosts count together in Redis, and this host has none; name it under state\.redis .*, or write scope: host/,
    ],
    [limits('{ allow: 1, mode: exact }'), /limits\.few\.mode: is for scope: fleet; leave it out, or write scope: fleet/],
    [limits('{ allow: 1, onStoreError: deny }'), /limits\.few\.onStoreError: is for scope: fleet/],
    [limits('{ allow: 1, per: day, algorithm: token }'), /limits\.few\.algorithm: a quota counts each day of the calendar/],
    [limits('{ allow: 1, per: 1s, algorithm: concurrency }'), /limits\.few\.per: requests at once have no window/],
    [limits('{ allow: 1, exempt: { consumers: [acme] } }'), /consumer "acme" is not declared/],
  ] as const)
    it(text.trim(), () => assert.match(problemsWith('{ key: {} }', text).join('\n'), said));

  for (const [options, limit, said] of [
    ['{ limits: [few], cost: 11 }', '{ allow: 10 }', /cost: limit "few" never lets 11 pass at once, .*expected 1 to 10/],
    ['{ limits: [few], cost: 6 }', '{ allow: 10, algorithm: token, burst: 5 }', /expected 1 to 5/],
    [
      '{ limits: [few], cost: 2 }',
      '{ allow: 10, algorithm: concurrency }',
      /limits\[0\]: limit "few" counts requests at once, .*leave out cost/,
    ],
    ['{ limits: [few], cost: 0 }', '{ allow: 10 }', /cost/],
  ] as const)
    it(`${options} of ${limit}`, () => assert.match(problemsWithParts('rateLimit', options, limits(limit)).join('\n'), said));
});
