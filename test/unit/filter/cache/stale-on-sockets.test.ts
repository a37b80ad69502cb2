// Stale answers through a real worker: no client waits for what is asked behind its back, that goes the way of every request, and a service that fails is hidden.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { startOrigin, type Origin } from '../../../support/origin.ts';
import { countOf, startProxy, type Proxy, type ProxyOptions } from '../../../support/proxy.ts';
import { until } from '../../../support/until.ts';

const cached = (): NonNullable<ProxyOptions['route']> => ({ filters: [{ cache: { wait: 0 } }] });

interface Gotten {
  readonly status: number;
  readonly body: string;
  readonly how: string;
}

async function get(proxy: Proxy, path = '/', headers: Record<string, string> = {}): Promise<Gotten> {
  const response = await fetch(`${proxy.url}${path}`, { headers });
  return { status: response.status, body: await response.text(), how: response.headers.get('cache-status') ?? '' };
}

/** Answers at once, until `hold` is set: then when the test says so. */
async function service(
  t: TestContext,
  control: string,
): Promise<{ origin: Origin; held: ServerResponse[]; state: { hold: boolean; body: string } }> {
  const held: ServerResponse[] = [];
  const state = { hold: false, body: 'one' };
  const origin = await startOrigin(t, (_request, response) => {
    response.setHeader('cache-control', control);
    if (state.hold) held.push(response);
    else response.end(state.body);
  });
  return { origin, held, state };
}

test('no client waits while the service is asked, and one request asks', async (t) => {
  const { origin, held, state } = await service(t, 'max-age=0, stale-while-revalidate=60');
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: cached() });
  await get(proxy);
  state.hold = true;
  const all = await Promise.all(Array.from({ length: 50 }, () => get(proxy)));
  assert.deepEqual(new Set(all.map(({ status, body }) => `${status} ${body}`)), new Set(['200 one']));
  assert.match(all[0]?.how ?? '', /^weir; hit; ttl=-?\d+; detail="stale-while-revalidate"$/);
  assert.equal(origin.requests.length, 2);
  state.hold = false;
  held[0]?.end('two');
  await until(async () => (await get(proxy)).body === 'two', 'the new one is served');
  await until(() => countOf(proxy, 'weir_cache_revalidations_total', 'renewed') > 0, 'it is counted');
  assert.ok(countOf(proxy, 'weir_cache_stale_total', 'all', 'revalidating') >= 50);
});

test('what is asked behind the backs of clients is retried elsewhere, and counted as a request of the service', async (t) => {
  const { origin, state } = await service(t, 'max-age=0, stale-while-revalidate=60');
  const broken = await startOrigin(t, (request, response) =>
    failing ? request.socket.destroy() : response.setHeader('cache-control', 'max-age=0, stale-while-revalidate=60').end('one'),
  );
  let failing = false;
  const proxy = await startProxy(t, { endpoints: [origin.endpoint, broken.endpoint], route: cached() });
  await get(proxy);
  failing = true;
  state.body = 'two';
  await until(async () => (await get(proxy)).body === 'two', 'the new one is served');
  await until(() => countOf(proxy, 'weir_cache_revalidations_total', 'renewed') > 0, 'it is counted');
  assert.equal(countOf(proxy, 'weir_cache_revalidations_total', 'failed'), 0);
  const ofService = countOf(proxy, 'weir_requests_total', 'blue', '2xx');
  assert.equal(ofService, 1 + countOf(proxy, 'weir_cache_revalidations_total'));
});

test('a service that hangs costs no client anything, and is given up by its time-out', async (t) => {
  const { origin, held, state } = await service(t, 'max-age=0, stale-while-revalidate=60');
  const timeouts = { request: '300ms' };
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], service: { timeouts }, route: cached() });
  await get(proxy);
  state.hold = true;
  assert.equal((await get(proxy)).body, 'one');
  await until(() => held.length === 1, 'it asks');
  await until(() => countOf(proxy, 'weir_cache_revalidations_total', 'failed') === 1, 'it gives up');
  assert.deepEqual([(await get(proxy)).body, countOf(proxy, 'weir_requests_total', '5xx')], ['one', 1]);
});

