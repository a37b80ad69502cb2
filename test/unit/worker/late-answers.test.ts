// A request that takes far longer than its cluster usually does is tried elsewhere, if it may be sent twice and there is another place.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startOrigin, type Origin } from '../../support/origin.ts';
import { reported, startProxy, type Proxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';

/** Enough for a limit at both places. */
const WARM_UP = 60;
/** Three times a tail of a few milliseconds is below it, so it is the limit; time-outs are noticed by a sweep every 100 ms. */
const FLOOR_MS = 250;

interface Fleet {
  readonly one: Origin;
  readonly two: Origin;
  readonly proxy: Proxy;
  /** From now on the first place keeps silent. */
  silence(): void;
}

async function startFleet(t: TestContext, service: Readonly<Record<string, unknown>> = {}): Promise<Fleet> {
  let silent = false;
  const one = await startOrigin(t, (request, response) => {
    if (!silent) request.resume().on('end', () => response.end('one'));
  });
  const two = await startOrigin(t, (request, response) => void request.resume().on('end', () => response.end('two')));
  const proxy = await startProxy(t, {
    endpoints: [one.endpoint],
    clusters: { two: { endpoints: [two.endpoint], health: 'none' } },
    service: { versions: { blue: { clusters: { one: {}, two: {} } } }, ...service },
  });
  return { one, two, proxy, silence: () => (silent = true) };
}

async function warmUp({ proxy }: Fleet): Promise<void> {
  for (let count = 0; count < WARM_UP; count += 1) await (await fetch(proxy.url)).text();
}

describe('a late answer', () => {
  it('is given up for another cluster, and counted', async (t) => {
    const fleet = await startFleet(t);
    await warmUp(fleet);
    fleet.silence();
    const startedMs = performance.now();
    const bodies = await Promise.all(Array.from({ length: 4 }, async () => (await fetch(fleet.proxy.url)).text()));
    assert.deepEqual(bodies, ['two', 'two', 'two', 'two']);
    assert.ok(performance.now() - startedMs >= FLOOR_MS);
    await until(() => reported(fleet.proxy, 'weir_retries_total', /retried/) === 2, 'the retries are counted', 5000);
    assert.equal(reported(fleet.proxy, 'weir_upstream_failures_total', /try_timeout/), 2);
  });

  it('takes its endpoint out when it keeps silent, and no request fails meanwhile', async (t) => {
    const fleet = await startFleet(t);
    await warmUp(fleet);
    fleet.silence();
    const out = (): boolean => fleet.proxy.said.some(({ type }) => type === 'ejection');
    for (let rounds = 0; rounds < 50 && !out(); rounds += 1) {
      const bodies = await Promise.all(Array.from({ length: 10 }, async () => (await fetch(fleet.proxy.url)).text()));
      assert.ok(bodies.every((body) => body === 'two'));
    }
    const ejection = fleet.proxy.said.find((message) => message.type === 'ejection');
    assert.ok(ejection?.type === 'ejection' && ejection.ejection.kind === 'endpoint' && ejection.ejection.cluster === 'one');
  });

  it('is waited for when the request must not be sent twice, or has no other place', async (t) => {
    const slow = await startOrigin(t, (request, response) => {
      const takesMs = request.url === '/slow' ? 4 * FLOOR_MS : 0;
      request.resume().on('end', () => void setTimeout(() => response.end('done'), takesMs));
    });
    const alone = await startProxy(t, { endpoints: [slow.endpoint] });
    for (let count = 0; count < WARM_UP; count += 1) await (await fetch(alone.url)).text();
    assert.equal(await (await fetch(`${alone.url}/slow`)).text(), 'done');
    const two = await startProxy(t, { endpoints: [slow.endpoint], clusters: { two: { endpoints: [slow.endpoint], health: 'none' } } });
    for (let count = 0; count < WARM_UP; count += 1) await (await fetch(two.url)).text();
    assert.equal(await (await fetch(`${two.url}/slow`, { method: 'POST', body: 'x' })).text(), 'done');
    assert.equal(slow.requests.filter(({ url }) => url === '/slow').length, 2);
  });

  it('does not raise the limit of a place that is slow by itself: another one answers the same in time', async (t) => {
    const one = await startOrigin(t, (request, response) => {
      const takesMs = request.url === '/slow' ? 4 * FLOOR_MS : 0;
      request.resume().on('end', () => void setTimeout(() => response.end('one'), takesMs));
    });
    const two = await startOrigin(t, (request, response) => void request.resume().on('end', () => response.end('two')));
    const proxy = await startProxy(t, {
      endpoints: [one.endpoint],
      clusters: { two: { endpoints: [two.endpoint], health: 'none' } },
      service: { versions: { blue: { clusters: { one: {}, two: {} } } } },
    });
    for (let count = 0; count < WARM_UP; count += 1) await (await fetch(proxy.url)).text();
    for (let count = 0; count < 10; count += 1) {
      assert.equal(await (await fetch(`${proxy.url}/slow`)).text(), 'two');
      // Answers after it, so that what was given up could count.
      for (let quick = 0; quick < 10; quick += 1) await (await fetch(proxy.url)).text();
    }
    assert.ok(one.requests.filter(({ url }) => url === '/slow').length >= 3, 'it was asked first now and then');
  });

  it('breaks a limit that the config sets, whatever the method', async (t) => {
    const fleet = await startFleet(t, { timeouts: { try: '200ms' }, split: { blue: 1 } });
    fleet.silence();
    const answers = await Promise.all(
      Array.from({ length: 2 }, async () => (await fetch(fleet.proxy.url, { method: 'POST', body: 'x' })).status),
    );
    assert.deepEqual(answers.sort(), [200, 504]);
  });
});
