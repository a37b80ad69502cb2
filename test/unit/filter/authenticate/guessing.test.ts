// Somebody who guesses: after so many failures of an address nothing that comes from there is looked at, and nobody else notices.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { LimitConfig } from '../../../../balancer/config/limit-config.ts';
import { FailedAttempts } from '../../../../balancer/filter/authenticate/failed-attempts.ts';
import { invalidCredentials } from '../../../../balancer/filter/authenticate/method.ts';
import type { Allowances } from '../../../../balancer/filter/rate-limit/allowances.ts';
import { bucketOf } from '../../../../balancer/filter/rate-limit/bucket.ts';
import { logged } from '../../../support/access-log.ts';
import { aFilterEnvironment } from '../../../support/filter-environment.ts';
import { problemsWith } from '../../../support/filter-options.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { named, startOrigin } from '../../../support/origin.ts';
import { countOf, startProxy, type Proxy } from '../../../support/proxy.ts';
import { aRequest } from '../../../support/request.ts';
import { until } from '../../../support/until.ts';

const KEY = `acme_one.${'a'.repeat(32)}`;
const CONSUMERS = { acme: { keys: [{ id: 'acme_one', hash: `sha256:${hash('sha256', KEY)}` }] } };

async function guarded(t: TestContext, limit: object, parts: object = {}): Promise<Proxy> {
  const origin = await startOrigin(t, named('origin'));
  return startProxy(t, {
    endpoints: [origin.endpoint],
    listener: { trustedPeers: ['127.0.0.1'] },
    parts: { consumers: CONSUMERS, limits: { guesses: { by: ['address'], allow: 3, ...limit } }, ...parts },
    route: { filters: [{ authenticate: { key: {}, failures: 'guesses' } }] },
  });
}

async function ask(proxy: Proxy, key: string, from = '192.0.2.1'): Promise<string> {
  const response = await fetch(proxy.url, { headers: { ...(key === '' ? {} : { 'x-api-key': key }), 'x-forwarded-for': from } });
  const text = await response.text();
  if (response.status === 429) assert.ok(Number(response.headers.get('retry-after')) >= 1);
  return response.status === 200 ? 'in' : (JSON.parse(text) as { code: string }).code;
}

test('the address gets 429 before its credentials are looked at, right ones too, and other addresses do not', async (t) => {
  const proxy = await guarded(t, {});
  const answers: string[] = [];
  for (const key of [KEY, 'one', 'two', KEY, '', 'three', 'four', KEY, '']) answers.push(await ask(proxy, key));
  const [wrong, stopped] = ['credentials_invalid', 'too_many_failures'];
  assert.deepEqual(answers, ['in', wrong, wrong, 'in', 'credentials_missing', wrong, stopped, stopped, stopped]);
  assert.equal(await ask(proxy, KEY, '192.0.2.2'), 'in');
  await until(() => countOf(proxy, 'weir_authentications_total', 'all', stopped) === 3, 'refusals are counted');
  assert.equal(countOf(proxy, 'weir_authentications_total', 'all', 'key'), 3);
  assert.equal(countOf(proxy, 'weir_authentications_total', 'all', wrong), 3);
  assert.equal(countOf(proxy, 'weir_consumer_requests_total', 'acme', '2xx'), 3);
  assert.equal(countOf(proxy, 'weir_rate_limited_total', 'guesses', 'refused'), 3);
});

test('addresses may be exempt, and a shadow stops nobody', async (t) => {
  for (const limit of [{ exempt: { addresses: ['192.0.2.0/24'] } }, { shadow: true }]) {
    const proxy = await guarded(t, limit);
    for (let one = 0; one < 5; one += 1) assert.equal(await ask(proxy, 'wrong'), 'credentials_invalid');
    assert.equal(await ask(proxy, KEY), 'in');
  }
});

test('after a time the address may try again', () => {
  const clock = new ManualClock();
  const config = { name: 'guesses', algorithm: 'fixed', limit: 2, windowMs: 60_000, burst: 2, by: [{ kind: 'address' }] } as const;
  const limit: LimitConfig = {
    ...config,
    ...{ calendar: null, ofPlans: {}, plan: '' },
    shadow: false,
    headers: 'none',
    onUnavailable: 'local',
    exemptAddresses: [],
    exemptConsumers: [],
    fleet: null,
  };
  const bucket = bucketOf(limit);
  const allowances: Allowances = {
    charge: () => undefined,
    take: (_limit, key) => {
      const { granted, remaining, resetMs } = bucket.take(key, 1, clock.nowMs());
      return { verdict: granted === 1 ? 'pass' : 'refuse', remaining, resetMs };
    },
  };
  const attempts = new FailedAttempts(limit, aFilterEnvironment({ clock, allowances }));
  const [request, wrong] = [aRequest(), invalidCredentials('', 'Key')];
  assert.equal(attempts.stops(request), null);
  assert.equal(attempts.count(request, wrong), wrong);
  assert.equal(attempts.stops(request), null);
  assert.equal(attempts.count(request, wrong), wrong);
  assert.equal(attempts.stops(request)?.code, 'too_many_failures');
  assert.equal(attempts.stops(aRequest({ clientAddress: '203.0.113.2' })), null);
  clock.advance(60_000);
  assert.equal(attempts.stops(request), null);
});

test('what can be chosen by who guesses counts no failures', () => {
  const parts = (by: string): string => `consumers: { acme: {} }\nlimits: { guesses: { by: [${by}], allow: 3 } }\n`;
  assert.deepEqual(problemsWith('{ key: {}, failures: guesses }', parts('address, route')), []);
  for (const by of ['header:x-user', 'address, header:x-user', 'consumer', 'route'])
    assert.deepEqual(problemsWith('{ key: {}, failures: guesses }', parts(by)), [
      `routes[0].filters[0].authenticate.failures: limit "guesses" counts by ${by}, and who guesses has proved nothing; name one with by: [address]`,
    ]);
  const atOnce = 'consumers: { acme: {} }\nlimits: { guesses: { by: [address], allow: 3, algorithm: concurrency } }\n';
  assert.deepEqual(problemsWith('{ key: {}, failures: guesses }', atOnce), [
    'routes[0].filters[0].authenticate.failures: limit "guesses" is of requests at once, and guesses come one after the other; name one with a window',
  ]);
  assert.deepEqual(problemsWith('{ key: {}, failures: other }', parts('address')), [
    'routes[0].filters[0].authenticate.failures: limit "other" is not declared; expected one of limits: guesses',
  ]);
});

test('the access log says who called and how it was proved', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-log-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const accessLog = join(directory, 'access.log');
  const proxy = await guarded(t, {}, { accessLog });
  await ask(proxy, KEY);
  await ask(proxy, 'wrong');
  const lines = (): readonly string[] => logged(accessLog).trimEnd().split('\n');
  await until(() => lines().length === 2, 'both lines are there');
  const told = lines().map((line) => JSON.parse(line) as { consumer?: string; authenticatedBy?: string; error: string });
  assert.deepEqual(
    told.map(({ consumer, authenticatedBy, error }) => [consumer, authenticatedBy, error]),
    [
      ['acme', 'key', ''],
      [undefined, undefined, 'credentials_invalid'],
    ],
  );
});