test('what is asked behind the backs of clients says what filters made of the request, and nothing that was asked of the answer', async (t) => {
  const { origin, state } = await service(t, 'max-age=0, stale-while-revalidate=60');
  const filters = [{ headers: { request: { set: { 'x-tenant': '${query.tenant}' } } } }, { cache: { wait: 0 } }];
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { filters } });
  await get(proxy, '/?tenant=acme');
  state.body = 'two';
  await get(proxy, '/?tenant=acme', { range: 'bytes=0-0' });
  await until(() => origin.requests.length === 2, 'it asks');
  const { method, url, headers } = origin.requests[1] ?? {};
  assert.deepEqual([method, url, headers?.['x-tenant'], headers?.range], ['GET', '/?tenant=acme', 'acme', undefined]);
  assert.equal(headers?.['x-forwarded-for'], '127.0.0.1');
});

test('a service that is gone is hidden, by its answers, its connections, its circuit and its health', async (t) => {
  const control = 'max-age=0, stale-if-error=60';
  let fails = false;
  const origin = await startOrigin(t, (_request, response) => {
    response.setHeader('cache-control', control).writeHead(fails ? 503 : 200);
    response.end(fails ? 'no' : 'one');
  });
  const circuit = { minRequests: 2, window: '10s', open: '60s' };
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], service: { circuit, retries: { attempts: 0 } }, route: cached() });
  await get(proxy);
  fails = true;
  const answered = await get(proxy);
  assert.deepEqual([answered.status, answered.body], [200, 'one']);
  assert.match(answered.how, /^weir; fwd=stale; fwd-status=503; ttl=-?\d+; detail="stale-if-error"$/);
  const isOpen = async (): Promise<boolean> => {
    const asked = origin.requests.length;
    const { status, body } = await get(proxy);
    assert.deepEqual([status, body], [200, 'one']);
    return origin.requests.length === asked;
  };
  await until(isOpen, 'the circuit is open, and the service not asked');
  assert.equal((await get(proxy, '/other')).status, 503);
  await origin.kill();
  const head = await fetch(proxy.url, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers.get('cache-status')?.includes('stale-if-error')], [200, true]);
  await until(() => countOf(proxy, 'weir_cache_stale_total', 'error') >= 3, 'it is counted');
  assert.ok(countOf(proxy, 'weir_requests_total', '5xx') >= 3);
});

test('a connection that is refused, and a time-out, are hidden too', async (t) => {
  const { origin, held, state } = await service(t, 'max-age=0, stale-if-error=60');
  const proxy = await startProxy(t, {
    endpoints: [origin.endpoint],
    service: { timeouts: { firstByte: '200ms' }, retries: { attempts: 0 } },
    route: cached(),
  });
  await get(proxy);
  state.hold = true;
  const late = await get(proxy);
  assert.deepEqual([late.status, late.body, held.length], [200, 'one', 1]);
  await origin.kill();
  const gone = await get(proxy);
  assert.deepEqual([gone.status, gone.body], [200, 'one']);
  assert.match(gone.how, /^weir; fwd=stale; ttl=-?\d+; detail="stale-if-error"$/);
});

test('tags of the service never reach a client, whether its answer is stored or not', async (t) => {
  const origin = await startOrigin(t, (request, response) => {
    response
      .setHeader('cache-tag', 'a,b')
      .setHeader('surrogate-key', 'c d')
      .setHeader('cache-control', request.url === '/stored' ? 'max-age=60' : 'no-store');
    response.end('page');
  });
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: cached() });
  for (const path of ['/stored', '/stored', '/not']) {
    const { headers } = await fetch(`${proxy.url}${path}`);
    assert.deepEqual([headers.get('cache-tag'), headers.get('surrogate-key')], [null, null]);
  }
  assert.equal(origin.requests.length, 2);
});
