// A cluster that is lost as a whole, some of its endpoints with kept connections and some without: the last attempt of a request goes to another cluster, and
// the second one already where nothing was heard at all.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { named, startOrigin, startRawOrigin, type RawOrigin } from '../../support/origin.ts';
import { countOf, startProxy } from '../../support/proxy.ts';
import { startUnreachable } from '../../support/unreachable.ts';
import { until } from '../../support/until.ts';

interface Lossy {
  readonly origins: readonly RawOrigin[];
  /** They accept nothing any more, and reset kept connections as soon as anything comes on them. */
  readonly lose: () => void;
}

/** Two endpoints; `closing`: of which answer, in the order they come, the connection is not kept. */
async function startLossy(t: TestContext, closing: number): Promise<Lossy> {
  let lost = false;
  let answers = 0;
  const start = (): Promise<RawOrigin> =>
    startRawOrigin(t, ({ socket }) => {
      if (lost) return void socket.resetAndDestroy();
      const connection = answers === closing ? 'close' : 'keep-alive';
      answers += 1;
      socket.write(`HTTP/1.1 200 OK\r\nconnection: ${connection}\r\ncontent-length: 3\r\n\r\none`);
    });
  const origins = [await start(), await start()];
  const lose = (): void => {
    lost = true;
    for (const origin of origins) origin.stopListening();
  };
  return { origins, lose };
}

for (const [order, closing] of [
  ['refuses, then resets', 0],
  ['resets, then refuses', 1],
] as const)
  test(`a request is answered elsewhere when the lost cluster ${order}`, async (t) => {
    const { origins, lose } = await startLossy(t, closing);
    const kept = await startOrigin(t, named('kept'));
    const proxy = await startProxy(t, {
      endpoints: origins.map(({ endpoint }) => endpoint),
      cluster: { balance: 'round-robin' },
      clusters: { two: { endpoints: [kept.endpoint], health: 'none' } },
      service: { versions: { blue: { clusters: { one: { priority: 0 }, two: { priority: 1 } } } }, steer: { policy: 'priority' } },
    });
    // One each: the next one begins with the first again.
    for (let n = 0; n < 2; n += 1) assert.equal(await (await fetch(proxy.url)).text(), 'one');
    lose();
    const answer = await fetch(proxy.url);
    assert.deepEqual([answer.status, await answer.text()], [200, 'kept']);
  });

test('a request that no connection was made for is answered elsewhere, and does not wait for another endpoint that is as silent', async (t) => {
  const silent = [await startUnreachable(t), await startUnreachable(t), await startUnreachable(t)];
  const kept = await startOrigin(t, named('kept'));
  const proxy = await startProxy(t, {
    endpoints: silent.map((port) => `http://127.0.0.1:${port}`),
    cluster: { balance: 'round-robin', connectTimeout: '200ms', outlier: { consecutive: 100 } },
    clusters: { two: { endpoints: [kept.endpoint], health: 'none' } },
    service: {
      ...{ versions: { blue: { clusters: { one: { priority: 0 }, two: { priority: 1 } } } }, steer: { policy: 'priority' } },
      ...{ timeouts: { try: '0' }, retries: { attempts: 3 } },
    },
  });
  const answer = await fetch(proxy.url);
  assert.deepEqual([answer.status, await answer.text()], [200, 'kept']);
  await until(() => countOf(proxy, 'weir_requests_total') === 1, 'the request is counted');
  assert.equal(countOf(proxy, 'weir_upstream_failures_total', 'one', 'connect_timeout'), 1, 'one of them was waited for');
});
