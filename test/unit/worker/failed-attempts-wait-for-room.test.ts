// A request whose attempt has failed waits for room in the retry budget: a burst of resets is spread, not answered with errors.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startOrigin, startRawOrigin, type Answer } from '../../support/origin.ts';
import { reported, startProxy, type Proxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';

const BURST = 12;

/** Resets all it was asked as soon as it has so many requests, all of them on connections that are new. */
async function startResetting(t: TestContext, count: number): Promise<string> {
  const resets: (() => void)[] = [];
  const { endpoint } = await startRawOrigin(t, ({ socket }) => {
    resets.push(() => void socket.resetAndDestroy());
    if (resets.length >= count) for (const reset of resets.splice(0)) reset();
  });
  return endpoint;
}

/** All requests first at an endpoint that resets them in a burst, then at one that answers so; one retry at a time may be under way. */
async function front(t: TestContext, answer: Answer, retries: object): Promise<{ readonly proxy: Proxy; readonly asked: () => number }> {
  const other = await startOrigin(t, answer);
  const proxy = await startProxy(t, {
    endpoints: [await startResetting(t, BURST)],
    cluster: { outlier: { consecutive: 1000 } },
    clusters: { two: { endpoints: [other.endpoint], health: 'none' } },
    service: {
      versions: { blue: { clusters: { one: { priority: 0 }, two: { priority: 1 } } } },
      steer: { policy: 'priority' },
      retries,
      timeouts: { try: 0 },
    },
  });
  return { proxy, asked: () => other.requests.length };
}

const burst = (proxy: Proxy, init: RequestInit = {}): Promise<readonly number[]> =>
  Promise.all(Array.from({ length: BURST }, async () => (await fetch(proxy.url, init)).status));

const ONE_AT_A_TIME = { budget: '0%', budgetMin: 1 };

test('every request of a burst is answered, one retry after the other', async (t) => {
  let [working, most] = [0, 0];
  const { proxy } = await front(
    t,
    (_request, response) => {
      working += 1;
      most = Math.max(most, working);
      setTimeout(() => {
        working -= 1;
        response.end('two');
      }, 5);
    },
    ONE_AT_A_TIME,
  );
  assert.deepEqual(new Set(await burst(proxy)), new Set([200]));
  assert.equal(most, 1, 'never more than the budget');
  await until(() => reported(proxy, 'weir_retries_total', /waited/) === BURST - 1, 'all but one have waited', 5000);
  assert.equal(reported(proxy, 'weir_retries_total', /retried/), BURST);
  assert.equal(reported(proxy, 'weir_retries_total', /refused/), 0);
});

test('what finds no room in a turn of the workers fails, and soon', async (t) => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<undefined>();
  const { proxy, asked } = await front(t, (_request, response) => void answered.then(() => response.end('two')), ONE_AT_A_TIME);
  const statuses = burst(proxy);
  await until(() => reported(proxy, 'weir_retries_total', /refused/) === BURST - 1, 'all others are refused', 5000);
  answer(undefined);
  assert.deepEqual((await statuses).toSorted(), [200, ...Array.from({ length: BURST - 1 }, () => 502)]);
  assert.equal(asked(), 1);
});

test('nobody waits for what never comes: without a budget', async (t) => {
  const { proxy } = await front(t, (_request, response) => void response.end('two'), { budget: '0%', budgetMin: 0 });
  assert.deepEqual(new Set(await burst(proxy)), new Set([502]));
  await until(() => reported(proxy, 'weir_retries_total', /refused/) === BURST, 'all are refused', 5000);
  assert.equal(reported(proxy, 'weir_retries_total', /waited/), 0);
});
